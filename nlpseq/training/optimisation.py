"""The optimiser, its schedule, clipping, and the moving average of the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from nlpseq.config import TrainingConfig

_LAYER = re.compile(r"(encoder|forwards|backwards)\.layers\.(\d+)(?=\.|$)")  # the latter of a language model
_EMBEDDINGS = frozenset({"embedding", "vectors"})  # the latter of a translator


def build_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW or SGD with Nesterov momentum over all trainable weights, in groups by decay and by depth.

    Weight decay falls on matrices alone: not on embeddings, biases or the scores of a CRF. Depths are told apart where
    the settings make a difference between them.
    """
    kinds: dict[tuple[int, bool], list[Tensor]] = {(0, True): [], (0, False): []}
    layered = config.layer_decay < 1 or config.unfreeze
    for path, module in network.named_modules():
        depth = depth_of(path, network) if layered else 0
        for name, weight in module.named_parameters(recurse=False):
            if weight.requires_grad:
                matrix = weight.dim() > 1 and name.startswith("weight") and not isinstance(module, nn.Embedding)
                kinds.setdefault((depth, matrix), []).append(weight)
    groups = [
        {"params": weights, "weight_decay": config.weight_decay if decayed else 0.0, "depth": depth}
        for (depth, decayed), weights in kinds.items()
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True)


def depth_of(path: str, network: nn.Module) -> int:
    """How far below the top a module lies: 0 for heads, softmax and decoder, 1 for the last layer of the encoder or of
    either direction of a language model, and so on down to the vectors of words or pieces, which a decoder shares.
    """
    layers = {int(found[2]) for name, _ in network.named_modules() if (found := _LAYER.match(name))}
    own = _LAYER.match(path)
    if own:
        return len(layers) - int(own[2])
    return len(layers) + 1 if path.split(".")[0] in _EMBEDDINGS else 0


def part_of_rate(depth: int, epoch: int, config: TrainingConfig) -> float:
    """What a layer's rate is multiplied by: less at depth, nothing as long as it is frozen (Howard & Ruder 2018).

    A rate of nothing leaves weights as they are.
    """
    return 0.0 if epoch < depth * config.unfreeze else config.layer_decay**depth


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
    learnt = [weight for weight in weights if weight.grad is not None]
    norm = nn.utils.get_total_norm([weight.grad for weight in learnt if weight.grad is not None], foreach=True)
    small = norm.device.type == "cpu" and float(norm) <= limit  # a GPU would have to be waited for
    if limit and not small:
        nn.utils.clip_grads_with_norm_(learnt, limit, norm, foreach=True)
    return norm


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
