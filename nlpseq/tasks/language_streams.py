"""A long text as contiguous streams that are read side by side, and the file that its tokens are kept in.

Axes: B streams, T positions of a stretch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from nlpseq.text.vocab import UNKNOWN

NO_TARGET = -1
ID = np.int32

Ids = np.ndarray[tuple[int], np.dtype[Any]]


class Stretch(NamedTuple):
    """Some tokens in a row, T + 1 of them: each but the last is read, each but the first is to be foretold.

    `backwards` are as many of the same stream read from its end, where a second model does so. `begins` says that
    nothing was read before; otherwise the states that the stretch before it left are to be taken up.
    """

    ids: Ids
    backwards: Ids | None = None
    begins: bool = True


class Reading(NamedTuple):
    """What one model reads (B, T), and what follows each (B, T), or NO_TARGET behind the end of a row."""

    inputs_BT: Tensor
    targets_BT: Tensor

    @classmethod
    def of(cls, rows: Sequence[Ids], size: int) -> Reading:
        """Stretches side by side. What has an id of `size` or above can be read, and is UNKNOWN as a target."""
        shape = len(rows), max(map(len, rows)) - 1
        inputs_BT, targets_BT = np.zeros(shape, np.int64), np.full(shape, NO_TARGET, np.int64)
        for index, row in enumerate(rows):
            inputs_BT[index, : len(row) - 1], targets_BT[index, : len(row) - 1] = row[:-1], row[1:]
        targets_BT[targets_BT >= size] = UNKNOWN
        return cls(torch.from_numpy(inputs_BT), torch.from_numpy(targets_BT))

    @property
    def foretold(self) -> int:
        """Number of targets."""
        return int((self.targets_BT != NO_TARGET).sum())


class Streams(Sequence[list[Stretch]]):
    """A text cut into so many equal `streams`, batch k being their k-th stretches of `length` tokens each.

    Every token is read once; the last stretch of a stream may be shorter, even empty. `offset` (less than `length`)
    makes the first stretch of all streams shorter, so that other epochs have other cuts.
    """

    def __init__(self, ids: Ids, streams: int, length: int, *, offset: int = 0, backwards: bool = False) -> None:
        self.ids, self.streams, self.length, self.offset = ids, streams, length, offset
        self.targets = len(ids) - 1
        self.share = -(-self.targets // streams)
        self.reversed = ids[::-1] if backwards else None

    def __len__(self) -> int:
        """Number of batches."""
        return -(-(self.share + self.offset) // self.length)

    @overload
    def __getitem__(self, index: int) -> list[Stretch]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[Stretch]]: ...
    def __getitem__(self, index: int | slice) -> list[Stretch] | list[list[Stretch]]:
        """The stretches of one batch, or of several."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        stretches = []
        for stream in range(self.streams):
            begin, end = self._place(stream, index * self.length), self._place(stream, (index + 1) * self.length)
            back = None if self.reversed is None else self.reversed[begin : end + 1]
            stretches.append(Stretch(self.ids[begin : end + 1], back, begins=index == 0))
        return stretches

    def _place(self, stream: int, at: int) -> int:
        """The token at which a stream stands when so many have gone by, the offset counted."""
        return min(stream * self.share + min(max(0, at - self.offset), self.share), self.targets)


def joined(stretches: Sequence[Stretch]) -> Ids:
    """The tokens of lines in a row; each begins with the token that ends the line before it, which is there once."""
    if len(stretches) == 1:
        return stretches[0].ids
    return np.concatenate([stretches[0].ids[:1], *(stretch.ids[1:] for stretch in stretches)])


def on_disk(stretches: Iterable[Stretch], path: Path) -> Stretch:
    """The same as one stretch, in a file that is mapped rather than read, so that it may be larger than memory.

    It lasts as long as the file does. There is at least one stretch.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for number, stretch in enumerate(stretches):
            out.write(stretch.ids[min(number, 1) :].astype(ID).tobytes())
    return Stretch(np.memmap(path, dtype=ID, mode="r"))
