from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.tasks.windows import bounds, in_windows, within_limit


@given(st.integers(1, 400), st.integers(8, 60), st.integers(0, 80))
def test_windows_cover_all_share_enough_and_are_no_longer_than_said(length: int, size: int, overlap: int) -> None:
    found = bounds(length, size, overlap)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert {end - start for start, end in found} == {min(length, size)}
    for (_, end), (start, _) in pairwise(found):
        assert end - start >= min(overlap, size // 2) - 1  # even spreading rounds by less than one position
    assert len(found) == len(set(found))


@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), st.integers(8, 20), st.integers(0, 10))
def test_every_position_of_every_text_finds_its_own_state(lengths: list[int], size: int, overlap: int) -> None:
    """A stand-in for an encoder gives each position its id as state, so putting together must give the ids back."""
    texts, first = [], 1
    for length in lengths:
        texts.append(list(range(first, first + length)))
        first += length
    batch = in_windows(texts, size, overlap)
    whole_BTH = batch.whole(batch.rows_RW.unsqueeze(2))
    assert batch.lengths_B.tolist() == lengths
    for row, text in zip(whole_BTH.squeeze(2).tolist(), texts, strict=True):
        assert row[: len(text)] == text
    assert batch.rows_RW.shape[1] <= size
    assert batch.widths_R.min() >= 1


def test_a_position_is_read_where_it_has_context_on_both_sides() -> None:
    """Of 20 positions in windows of 12 that share 4, the seam is in the middle of what is shared."""
    batch = in_windows([list(range(20))], 12, 4)
    assert bounds(20, 12, 4) == [(0, 12), (8, 20)]
    rows = batch.places_BT[0] // batch.rows_RW.shape[1]
    assert rows.tolist() == [0] * 10 + [1] * 10


def test_without_long_texts_nothing_is_moved() -> None:
    states_RWH = torch.randn(2, 3, 4)
    assert in_windows([[1, 2, 3], [4]], 8, 2).whole(states_RWH) is states_RWH


@pytest.mark.parametrize(
    ("length", "limit", "wanted"), [(3, 8, "012"), (8, 8, "01234567"), (9, 8, "01235678"), (5, 3, "014")]
)
def test_beyond_the_limit_both_ends_are_read(length: int, limit: int, wanted: str) -> None:
    assert "".join(within_limit([str(n) for n in range(length)], limit)) == wanted
