"""Greedy and beam search over a step function. Axes: N sentences, K hypotheses of each, V pieces, T pieces so far.

The search knows no model: a step is given the last piece of every hypothesis and a state, and gives what the scores of
the next pieces are made of, and the state after it. A score less the log sum of its row is a log-probability. All
sentences and hypotheses take a step together; sentences that are done leave the batch, some at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Self, TypeVar

import torch
from torch import Tensor

from nlpseq.config import SearchConfig
from nlpseq.text.hypothesis import Hypothesis

__all__ = ["Hypothesis", "SearchConfig", "State", "Step", "beam_search"]

IMPOSSIBLE = -torch.inf
BLOCK = 64  # pieces whose highest score is looked at first
BLOCKS = 4  # times as many blocks as are wanted, below which that is not worth it
ROWS = 256  # hypotheses whose scores are made and looked at together
LEAVE = 8  # times as many sentences as are done, above which these stay: to leave copies all that is remembered


class State(Protocol):
    """What a step function remembers of N sentences with K hypotheses each."""

    def of(self, rows: Tensor, sentences: Tensor | None) -> Self:
        """The memory of these hypotheses, in this order, of all sentences or of those named.

        `rows` (int64) count n * K + k over all N sentences; they come sentence by sentence.
        """


S = TypeVar("S", bound=State)
Step = Callable[[Tensor, S], tuple[Tensor, S]]  # last (N, K) int64, state -> features (N, K, F), state
Scores = Callable[[Tensor], tuple[Tensor, Tensor]]  # features (R, F) -> scores (R, V), their log sums (R)


class Live(NamedTuple):
    """The hypotheses that are still growing: their pieces (N, K, T) from the first, which begins a sequence, their
    sums (N, K), and which of them the guard has turned aside (N, K). The sum of one that is none is -inf.
    """

    ids_NKT: Tensor
    totals_NK: Tensor
    guarded_NK: Tensor

    @classmethod
    def first(cls, sentences: int, begin: int, device: torch.device) -> Live:
        """One hypothesis of each sentence, in which nothing is said yet."""
        ids_N11 = torch.full((sentences, 1, 1), begin, device=device)
        totals_N1 = torch.zeros((sentences, 1), device=device)
        return cls(ids_N11, totals_N1, torch.zeros_like(totals_N1, dtype=torch.bool))

    def of(self, sentences: Tensor) -> Live:
        """The hypotheses of these sentences alone."""
        return Live(*(part.index_select(0, sentences) for part in self))


class Finished(NamedTuple):
    """The best finished hypotheses of each sentence, best first; a place that is not taken has the score -inf."""

    scores_NK: Tensor
    totals_NK: Tensor
    lengths_NK: Tensor
    capped_NK: Tensor
    guarded_NK: Tensor
    ids_NKL: Tensor

    @classmethod
    def none(cls, sentences: int, beam: int, width: int, device: torch.device) -> Finished:
        """No hypothesis yet."""
        empty_NK = torch.full((sentences, beam), IMPOSSIBLE, device=device)
        zeros_NK = torch.zeros((sentences, beam), dtype=torch.int64, device=device)
        ids_NKL = torch.zeros((sentences, beam, width), dtype=torch.int64, device=device)
        return cls(empty_NK, empty_NK.clone(), zeros_NK, zeros_NK.bool(), zeros_NK.bool(), ids_NKL)

    def of(self, sentences: Tensor) -> Finished:
        """The hypotheses of these sentences alone."""
        return Finished(*(part.index_select(0, sentences) for part in self))

    def merged(self, others: Finished) -> Finished:
        """The best of both, as many as here."""
        both = [torch.cat(parts, dim=1) for parts in zip(self, others, strict=True)]
        scores_NK, places_NK = both[0].topk(self.scores_NK.shape[1], dim=1)
        return Finished(scores_NK, *(_taken(part, places_NK) for part in both[1:]))

    def put(self, sentences: Tensor, found: Finished) -> None:
        """Writes what was found for these sentences into their places here."""
        for place, part in zip(self, found, strict=True):
            place.index_copy_(0, sentences, part)

    def hypotheses(self) -> list[list[Hypothesis]]:
        """As lists, one a sentence."""
        rows = zip(*(part.tolist() for part in self), strict=True)
        return [[_hypothesis(*one) for one in zip(*row, strict=True) if one[0] > IMPOSSIBLE] for row in rows]


class Candidates(NamedTuple):
    """The best continuations of each sentence's hypotheses, best first: sum, hypothesis and piece of each (N, C)."""

    totals_NC: Tensor
    parents_NC: Tensor
    pieces_NC: Tensor


def beam_search(
    step: Step[S],
    scores: Scores,
    state: S,
    caps_N: Tensor,
    *,
    begin: int,
    end: int,
    config: SearchConfig,
    never: Sequence[int] = (),
    wanted: int = 1,
) -> list[list[Hypothesis]]:
    """The best finished hypotheses of each sentence, at most `beam_size`, best first; with a beam of 1, greedily.

    `state` is that of one hypothesis a sentence, before `begin` is read. `caps_N` (int64) are the longest lengths, the
    end counted, at least 1. Pieces in `never` are not chosen, nor the end as the first piece where the cap allows more.
    A sentence is done when no growing hypothesis can come before the `wanted` best; see `_done`. Hypotheses beyond the
    `beam_threshold` are dropped where one alone is wanted.
    The scores are overwritten.
    """
    names_N = torch.arange(len(caps_N), device=caps_N.device)
    rules = _Rules(end, (*never, begin), config, config.beam_threshold if wanted == 1 else 0)
    live = Live.first(len(caps_N), begin, caps_N.device)
    width, over_N = int(caps_N.max()) if len(caps_N) else 0, torch.zeros_like(caps_N, dtype=torch.bool)
    results = found = Finished.none(len(caps_N), config.beam_size, width, caps_N.device)
    for length in range(1, width + 1):
        features_NKF, state = step(live.ids_NKT[:, :, -1], state)
        candidates, guarded_NK, capped_NK = _candidates(scores, features_NKF, live, length, caps_N, rules)
        found = found.merged(_ended(candidates, live, guarded_NK, capped_NK, length, width, rules))
        live, parents_NK = _grown(candidates, live, guarded_NK, found.scores_NK[:, 0], length, rules)
        done_N = _done(live, found, length, caps_N, wanted, rules)
        gone, over_N = (done_N & ~over_N).nonzero().squeeze(1), over_N | done_N
        results.put(names_N[gone], found.of(gone))
        stay = (~over_N).nonzero().squeeze(1)
        if not len(stay):
            break
        leave = LEAVE * (len(over_N) - len(stay)) >= len(over_N)
        if not leave:
            stay = torch.arange(len(over_N), device=over_N.device)
        rows_NK = stay.unsqueeze(1) * features_NKF.shape[1] + parents_NK[stay]
        state = state.of(rows_NK.flatten(), stay if leave else None)
        if leave:
            names_N, caps_N, over_N = names_N[stay], caps_N[stay], over_N[stay]
            live, found = live.of(stay), found.of(stay)
        else:
            live = live._replace(totals_NK=live.totals_NK.masked_fill(over_N[:, None], IMPOSSIBLE))
    return results.hypotheses()


class _Rules(NamedTuple):
    """What holds for all sentences of a search."""

    end: int
    never: tuple[int, ...]
    config: SearchConfig
    threshold: float

    def norm(self, length: Tensor) -> Tensor:
        """What a sum over so many pieces is divided by (Wu et al. 2016, equation 14)."""
        return ((5 + length) / 6) ** self.config.length_penalty


def _candidates(
    scores: Scores, features_NKF: Tensor, live: Live, length: int, caps_N: Tensor, rules: _Rules
) -> tuple[Candidates, Tensor, Tensor]:
    """The best 2K continuations, and which hypotheses were guarded or capped on the way (N, K).

    Some sentences are looked at together, so that the scores of their hypotheses stay in the cache of a core; of each
    such part some hypothesis grows.
    """
    growing_N = (live.totals_NK > IMPOSSIBLE).sum(1)
    rows = max(ROWS, features_NKF.shape[1])
    sizes = [size for size in ((growing_N.cumsum(0) - 1).clamp(min=0) // rows).bincount().tolist() if size]
    parts = zip(*(torch.split(part, sizes) for part in (features_NKF, caps_N == length, *live)), strict=True)
    found = [_looked_at(scores, features, last, Live(*rest), rules) for features, last, *rest in parts]
    if len(found) == 1:
        return found[0]
    candidates, guarded, capped = zip(*found, strict=True)
    return Candidates(*map(torch.cat, zip(*candidates, strict=True))), torch.cat(guarded), torch.cat(capped)


def _looked_at(
    scores: Scores, features_NKF: Tensor, last_N: Tensor, live: Live, rules: _Rules
) -> tuple[Candidates, Tensor, Tensor]:
    """The same of some sentences. Scores (R, V) are made of the R hypotheses alone that are some."""
    shape = live.totals_NK.shape
    rows_R = (live.totals_NK > IMPOSSIBLE).flatten().nonzero().squeeze(1)
    scores_RV, sums_R = scores(features_NKF.flatten(0, 1).index_select(0, rows_R))
    totals_R = live.totals_NK.take(rows_R) - sums_R
    ids_RT = live.ids_NKT.flatten(0, 1).index_select(0, rows_R)
    guarded_R, capped_R = _ruled_out(scores_RV, ids_RT, last_N[rows_R // shape[1]], rules)
    if rules.config.beam_size == 1:  # an end that comes first is the end of it: nothing behind it is looked at
        best_R, pieces_R = scores_RV.max(1)
        totals_N1, pieces_N1 = (
            _spread(part_R, rows_R, shape, fill) for part_R, fill in ((totals_R + best_R, IMPOSSIBLE), (pieces_R, 0))
        )
        candidates = Candidates(totals_N1, torch.zeros_like(pieces_N1), pieces_N1)
    else:
        candidates = _best(scores_RV, totals_R, rows_R, shape, 2 * rules.config.beam_size)
    guarded_NK = live.guarded_NK | _spread(guarded_R, rows_R, shape, fill=False)
    return candidates, guarded_NK, _spread(capped_R, rows_R, shape, fill=False)


def _spread(part_RX: Tensor, rows_R: Tensor, shape: Sequence[int], fill: float) -> Tensor:
    """What rows have, in their places (N, K, ...), and `fill` elsewhere."""
    places_MX = part_RX.new_full((math.prod(shape), *part_RX.shape[1:]), fill)
    return places_MX.index_copy_(0, rows_R, part_RX).view(*shape, *part_RX.shape[1:])


def _ruled_out(scores_RV: Tensor, ids_RT: Tensor, last_R: Tensor, rules: _Rules) -> tuple[Tensor, Tensor]:
    """Makes impossible what may not come next; which hypotheses (R) were guarded, and which are capped."""
    scores_RV[:, list(rules.never)] = IMPOSSIBLE
    if ids_RT.shape[1] == 1:
        scores_RV[:, rules.end] = scores_RV[:, rules.end].masked_fill(~last_R, IMPOSSIBLE)
    guarded_R = _guard(scores_RV, ids_RT[:, 1:], rules.config.no_repeat_ngram_size)
    if not bool(last_R.any()):
        return guarded_R, torch.zeros_like(guarded_R)
    capped_R = last_R & (scores_RV.amax(1) > scores_RV[:, rules.end])
    others_V = torch.arange(scores_RV.shape[1], device=ids_RT.device) != rules.end
    scores_RV.masked_fill_(last_R[:, None] & others_V, IMPOSSIBLE)
    return guarded_R, capped_R


def _best(scores_RV: Tensor, totals_R: Tensor, rows_R: Tensor, shape: Sequence[int], count: int) -> Candidates:
    """The highest sums of a total and a score.

    They are in the `count` blocks of pieces with the highest maxima, which are found many times as fast as the scores.
    """
    size, blocks = scores_RV.shape[1], scores_RV.shape[1] // BLOCK
    if blocks * shape[1] <= BLOCKS * count:
        sums_NX = _spread(totals_R[:, None] + scores_RV, rows_R, shape, IMPOSSIBLE).flatten(1)
        sums_NC, places_NC = sums_NX.topk(min(count, sums_NX.shape[1]), dim=1)
        return Candidates(sums_NC, places_NC // size, places_NC % size)
    rest = (scores_RV[:, blocks * BLOCK :].amax(1, keepdim=True),) if size % BLOCK else ()
    maxima_RX = torch.cat((scores_RV[:, : blocks * BLOCK].reshape(-1, blocks, BLOCK).amax(2), *rest), dim=1)
    sums_NX = _spread(maxima_RX.add_(totals_R[:, None]), rows_R, shape, IMPOSSIBLE).flatten(1)
    places_NP = sums_NX.topk(count, dim=1).indices
    parents_NP, starts_NP = places_NP // maxima_RX.shape[1], BLOCK * (places_NP % maxima_RX.shape[1])
    pieces_NPB = starts_NP[:, :, None] + torch.arange(BLOCK, device=rows_R.device)
    beyond_NPB, pieces_NPB = pieces_NPB >= size, pieces_NPB.clamp_(max=size - 1)
    slots_NP = _spread(torch.arange(len(rows_R), device=rows_R.device), rows_R, shape, 0).gather(1, parents_NP)
    totals_NP = _spread(totals_R, rows_R, shape, IMPOSSIBLE).gather(1, parents_NP)
    found_NPB = scores_RV.take(size * slots_NP[:, :, None] + pieces_NPB).masked_fill_(beyond_NPB, IMPOSSIBLE)
    sums_NC, places_NC = found_NPB.add_(totals_NP[:, :, None]).flatten(1).topk(count, dim=1)
    return Candidates(sums_NC, parents_NP.gather(1, places_NC // BLOCK), pieces_NPB.flatten(1).gather(1, places_NC))


def _guard(scores_RV: Tensor, ids_RT: Tensor, size: int) -> Tensor:
    """Makes pieces impossible that would repeat a sequence of `size`; True (R) where the first choice was one."""
    length = ids_RT.shape[1]
    if not size or length < size:
        return torch.zeros(len(ids_RT), dtype=torch.bool, device=ids_RT.device)
    windows_RXn = ids_RT.unfold(1, size, 1)
    again_RX = (windows_RXn[..., :-1] == ids_RT[:, None, length - size + 1 :]).all(2)
    if not bool(again_RX.any()):
        return torch.zeros(len(ids_RT), dtype=torch.bool, device=ids_RT.device)
    repeats_RX = windows_RXn[..., -1]
    blocked_R = scores_RV.gather(1, repeats_RX).masked_fill(~again_RX, IMPOSSIBLE).amax(1)
    penalty_RX = torch.zeros_like(repeats_RX, dtype=scores_RV.dtype).masked_fill_(again_RX, IMPOSSIBLE)
    scores_RV.scatter_add_(1, repeats_RX, penalty_RX)
    return blocked_R > scores_RV.amax(1)


def _ended(
    candidates: Candidates,
    live: Live,
    guarded_NK: Tensor,
    capped_NK: Tensor,
    length: int,
    width: int,
    rules: _Rules,
) -> Finished:
    """Those of the best K continuations that are ends."""
    beam = rules.config.beam_size
    totals_NK, parents_NK, pieces_NK = (part[:, :beam] for part in candidates)
    totals_NK = totals_NK.masked_fill(pieces_NK != rules.end, IMPOSSIBLE)
    lengths_NK = torch.full_like(pieces_NK, length - 1)
    ids_NKL = _taken(torch.nn.functional.pad(live.ids_NKT[:, :, 1:], (0, width - length + 1)), parents_NK)
    return Finished(
        totals_NK / rules.norm(lengths_NK + 1),
        totals_NK,
        lengths_NK,
        _taken(capped_NK, parents_NK),
        _taken(guarded_NK, parents_NK),
        ids_NKL,
    )


def _grown(
    candidates: Candidates, live: Live, guarded_NK: Tensor, finished_N: Tensor, length: int, rules: _Rules
) -> tuple[Live, Tensor]:
    """The best K continuations that are no ends, and the hypotheses they continue (N, K).

    Those are dropped that are too far behind the highest sum of a growing hypothesis, or behind what a sum of their
    length would have to be for the best score of the `finished` ones.
    """
    totals_NC = candidates.totals_NC.masked_fill(candidates.pieces_NC == rules.end, IMPOSSIBLE)
    totals_NK, places_NK = totals_NC.topk(min(rules.config.beam_size, totals_NC.shape[1]), dim=1)
    if rules.threshold:
        as_good_N = finished_N * rules.norm(torch.full_like(finished_N, length))
        highest_N1 = torch.maximum(totals_NK[:, 0], as_good_N)[:, None]
        totals_NK = totals_NK.masked_fill(totals_NK < highest_N1 - rules.threshold, IMPOSSIBLE)
    parents_NK = candidates.parents_NC.gather(1, places_NK)
    pieces_NK1 = candidates.pieces_NC.gather(1, places_NK).unsqueeze(2)
    ids_NKT = torch.cat((_taken(live.ids_NKT, parents_NK), pieces_NK1), dim=2)
    return Live(ids_NKT, totals_NK, guarded_NK.gather(1, parents_NK)), parents_NK


def _done(live: Live, found: Finished, length: int, caps_N: Tensor, wanted: int, rules: _Rules) -> Tensor:
    """For which sentences (N) the search is over.

    For certain it is where no growing hypothesis can come before the `wanted` best, were it to reach the cap without
    losing more: sums never grow. Where a whole beam is finished, it is enough that none would come before them as it
    is now. That they are finished alone is not enough: unlikely ends fill a beam where the model is sure to go on.
    """
    best_N, worst_N = live.totals_NK.amax(1), found.scores_NK[:, min(wanted, rules.config.beam_size) - 1]
    settled_N = worst_N >= best_N / rules.norm(caps_N)
    full_N = found.scores_NK[:, -1] > IMPOSSIBLE
    return settled_N | (full_N & (worst_N >= best_N / rules.norm(torch.full_like(caps_N, length))))


def _taken(part_NX: Tensor, places_NK: Tensor) -> Tensor:
    """The places (N, K) of the second axis, whatever axes follow."""
    index = places_NK.reshape(*places_NK.shape, *[1] * (part_NX.dim() - 2)).expand(-1, -1, *part_NX.shape[2:])
    return part_NX.gather(1, index)


def _hypothesis(score: float, total: float, length: int, capped: bool, guarded: bool, ids: list[int]) -> Hypothesis:
    return Hypothesis(tuple(ids[:length]), total, score, capped, guarded)
