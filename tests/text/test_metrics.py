from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from nlpseq.text.metrics import Accuracy, SpanScore

TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    lengths = draw(st.lists(st.integers(1, 8), min_size=1, max_size=6))
    gold, predicted = ([draw(st.lists(TAGS, min_size=n, max_size=n)) for n in lengths] for _ in range(2))
    return gold, predicted


@given(corpora())
def test_span_scores_are_those_of_seqeval(pair: tuple[list[list[str]], list[list[str]]]) -> None:
    gold, predicted = pair
    ours = SpanScore()
    for wanted, got in zip(gold, predicted, strict=True):
        ours.add(wanted, got)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where a score has no spans to count, and gives 0 as we do
        theirs = [100 * f(gold, predicted) for f in (precision_score, recall_score, f1_score)]
    total = ours.total
    assert [total.precision, total.recall, total.f1] == pytest.approx(theirs, abs=1e-9)


@given(corpora())
def test_classes_add_up_to_the_total(pair: tuple[list[list[str]], list[list[str]]]) -> None:
    ours = SpanScore()
    for wanted, got in zip(*pair, strict=True):
        ours.add(wanted, got)
    for label, counts in ours.classes.items():
        alone = SpanScore()
        for wanted, got in zip(*pair, strict=True):
            keep = [[tag if tag.endswith(label) else "O" for tag in tags] for tags in (wanted, got)]
            alone.add(*keep)
        assert alone.total == counts
        assert 0 <= counts.right <= min(counts.gold, counts.predicted)


def test_a_span_counts_only_whole_and_of_its_class() -> None:
    score = SpanScore()
    score.add(["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "O", "O", "B-PER"])
    assert (score.total.right, score.total.predicted, score.total.gold) == (0, 2, 2)


def test_nothing_counted_is_zero_and_no_error() -> None:
    assert (Accuracy().percent, SpanScore().total.f1, SpanScore().total.precision, SpanScore().total.recall) == (0,) * 4


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("AB")), min_size=1))
def test_accuracy_counts_right_labels_and_every_confusion(pairs: list[tuple[str, str]]) -> None:
    accuracy = Accuracy()
    accuracy.add([a for a, _ in pairs], [b for _, b in pairs])
    assert accuracy.percent == pytest.approx(100 * sum(a == b for a, b in pairs) / len(pairs))
    assert accuracy.confusions.total() == accuracy.total - accuracy.right
    assert all(a != b for a, b in accuracy.confusions)


def test_sequences_of_unequal_length_are_no_score() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Accuracy().add(["A", "B"], ["A"])
