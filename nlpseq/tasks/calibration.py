"""One temperature a head, so that a probability of 0.8 is right eight times in ten (Guo et al. 2017, section 4.2), and
how much one model counts beside another.

Axes: N examples, K labels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOWEST, HIGHEST = 0.25, 10.0  # a model that errs nowhere on a small dev set would ask for no doubt at all
SHARES, USUAL_SHARE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0), 0.3
FEW = 100  # examples, of fewer than which a share would be chance
STEPS = 60  # of golden-section search: the bracket shrinks to 1e-12 of its width


def fit_temperature(logits_NK: Tensor, gold_N: Tensor) -> float:
    """The temperature that makes the gold labels most likely when logits are divided by it; 1 where there are none.

    The loss is convex in the inverse of the temperature, so a golden-section search finds its one minimum.
    """
    if not len(gold_N):
        return 1.0
    logits_NK = logits_NK.double()

    def loss(inverse: float) -> float:
        return float(nn.functional.cross_entropy(logits_NK * inverse, gold_N))

    low, high, ratio = 1 / HIGHEST, 1 / LOWEST, (math.sqrt(5) - 1) / 2
    for _ in range(STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return round(2 / (low + high), 4)


def fit_share(logits_NK: Tensor, others_NK: Tensor, gold_N: Tensor) -> float:
    """How much others' logits have to count beside such ones, for the gold labels to be most likely at the best
    temperature (stacking: Wolpert 1992): one of SHARES; of few examples the usual one.
    """
    if len(gold_N) < FEW:
        return USUAL_SHARE

    def loss(share: float) -> float:
        logits = logits_NK + share * others_NK
        return float(nn.functional.cross_entropy(logits.double() / fit_temperature(logits, gold_N), gold_N))

    return min(SHARES, key=loss)


def softened(logits_NK: Tensor, temperature: float) -> Tensor:
    """Probabilities (N, K) at a temperature."""
    return torch.softmax(logits_NK / temperature, dim=1)
