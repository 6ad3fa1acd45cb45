from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from nlpseq.text.tags import can_follow, iob2_of, spans_of, split_tag

LABELS = ("PER", "LOC", "creative-work")


def tags(prefixes: str) -> st.SearchStrategy[list[str]]:
    """Any sequence, broken ones too: that is what a model without a CRF predicts."""
    return st.lists(st.sampled_from(["O", *(f"{p}-{label}" for p in prefixes for label in LABELS)]), max_size=12)


@st.composite
def spans(draw: st.DrawFn) -> tuple[list[tuple[str, int, int]], int]:
    length = draw(st.integers(0, 15))
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    return [(draw(st.sampled_from(LABELS)), a, b) for a, b in pairwise(cuts)], length


@given(tags("BI"))
def test_spans_are_those_of_seqeval(sequence: list[str]) -> None:
    assert spans_of(sequence) == [(label, first, last + 1) for label, first, last in get_entities(sequence)]


@given(tags("BIES"))
def test_spans_of_the_long_scheme_are_those_of_seqeval(sequence: list[str]) -> None:
    """seqeval follows conlleval.pl, which knows E and S beside B and I (not L and U)."""
    assert spans_of(sequence) == [(label, first, last + 1) for label, first, last in get_entities(sequence)]


@given(tags("BI"))
def test_spans_are_those_of_nervaluate(sequence: list[str]) -> None:
    utils = pytest.importorskip("nervaluate.utils", reason="a second opinion, which the extra `test` does not bring")
    theirs = [(e["label"], e["start"], e["end"] + 1) for e in utils.collect_named_entities(sequence)]
    assert spans_of(sequence) == theirs


@given(tags("BIES"))
def test_two_names_of_one_scheme_spell_the_same(sequence: list[str]) -> None:
    bilou = [tag.replace("E-", "L-", 1).replace("S-", "U-", 1) if tag[0] in "ES" else tag for tag in sequence]
    assert spans_of(bilou) == spans_of(sequence)


@given(spans())
def test_spans_survive_their_spelling(given_spans: tuple[list[tuple[str, int, int]], int]) -> None:
    wanted, length = given_spans
    spelt = iob2_of(wanted, length)
    assert len(spelt) == length
    assert spans_of(spelt) == wanted
    assert all(can_follow(a, b) for a, b in pairwise([None, *spelt, None]))


@given(tags("BI"))
def test_a_sequence_is_valid_just_where_spelling_its_spans_gives_it_back(sequence: list[str]) -> None:
    """`can_follow` and `spans_of` agree on what IOB2 is: no I without a beginning."""
    valid = all(can_follow(a, b) for a, b in pairwise([None, *sequence, None]))
    assert valid == (iob2_of(spans_of(sequence), len(sequence)) == sequence)


def test_a_class_may_hold_a_hyphen() -> None:
    assert split_tag("B-creative-work") == ("B", "creative-work")


@pytest.mark.parametrize("tag", ["", "B", "B-", "-PER", "X-PER", "b-PER", "PER", "o", "O-PER", "BPER", "B_PER"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not a tag"):
        split_tag(tag)


@pytest.mark.parametrize("span", [("X", -1, 1), ("X", 0, 4), ("X", 1, 1), ("X", 2, 1)])
def test_spans_outside_the_sentence_are_refused(span: tuple[str, int, int]) -> None:
    with pytest.raises(ValueError, match="does not lie within 3"):
        iob2_of([span], 3)


def test_overlapping_spans_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        iob2_of([("X", 0, 2), ("Y", 1, 3)], 3)
