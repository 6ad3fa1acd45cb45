"""What a search finds, whatever it searches with."""

from __future__ import annotations

from typing import NamedTuple


class Hypothesis(NamedTuple):
    """A finished sequence without its end: the sum of its log-probabilities (nats), the end's included, and its rank.

    `score` is the sum normalised by length, by which hypotheses are ordered. `capped` says that the end was forced by
    the cap on length, `guarded` that the guard against loops kept the model from its first choice.
    """

    ids: tuple[int, ...]
    total: float
    score: float
    capped: bool
    guarded: bool
