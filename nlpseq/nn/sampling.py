"""Drawing the next unit from a distribution. Axes: V units."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from nlpseq.config import Section

LEAST_TEMPERATURE = 1e-30  # by which differences of log-probabilities can still be divided


class SamplingConfig(Section, frozen=True):
    """How the next unit is chosen."""

    temperature: Annotated[
        float, Meta(ge=0, description="below 1 the likely becomes likelier, above 1 less so; 0: always the likeliest")
    ] = 0.8
    top_k: Annotated[int, Meta(ge=0, description="only the K likeliest units are drawn from; 0: all")] = 0
    top_p: Annotated[
        float,
        Meta(ge=0.001, le=1, description="only the likeliest units, as few as have this probability together; 1: all"),
    ] = 0.95


def tempered(log_V: Tensor, config: SamplingConfig) -> Tensor:
    """The probabilities (V) that are drawn from: tempered first, then cut to top-k, then to top-p; they sum to 1.

    Top-p is nucleus sampling (Holtzman et al. 2020); the unit with which the sum reaches `top_p` is kept. `log_V` need
    not be normalised; what is -inf stays impossible.
    """
    if config.temperature == 0:
        return torch.nn.functional.one_hot(log_V.argmax(), len(log_V)).to(log_V.dtype)
    log_V = (log_V - log_V.max()) / max(config.temperature, LEAST_TEMPERATURE)
    likely_V, order_V = log_V.softmax(0).sort(descending=True, stable=True)
    if config.top_k:
        likely_V[config.top_k :] = 0
        likely_V /= likely_V.sum()
    if config.top_p < 1:
        before_V = likely_V.cumsum(0) - likely_V
        likely_V[before_V >= config.top_p] = 0
    return torch.zeros_like(likely_V).scatter_(0, order_V, likely_V / likely_V.sum())


def draw(log_V: Tensor, config: SamplingConfig, chance: torch.Generator) -> int:
    """One unit. The same state of `chance` draws the same."""
    if config.temperature == 0:
        return int(log_V.argmax())
    return int(torch.multinomial(tempered(log_V, config), 1, generator=chance))
