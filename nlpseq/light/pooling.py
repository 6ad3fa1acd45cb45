"""From the states of a text to one vector, on NumPy: the twin of `nn/pooling.py`, which says what each pooling is.

Axes: B texts, T positions, H state features, P pooled features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlpseq.config import PoolingKind
from nlpseq.light.arrays import Array, mask_of, softmax
from nlpseq.light.linear import Linear
from nlpseq.light.recurrent import last_states
from nlpseq.light.weights import Weights


class Pooling:
    """One or several poolings side by side: (B, T, H) -> (B, P), where P is H times their number."""

    def __init__(
        self, weights: Weights, name: str, kinds: Sequence[PoolingKind], width: int, *, bidirectional: bool
    ) -> None:
        self.kinds, self.bidirectional = tuple(kinds), bidirectional
        self.output_width = width * len(self.kinds)
        attends = "attention" in self.kinds
        self.attention = Linear(weights, f"{name}.attention.0", width, width, bias=False) if attends else None
        self.query = Linear(weights, f"{name}.query", width, 1, bias=False) if attends else None

    def __call__(self, states_BTH: Array, lengths_B: Array) -> Array:
        """The pooled vectors (B, P)."""
        mask_BT = mask_of(lengths_B, states_BTH.shape[1])
        return np.concatenate([self._pooled(kind, states_BTH, lengths_B, mask_BT) for kind in self.kinds], axis=1)

    def _pooled(self, kind: PoolingKind, states_BTH: Array, lengths_B: Array, mask_BT: Array) -> Array:
        if kind == "last":
            return last_states(states_BTH, lengths_B, bidirectional=self.bidirectional)
        true_BTH = np.where(mask_BT[:, :, None], states_BTH, np.float32(-np.inf if kind == "max" else 0))
        if kind == "mean":
            mean_BH: Array = true_BTH.sum(1) / lengths_B[:, None].astype(np.float32)
            return mean_BH
        if kind == "max":
            highest_BH: Array = true_BTH.max(1)
            return highest_BH
        attended_BH: Array = (true_BTH * self.attention_weights(states_BTH, mask_BT)[:, :, None]).sum(1)
        return attended_BH

    def attention_weights(self, states_BTH: Array, mask_BT: Array) -> Array:
        """How much each position counts (B, T): sums to 1 over the true ones, 0 elsewhere."""
        assert self.attention is not None, "only where attention is among the kinds"
        assert self.query is not None
        energies_BT = self.query(np.tanh(self.attention(states_BTH))).squeeze(2)
        return softmax(np.where(mask_BT, energies_BT, np.float32(-np.inf)))
