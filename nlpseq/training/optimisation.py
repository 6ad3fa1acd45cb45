"""The optimiser, its schedule, clipping, and the moving average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from nlpseq.config import TrainingConfig


def build_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW or SGD with Nesterov momentum over all trainable weights.

    Weight decay falls on matrices alone: not on embeddings, biases or the scores of a CRF.
    """
    decayed: list[Tensor] = []
    others: list[Tensor] = []
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False):
            if weight.requires_grad:
                matrix = weight.dim() > 1 and name.startswith("weight") and not isinstance(module, nn.Embedding)
                (decayed if matrix else others).append(weight)
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True)


def rate_at(config: TrainingConfig, done: float) -> float:
    """The learning rate when the part `done` (0 to 1) of the run is over: linear warm-up, then the schedule."""
    if done < config.warmup:
        return config.learning_rate * (done + 1e-3) / (config.warmup + 1e-3)
    left = 1 - (min(done, 1.0) - config.warmup) / (1 - config.warmup)
    factor = {"constant": 1.0, "linear": left, "cosine": 0.5 - 0.5 * math.cos(math.pi * left)}[config.schedule]
    return config.learning_rate * max(factor, 1e-3)


def clip(weights: Iterable[Tensor], limit: float) -> Tensor:
    """Scales gradients down to the norm `limit` where theirs is larger (Pascanu et al. 2013); 0 changes nothing.

    Returns their norm before.
    """
    return nn.utils.clip_grad_norm_(weights, limit or math.inf, foreach=True)


class MovingAverage:
    """An exponential moving average of weights (Polyak & Juditsky 1992), short-sighted at the start of a run."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.live: list[Tensor] = [weight for weight in network.parameters() if weight.requires_grad]
        self.averages = [weight.detach().clone() for weight in self.live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves the averages towards the live weights after step `step` (from 1)."""
        decay = min(self.decay, step / (step + 10))
        torch._foreach_lerp_(self.averages, self.live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges averages and live weights; a second call puts them back."""
        for weight, average in zip(self.live, self.averages, strict=True):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)
