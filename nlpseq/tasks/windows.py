"""Long texts in windows: each is read by itself, and their states are put together again, so that nothing is cut.

Axes: R windows (rows of a batch), W positions of a window, B texts, T positions of a text, H state features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nlpseq.batching import pad
from nlpseq.text.lengths import bounds, cut_in_windows, within_limit

__all__ = ["Windowed", "bounds", "in_windows", "within_limit"]


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


def in_windows(texts: Sequence[Sequence[int]], size: int, overlap: int) -> Windowed:
    """Texts of ids (none of them empty) as windows. Where two windows share positions, each gives the nearer half."""
    rows, places = cut_in_windows(texts, size, overlap)
    widths_R, lengths_B = torch.tensor([len(row) for row in rows]), torch.tensor([len(text) for text in texts])
    return Windowed(pad(rows), widths_R, pad(places), lengths_B)
