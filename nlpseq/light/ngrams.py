"""The linear model of runs of words on NumPy: the twin of `nn/ngrams.py`, which says what it is.

Axes: N runs of all texts that are known, B texts, V runs that are known, K labels of all schemes.
"""

from __future__ import annotations

import numpy as np

from nlpseq.light.arrays import Array
from nlpseq.light.weights import Weights

BLOCK = 256


class NgramScores:
    """A weight for each known run and label."""

    def __init__(self, weights: Weights, name: str, runs: int, labels: int, *, eight_bit: bool) -> None:
        self.labels = labels
        self.known_V = weights.whole_numbers(f"{name}.known_V", runs)
        self.table = weights.table(f"{name}.weight", -(-runs * labels // BLOCK), BLOCK, eight_bit=eight_bit)

    def __call__(self, places_N: Array, counts_B: Array) -> Array:
        """Scores (B, K) of texts that have so many of the runs, which stand at these places of `known_V`."""
        found_NK = self.table.single(places_N[:, None] * self.labels + np.arange(self.labels))
        sums_BK = np.zeros((len(counts_B), self.labels), dtype=np.float32)
        np.add.at(sums_BK, np.repeat(np.arange(len(counts_B)), counts_B), found_NK)
        scores_BK: Array = sums_BK / np.sqrt(counts_B.clip(1).astype(np.float32))[:, None]
        return scores_BK
