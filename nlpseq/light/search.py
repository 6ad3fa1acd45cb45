"""Greedy and beam search for one sentence on NumPy: the twin of `nn/search.py`, which searches for many at once.

Axes: K hypotheses, V pieces. The search knows no model, but a step function and the state that it hands on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Self, TypeVar

import numpy as np

from nlpseq.config import SearchConfig
from nlpseq.light.arrays import Array
from nlpseq.text.hypothesis import Hypothesis

IMPOSSIBLE = -np.inf


class State(Protocol):
    """What a step function remembers of K hypotheses."""

    def of(self, rows: Sequence[int]) -> Self:
        """The memory of these hypotheses, in this order."""


S = TypeVar("S", bound=State)
Step = Callable[[Sequence[int], S], tuple[Array, S]]  # last pieces (K), state -> log-probabilities (K, V), state


class Live(NamedTuple):
    """A hypothesis that is still growing: its pieces, their sum, and whether the guard has turned it aside."""

    ids: tuple[int, ...]
    total: float
    guarded: bool = False


class Candidate(NamedTuple):
    """A continuation: its sum, the place of the hypothesis that it continues, and the piece."""

    total: float
    parent: int
    piece: int


def beam_search(
    step: Step[S],
    state: S,
    cap: int,
    *,
    begin: int,
    end: int,
    config: SearchConfig,
    never: Sequence[int] = (),
    wanted: int = 1,
) -> list[Hypothesis]:
    """The best finished hypotheses, at most `beam_size`, best first; see `nn.search.beam_search`.

    `cap` is the longest length, the end counted, at least 1. What `step` returns is overwritten.
    """
    beam, live, found = config.beam_size, [Live((), 0.0)], list[Hypothesis]()
    for length in range(1, cap + 1):
        scores_KV, state = step([one.ids[-1] if one.ids else begin for one in live], state)
        scores_KV[:, [*never, begin]] = IMPOSSIBLE
        if length == 1 and length < cap:
            scores_KV[:, end] = IMPOSSIBLE
        size = config.no_repeat_ngram_size
        guarded = [
            _guard(scores_V, one.ids, size) or one.guarded for scores_V, one in zip(scores_KV, live, strict=True)
        ]
        capped = _cap(scores_KV, end) if length == cap else [False] * len(live)
        best = _candidates(scores_KV, live, beam)
        for total, parent, piece in best[:beam]:
            if piece == end:
                score = total / _norm(length, config)
                found.append(Hypothesis(live[parent].ids, total, score, capped[parent], guarded[parent]))
        found = sorted(found, key=lambda one: -one.score)[:beam]
        grown = [one for one in best if one.piece != end][:beam]
        if config.beam_threshold and wanted == 1:
            as_good = [one.score * _norm(length, config) for one in found]
            highest = np.float32(max([*(one.total for one in grown), *as_good], default=0))
            grown = [one for one in grown if one.total >= highest - config.beam_threshold]
        live = [Live((*live[parent].ids, piece), total, guarded[parent]) for total, parent, piece in grown]
        if not live or _done(live[0].total, found, length, cap, wanted, config):
            break
        state = state.of([one.parent for one in grown])
    return found


def _norm(length: int, config: SearchConfig) -> float:
    """What a sum over so many pieces is divided by."""
    return float(((5 + length) / 6) ** config.length_penalty)


def _guard(scores_V: Array, ids: tuple[int, ...], size: int) -> bool:
    """Makes pieces impossible that would repeat a sequence of `size`; True where the first choice was one."""
    if not size or len(ids) < size:
        return False
    recent = ids[len(ids) - size + 1 :]
    starts = range(len(ids) - size + 1)
    repeats = [ids[start + size - 1] for start in starts if ids[start : start + size - 1] == recent]
    if not repeats:
        return False
    blocked = scores_V[repeats].max()
    scores_V[repeats] = IMPOSSIBLE
    return bool(blocked > scores_V.max())


def _cap(scores_KV: Array, end: int) -> list[bool]:
    """Lets the end alone be possible; True for each hypothesis that would have gone on."""
    ends_K = scores_KV[:, end].copy()
    capped_K = scores_KV.max(1) > ends_K
    scores_KV[:] = IMPOSSIBLE
    scores_KV[:, end] = ends_K
    forced: list[bool] = capped_K.tolist()
    return forced


def _candidates(scores_KV: Array, live: Sequence[Live], beam: int) -> list[Candidate]:
    """The best 2K continuations that are possible, best first."""
    totals_K1 = np.array([[one.total] for one in live], dtype=np.float32)
    pieces_KP = _best(scores_KV, beam + 1)  # one hypothesis gives at most its end and `beam` growing ones
    totals_X = (totals_K1 + np.take_along_axis(scores_KV, pieces_KP, 1)).ravel()
    places = _best(totals_X[None], 2 * beam)[0]
    width = pieces_KP.shape[1]
    found = (Candidate(float(totals_X[x]), int(x) // width, int(pieces_KP.flat[x])) for x in places)
    return [one for one in found if one.total > IMPOSSIBLE]


def _best(scores_KV: Array, count: int) -> Array:
    """The places (K, count) of the highest scores of each row, highest first; fewer where there are no more."""
    count = min(count, scores_KV.shape[1])
    places_KC = np.argpartition(-scores_KV, count - 1, axis=1)[:, :count]
    order_KC = np.argsort(-np.take_along_axis(scores_KV, places_KC, 1), axis=1, kind="stable")
    ordered_KC: Array = np.take_along_axis(places_KC, order_KC, 1)
    return ordered_KC


def _done(best: float, found: Sequence[Hypothesis], length: int, cap: int, wanted: int, config: SearchConfig) -> bool:
    """Whether no growing hypothesis, of which the best has the sum `best`, can come before the `wanted` best."""
    place = min(wanted, config.beam_size) - 1
    worst = found[place].score if place < len(found) else IMPOSSIBLE
    full = len(found) == config.beam_size
    return worst >= best / _norm(cap, config) or (full and worst >= best / _norm(length, config))
