"""Dropout for sequences. Axes: B sentences, T positions, D features."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class VariationalDropout(nn.Module):
    """One mask for all positions of a sentence (Gal & Ghahramani 2016, section 4)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, inputs_BTD: Tensor) -> Tensor:
        """The inputs with whole features of a sentence set to zero, the others scaled up; in evaluation unchanged."""
        if not self.training or self.probability == 0:
            return inputs_BTD
        keep = 1 - self.probability
        mask_B1D = torch.empty_like(inputs_BTD[:, :1]).bernoulli_(keep).div_(keep)
        return inputs_BTD * mask_B1D
