"""Drawing the next unit from a distribution. Axes: V units, L likely ones."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

from nlpseq.config import Section
from nlpseq.light.arrays import softmax
from nlpseq.writing.memory import Array

LEAST_TEMPERATURE = 1e-30  # by which differences of log-probabilities can still be divided
FEW = 512  # units that are put in order at first: they mostly have all the probability that is asked for


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


def tempered(log_V: Array, config: SamplingConfig) -> Array:
    """The probabilities (V, float64) that are drawn from: tempered first, then cut to top-k, then to top-p; they sum to
    1.

    Top-p is nucleus sampling (Holtzman et al. 2020); the unit with which the sum reaches `top_p` is kept. `log_V` need
    not be normalised; what is -inf stays impossible.
    """
    alone_V = np.zeros(len(log_V))
    if config.temperature == 0:
        alone_V[log_V.argmax()] = 1
        return alone_V
    log_V = log_V.astype(np.float64)
    likely_V = softmax((log_V - log_V.max()) / max(config.temperature, LEAST_TEMPERATURE))
    if not config.top_k and config.top_p == 1:
        return likely_V
    kept_L = _kept(likely_V, config)
    alone_V[kept_L] = likely_V[kept_L]
    result_V: Array = alone_V / alone_V.sum()
    return result_V


def _kept(likely_V: Array, config: SamplingConfig) -> Array:
    """The ids (L) that the cuts leave, likeliest first."""
    count = config.top_k or FEW
    while True:
        first_L = highest(likely_V, count)
        share_L = likely_V[first_L] / (likely_V[first_L].sum() if config.top_k else 1)
        before_L = share_L.cumsum() - share_L
        if config.top_k or before_L[-1] >= config.top_p or len(first_L) == len(likely_V):
            return first_L if config.top_p == 1 else first_L[before_L < config.top_p]
        count *= 8


def highest(likely_V: Array, count: int) -> Array:
    """The ids of the `count` highest numbers, or of all, highest first."""
    costs_V = -likely_V
    first_L = np.arange(len(costs_V)) if count >= len(costs_V) else np.sort(np.argpartition(costs_V, count)[:count])
    ordered_L: Array = first_L[np.argsort(costs_V[first_L], kind="stable")]
    return ordered_L


def draw(log_V: Array, config: SamplingConfig, chance: np.random.Generator) -> int:
    """One unit. The same state of `chance` draws the same."""
    if config.temperature == 0:
        return int(log_V.argmax())
    possible = np.flatnonzero(likely_V := tempered(log_V, config))
    sums = likely_V[possible].cumsum()
    place = np.searchsorted(sums, chance.random() * sums[-1], side="right")
    return int(possible[min(place, len(possible) - 1)])
