"""From the states of a text to one vector. Axes: B texts, T positions, H state features, P pooled features.

Every pooling sees true positions alone: what stands at padded ones changes nothing. States in bfloat16 are looked at as
they are, with weights that are rounded to it; sums and shares are float32 all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nlpseq.batching import mask_of
from nlpseq.config import PoolingKind
from nlpseq.nn.recurrent import last_states

PART, MOST = 128, 16  # rows of a product in few bits, and how many such parts are multiplied at once


class Pooling(nn.Module):
    """One or several poolings side by side: (B, T, H) -> (B, P), where P is H times their number.

    - last: the forward state of the last position and, of two directions, the backward state of the first
    - mean, max: over positions
    - attention: a mean weighted by softmax(v · tanh(W h)) (Yang et al. 2016, section 2.2, without the bias)
    """

    def __init__(self, kinds: Sequence[PoolingKind], width: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.kinds, self.bidirectional = tuple(kinds), bidirectional
        self.output_width = width * len(self.kinds)
        attends = "attention" in self.kinds
        self.attention = nn.Sequential(nn.Linear(width, width, bias=False), nn.Tanh()) if attends else None
        self.query = nn.Linear(width, 1, bias=False) if attends else None

    def forward(self, states_BTH: Tensor, lengths_B: Tensor) -> Tensor:
        """The pooled vectors (B, P). `lengths_B` (int64) are at least 1."""
        mask_BT = mask_of(lengths_B, states_BTH.shape[1])
        return torch.cat([self._pooled(kind, states_BTH, lengths_B, mask_BT) for kind in self.kinds], dim=1)

    def _pooled(self, kind: PoolingKind, states_BTH: Tensor, lengths_B: Tensor, mask_BT: Tensor) -> Tensor:
        outside_BT1 = ~mask_BT.unsqueeze(2)
        if kind == "last":
            return last_states(states_BTH, lengths_B, bidirectional=self.bidirectional)
        if kind == "mean":
            sums_BH = states_BTH.masked_fill(outside_BT1, 0.0).sum(1, dtype=_fine(states_BTH.dtype))
            return (sums_BH / lengths_B[:, None]).to(states_BTH.dtype)
        if kind == "max":
            return states_BTH.masked_fill(outside_BT1, -torch.inf).amax(1)
        fine = _fine(states_BTH.dtype)
        weights_B1T = self.attention_weights(states_BTH, mask_BT).unsqueeze(1)
        means_B1H = torch.bmm(weights_B1T, states_BTH.masked_fill(outside_BT1, 0.0).to(fine))
        return means_B1H.squeeze(1).to(states_BTH.dtype)

    def attention_weights(self, states_BTH: Tensor, mask_BT: Tensor) -> Tensor:
        """How much each position counts (B, T): sums to 1 over the true ones, 0 elsewhere."""
        assert self.attention is not None, "only where attention is among the kinds"
        assert self.query is not None
        kind = states_BTH.dtype
        if kind == self.query.weight.dtype:
            energies_BT = self.query(self.attention(states_BTH)).squeeze(2)
        else:
            (inner_HH,) = self.attention.parameters()
            inner_BTH = torch.tanh(_product(states_BTH.flatten(0, 1), inner_HH.to(kind))).view_as(states_BTH)
            energies_BT = torch.matmul(inner_BTH.to(_fine(kind)), self.query.weight[0])
        weights_BT: Tensor = energies_BT.masked_fill(~mask_BT, -torch.inf).softmax(1)
        return weights_BT


def _product(rows_MH: Tensor, weight_HH: Tensor) -> Tensor:
    """The product with the transposed weight, in parts of few sizes: oneDNN makes a kernel for each, and keeps it."""
    padded_MH = nn.functional.pad(rows_MH, (0, 0, 0, -len(rows_MH) % PART))
    parts = [torch.mm(part_PH, weight_HH.T) for part_PH in torch.split(padded_MH, MOST * PART)]
    return torch.cat(parts)[: len(rows_MH)]


def _fine(kind: torch.dtype) -> torch.dtype:
    """What sums of such numbers are made in: float32, or what is finer still."""
    return torch.promote_types(kind, torch.float32)
