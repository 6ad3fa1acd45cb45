"""The likeliest ways to complete a sequence, found for certain: best-first search over a step function.

A sequence's probability only falls as it grows; so what is complete with a higher one than all that still grows cannot
be overtaken. The search knows no model and is tested on a table drawn by hand.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple, TypeVar

S = TypeVar("S")


class Grown(NamedTuple):
    """What a step says of one sequence: log p (nats) of being complete, and of each unit that may come next."""

    complete: float
    following: Sequence[tuple[int, float]]


Step = Callable[[Sequence[tuple[tuple[int, ...], S]]], Sequence[tuple[Grown, S]]]


class Completion(NamedTuple):
    """A complete sequence and its log-probability (nats)."""

    ids: tuple[int, ...]
    log_probability: float


def complete(
    step: Step[S], first: Sequence[tuple[int, float]], state: S, wanted: int, *, width: int = 16, longest: int = 24,
    limit: int = 4000,
) -> list[Completion]:  # fmt: skip
    """The `wanted` likeliest complete sequences, best first; fewer where there are no more.

    `first` are the units that may begin one, with their log-probabilities. A step is given sequences, each with the
    state before its last unit, `width` of them at once, and returns what follows, with the state after it. Sequences
    of more than `longest` units are given up, and all is after `limit` of them have been looked at: then what was found
    is the best that was met.
    """
    tie = count()  # so that states are never compared
    growing: list[tuple[float, int, tuple[int, ...], S]] = [(-log, next(tie), (unit,), state) for unit, log in first]
    heapq.heapify(growing)
    found: list[Completion] = []
    looked = 0
    while growing and looked < limit and not _settled(found, -growing[0][0], wanted):
        taken = [heapq.heappop(growing) for _ in range(min(width, len(growing)))]
        looked += len(taken)
        grown = step([(ids, before) for _, _, ids, before in taken])
        for (cost, _, ids, _), (says, after) in zip(taken, grown, strict=True):
            found.append(Completion(ids, says.complete - cost))
            if len(ids) < longest:
                for unit, log in says.following:
                    heapq.heappush(growing, (cost - log, next(tie), (*ids, unit), after))
        found = heapq.nlargest(wanted, found, key=lambda one: one.log_probability)
    return [one for one in found if one.log_probability > float("-inf")]


def _settled(found: Sequence[Completion], best: float, wanted: int) -> bool:
    return len(found) >= wanted and found[-1].log_probability >= best
