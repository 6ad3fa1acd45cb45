"""Long texts in windows: each is read by itself, and their states are put together again, so that nothing is cut.

Axes: R windows (rows of a batch), W positions of a window, B texts, T positions of a text, H state features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeVar

import torch
from msgspec import Meta
from torch import Tensor

from nlpseq.batching import pad
from nlpseq.config import Section

Item = TypeVar("Item")


class WindowsConfig(Section, frozen=True):
    """How long texts are read."""

    size: Annotated[
        int, Meta(ge=8, description="tokens that the encoder reads in one go; longer texts are read in windows")
    ] = 400
    overlap: Annotated[
        int, Meta(ge=0, description="tokens that neighbouring windows share, at least, so that seams have context")
    ] = 40
    text_limit: Annotated[
        int,
        Meta(ge=8, description="tokens of a text that are read; of a longer one its two ends, and the answer says so"),
    ] = 20_000


class Windowed(NamedTuple):
    """Texts as rows of windows.

    `rows_RW` has what stands at each position of each window, `widths_R` how much of it is true. `places_BT` says at
    which flat position of (R, W) the state of each position of each text is found; padding is 0. `lengths_B` are of
    whole texts, at least 1.
    """

    rows_RW: Tensor
    widths_R: Tensor
    places_BT: Tensor
    lengths_B: Tensor

    def whole(self, states_RWH: Tensor) -> Tensor:
        """The states (B, T, H) of whole texts, from those of the windows."""
        if self.places_BT.shape == states_RWH.shape[:2] and len(self.widths_R) == len(self.lengths_B):
            return states_RWH  # no text has two windows
        flat_NH = states_RWH.flatten(0, 1)
        return flat_NH[self.places_BT.to(flat_NH.device)]


def bounds(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Start and end of the windows over `length` positions, evenly spread, each sharing `overlap` with the next.

    Each has `size` positions, or `length` where that is less. Sharing is at most half a window.
    """
    if length <= size:
        return [(0, length)]
    step = size - min(overlap, size // 2)
    count = -(-(length - size) // step) + 1
    starts = [round(index * (length - size) / (count - 1)) for index in range(count)]
    return [(start, start + size) for start in starts]


def in_windows(texts: Sequence[Sequence[int]], size: int, overlap: int) -> Windowed:
    """Texts of ids (none of them empty) as windows. Where two windows share positions, each gives the nearer half."""
    rows: list[Sequence[int]] = []
    cuts = [bounds(len(text), size, overlap) for text in texts]
    width = max((end - start for cut in cuts for start, end in cut), default=0)
    places: list[list[int]] = []
    for text, cut in zip(texts, cuts, strict=True):
        seams = [0, *((left[1] + right[0]) // 2 for left, right in pairwise(cut)), len(text)]
        place: list[int] = []
        for (start, end), first, last in zip(cut, seams, seams[1:], strict=False):
            at = len(rows) * width - start
            place += range(at + first, at + last)
            rows.append(text[start:end])
        places.append(place)
    widths_R, lengths_B = torch.tensor([len(row) for row in rows]), torch.tensor([len(text) for text in texts])
    return Windowed(pad(rows), widths_R, pad(places), lengths_B)


def within_limit(tokens: Sequence[Item], limit: int) -> Sequence[Item]:
    """The tokens (or what belongs to each), or where they are more than `limit`, that many from their two ends."""
    if len(tokens) <= limit:
        return tokens
    half = limit // 2
    return [*tokens[: limit - half], *tokens[len(tokens) - half :]]
