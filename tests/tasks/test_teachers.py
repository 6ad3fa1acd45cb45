from __future__ import annotations

import pytest

from nlpseq.errors import UsageError
from nlpseq.tasks.teachers import must_share_labels
from nlpseq.text.vocab import Vocabulary


def labels(**columns: str) -> dict[str, Vocabulary]:
    return {name: Vocabulary(symbols.split(), reserved=0) for name, symbols in columns.items()}


def test_the_same_labels_are_shared() -> None:
    must_share_labels(labels(upos="A B", ner="O"), labels(ner="O", upos="A B"))


@pytest.mark.parametrize(
    ("own", "teacher", "said"),
    [
        (labels(upos="A"), labels(upos="A", xpos="B"), "xpos is of the teacher alone."),
        (labels(upos="A", ner="O"), labels(upos="A"), "ner is of the examples alone."),
        (labels(upos="A B"), labels(upos="B A"), "upos has the same ones in another order."),
        (labels(upos="A C D"), labels(upos="A B"), "upos has C, D of the examples alone, and B of the teacher alone."),
        (labels(upos="A"), labels(upos="A B C D E F"), "upos has B, C, D, E and 1 more of the teacher alone."),
    ],
)
def test_what_differs_is_named(own: dict[str, Vocabulary], teacher: dict[str, Vocabulary], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        must_share_labels(own, teacher, "--teacher t")
    assert f"--teacher t: has other labels than the training examples: {said}" in str(caught.value)
