from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.text.spelling import spelt
from nlpseq.text.tokenizer import Tokenizer


@pytest.mark.parametrize(
    "text",
    [
        "Anna's dog (a big one) didn't bark, did it?",
        '"You can have the eggs for nothing," said Bela.',
        "It cost $5 or 10% more; that's all.",
        "The Secretary-General and/or his well-known deputy came.",
        "Nobody came... or so they said!",
    ],
)
def test_what_the_tokenizer_took_apart_is_put_together(text: str) -> None:
    assert spelt(Tokenizer("en").words(text)[0]) == text


@given(st.lists(st.sampled_from(["a", "I", ".", ",", "(", ")", '"', "'", "n't", "$", "b"]), max_size=12))
def test_more_words_never_change_the_text_so_far(words: list[str]) -> None:
    for end in range(len(words)):
        assert spelt(words).startswith(spelt(words[:end]))


def test_nothing() -> None:
    assert spelt([]) == ""
