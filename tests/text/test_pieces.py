from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlpseq.errors import DataError, TrustError
from nlpseq.text.pieces import BEGIN, END, PIECE_UNKNOWN, Pieces

SENTENCES = [
    f"the {adjective} {noun} {verb} at {number}"
    for adjective in ("old", "new", "red")
    for noun in ("house", "boat", "river")
    for verb in ("sleeps", "waits")
    for number in range(10)
]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def pieces(request: pytest.FixtureRequest) -> Pieces:
    return Pieces.trained(SENTENCES, 330, kind=request.param)


@given(text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
@settings(max_examples=50)
def test_any_text_has_ids_and_none_is_unknown(pieces: Pieces, text: str) -> None:
    ids = pieces.ids(text)
    assert PIECE_UNKNOWN not in ids
    assert all(index > END for index in ids)


@pytest.mark.parametrize("text", ["the old house sleeps at 3", "Ωmega 日本 🙂", "zzz@example.org"])
def test_ids_give_the_text_back(pieces: Pieces, text: str) -> None:
    assert pieces.text([BEGIN, *pieces.ids(text), END]) == text
    assert "".join(pieces.names(pieces.ids("the boat"))) == "▁the▁boat"


def test_the_same_sentences_give_the_same_model_and_bytes_make_it_again(pieces: Pieces) -> None:
    again = Pieces(pieces.model)
    assert [again.ids(s) for s in SENTENCES] == again.ids_of_many(SENTENCES) == [pieces.ids(s) for s in SENTENCES]
    assert Pieces.trained(SENTENCES, 330).model == Pieces.trained(SENTENCES, 330).model


def test_what_cannot_be_trained_or_read_says_so() -> None:
    least = 4 + 256 + len(set("".join(SENTENCES)))  # the reserved ids, the bytes and the characters, a space among them
    with pytest.raises(DataError, match=rf"No subword model of 20 pieces .* are {least} already\. Set pieces\.size"):
        Pieces.trained(SENTENCES, 20)
    with pytest.raises(DataError, match="No subword model"):
        Pieces.trained([], 300)
    with pytest.raises(TrustError, match="cannot be read"):
        Pieces(b"no model")


def test_long_lines_are_looked_at_too() -> None:
    """SentencePiece alone passes over what has more bytes than its limit, and says nothing."""
    line = " ".join(SENTENCES[:30])
    many = Pieces.trained([" ".join([line] * 40)], 330)
    assert len(many.ids(line)) < 2 * len(Pieces.trained(SENTENCES, 330).ids(line))
    assert Pieces.trained(["x" * 10_000 + " the boat"], 300).ids("x")


def test_any_seed_of_a_training_will_do() -> None:
    same, other = (Pieces.trained(SENTENCES, 330, seed=seed).model for seed in (1, 2**63 - 1))
    assert len(same) > 0 < len(other)
