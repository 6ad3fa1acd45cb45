from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.tasks.language_streams import ID, NO_TARGET, Reading, Streams, Stretch, joined, on_disk


@given(st.integers(2, 200), st.integers(1, 7), st.integers(1, 12), st.data())
def test_every_token_is_foretold_once_and_streams_go_on(
    count: int, streams: int, length: int, data: st.DataObject
) -> None:
    ids = np.arange(count, dtype=ID)
    offset = data.draw(st.integers(0, length - 1))
    batches = list(Streams(ids, streams, length, offset=offset, backwards=True))
    foretold = sorted(int(token) for batch in batches for stretch in batch for token in stretch.ids[1:])
    assert foretold == list(range(1, count))
    backwards = sorted(int(token) for batch in batches for stretch in batch for token in stretch.backwards[1:])
    assert backwards == list(range(count - 1))
    for stream in range(streams):
        own = [batch[stream] for batch in batches]
        assert [stretch.begins for stretch in own] == [True, *[False] * (len(own) - 1)]
        for one, other in pairwise(own):
            assert one.ids[-1] == other.ids[0]  # what was last foretold is what is read next
        assert all(len(stretch.ids) - 1 <= length for stretch in own)
        for stretch in own:
            assert (np.diff(stretch.ids) == 1).all()
            assert (np.diff(stretch.backwards) == -1).all()


def test_streams_are_a_sequence() -> None:
    streams = Streams(np.arange(20, dtype=ID), 2, 4)
    assert [list(map(len, (stretch.ids for stretch in batch))) for batch in streams] == [[5, 5], [5, 5], [3, 2]]
    assert len(streams[1:]) == 2
    with pytest.raises(IndexError):
        streams[3]


def test_a_reading_is_padded_and_its_targets_are_within_the_vocabulary() -> None:
    reading = Reading.of([np.array([2, 9, 4, 2], dtype=ID), np.array([2, 5], dtype=ID)], 6)
    assert reading.inputs_BT.tolist() == [[2, 9, 4], [2, 0, 0]]
    assert reading.targets_BT.tolist() == [[1, 4, 2], [5, NO_TARGET, NO_TARGET]]
    assert reading.foretold == 4


def test_lines_are_joined_at_their_ends_in_memory_and_on_disk(tmp_path: Path) -> None:
    lines = [Stretch(np.array(ids, dtype=ID)) for ids in ([2, 7, 8, 2], [2, 9, 2], [2, 5, 5, 5, 2])]
    wanted = [2, 7, 8, 2, 9, 2, 5, 5, 5, 2]
    assert joined(lines).tolist() == wanted
    kept = on_disk(iter(lines), tmp_path / "deep" / "tokens")
    assert isinstance(kept.ids, np.memmap)  # so that it may be larger than memory
    assert joined([kept]).tolist() == wanted
    assert on_disk(iter(lines[:1]), tmp_path / "deep" / "tokens").ids.tolist() == [2, 7, 8, 2]
