"""Greedy and beam search over a step function. Axes: N sentences, K hypotheses of each, V pieces, T pieces so far.

The search knows no model: a step is given the last piece of every hypothesis and a state, and gives the
log-probabilities of the next ones and the state after it. All sentences and hypotheses take a step together; sentences
that are done leave the batch.
"""

from __future__ import annotations

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


class State(Protocol):
    """What a step function remembers of N sentences with K hypotheses each."""

    def of(self, rows: Tensor, sentences: Tensor | None) -> Self:
        """The memory of these hypotheses, in this order, of all sentences or of those named.

        `rows` (int64) count n * K + k over all N sentences; they come sentence by sentence.
        """


S = TypeVar("S", bound=State)
Step = Callable[[Tensor, S], tuple[Tensor, S]]  # last (N, K) int64, state -> log-probabilities (N, K, V), state


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
    A sentence is done when no growing hypothesis can come before the `wanted` best; see `_done`.
    What `step` returns is overwritten.
    """
    names_N, rules = torch.arange(len(caps_N), device=caps_N.device), _Rules(end, (*never, begin), config)
    live = Live.first(len(caps_N), begin, caps_N.device)
    width = int(caps_N.max()) if len(caps_N) else 0
    results = found = Finished.none(len(caps_N), config.beam_size, width, caps_N.device)
    for length in range(1, width + 1):
        scores_NKV, state = step(live.ids_NKT[:, :, -1], state)
        candidates, guarded_NK, capped_NK = _candidates(scores_NKV, live, length, caps_N, rules)
        found = found.merged(_ended(candidates, live, guarded_NK, capped_NK, length, width, rules))
        live, parents_NK = _grown(candidates, live, guarded_NK, rules)
        done_N = _done(live, found, length, caps_N, wanted, rules)
        gone, stay = done_N.nonzero().squeeze(1), (~done_N).nonzero().squeeze(1)
        results.put(names_N[gone], found.of(gone))
        if not len(stay):
            break
        rows_NK = stay.unsqueeze(1) * scores_NKV.shape[1] + parents_NK[stay]
        state = state.of(rows_NK.flatten(), stay if len(gone) else None)
        if len(gone):
            names_N, caps_N, live, found = names_N[stay], caps_N[stay], live.of(stay), found.of(stay)
    return results.hypotheses()


class _Rules(NamedTuple):
    """What holds for all sentences of a search."""

    end: int
    never: tuple[int, ...]
    config: SearchConfig

    def norm(self, length: Tensor) -> Tensor:
        """What a sum over so many pieces is divided by (Wu et al. 2016, equation 14)."""
        return ((5 + length) / 6) ** self.config.length_penalty


def _candidates(
    scores_NKV: Tensor, live: Live, length: int, caps_N: Tensor, rules: _Rules
) -> tuple[Candidates, Tensor, Tensor]:
    """The best 2K continuations, and which hypotheses were guarded or capped on the way (N, K)."""
    end, beam = rules.end, rules.config.beam_size
    last_N11 = (caps_N == length)[:, None, None]
    scores_NKV[:, :, list(rules.never)] = IMPOSSIBLE
    if length == 1:
        scores_NKV[:, :, end : end + 1].masked_fill_(~last_N11, IMPOSSIBLE)
    guarded_NK = live.guarded_NK | _guard(scores_NKV, live.ids_NKT[:, :, 1:], rules.config.no_repeat_ngram_size)
    capped_NK = torch.zeros_like(guarded_NK)
    if bool(last_N11.any()):
        capped_NK = last_N11.squeeze(2) & (scores_NKV.amax(2) > scores_NKV[:, :, end])
        others_V = torch.arange(scores_NKV.shape[2], device=caps_N.device) != end
        scores_NKV.masked_fill_(last_N11 & others_V, IMPOSSIBLE)
    if beam == 1:  # an end that comes first is the end of it: nothing behind it is looked at, and max is faster
        best_NKP, pieces_NKP = scores_NKV.max(2, keepdim=True)
    else:  # one hypothesis gives at most its end and `beam` growing ones, so of each no more than these are looked at
        best_NKP, pieces_NKP = _best(scores_NKV, min(beam + 1, scores_NKV.shape[2]))
    totals_NX = (live.totals_NK.unsqueeze(2) + best_NKP).flatten(1)
    totals_NC, places_NC = totals_NX.topk(min(2 * beam, totals_NX.shape[1]), dim=1)
    parents_NC = places_NC // best_NKP.shape[2]
    return Candidates(totals_NC, parents_NC, pieces_NKP.flatten(1).gather(1, places_NC)), guarded_NK, capped_NK


def _best(scores_NKV: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest scores and their pieces (N, K, P), best first, as topk finds them.

    They are in the `count` blocks of pieces with the highest maxima, which are found many times as fast as the scores.
    """
    size = scores_NKV.shape[2]
    blocks = size // BLOCK
    if blocks <= BLOCKS * count:
        return scores_NKV.topk(count, dim=2)
    heads_NKXB = scores_NKV[:, :, : blocks * BLOCK].reshape(*scores_NKV.shape[:2], blocks, BLOCK)
    rest = (scores_NKV[:, :, blocks * BLOCK :].amax(2, keepdim=True),) if size % BLOCK else ()
    maxima_NKX = torch.cat((heads_NKXB.amax(3), *rest), dim=2)
    starts_NKP1 = BLOCK * maxima_NKX.topk(count, dim=2).indices.unsqueeze(3)
    pieces_NKC = (starts_NKP1 + torch.arange(BLOCK, device=scores_NKV.device)).flatten(2)
    beyond_NKC, pieces_NKC = pieces_NKC >= size, pieces_NKC.clamp(max=size - 1)
    found_NKC = scores_NKV.gather(2, pieces_NKC).masked_fill_(beyond_NKC, IMPOSSIBLE)
    best_NKP, places_NKP = found_NKC.topk(count, dim=2)
    return best_NKP, pieces_NKC.gather(2, places_NKP)


def _guard(scores_NKV: Tensor, ids_NKT: Tensor, size: int) -> Tensor:
    """Makes pieces impossible that would repeat a sequence of `size`; True (N, K) where the first choice was one."""
    length = ids_NKT.shape[2]
    if not size or length < size:
        return torch.zeros(ids_NKT.shape[:2], dtype=torch.bool, device=ids_NKT.device)
    windows_NKXn = ids_NKT.unfold(2, size, 1)
    recent_NK1n = ids_NKT[:, :, None, length - size + 1 :]
    again_NKX = (windows_NKXn[..., :-1] == recent_NK1n).all(3)
    repeats_NKX = windows_NKXn[..., -1]
    blocked_NK = scores_NKV.gather(2, repeats_NKX).masked_fill(~again_NKX, IMPOSSIBLE).amax(2)
    penalty_NKX = torch.zeros_like(repeats_NKX, dtype=scores_NKV.dtype).masked_fill_(again_NKX, IMPOSSIBLE)
    scores_NKV.scatter_add_(2, repeats_NKX, penalty_NKX)
    return blocked_NK > scores_NKV.amax(2) if bool(again_NKX.any()) else torch.zeros_like(blocked_NK).bool()


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


def _grown(candidates: Candidates, live: Live, guarded_NK: Tensor, rules: _Rules) -> tuple[Live, Tensor]:
    """The best K continuations that are no ends, and the hypotheses they continue (N, K)."""
    totals_NC = candidates.totals_NC.masked_fill(candidates.pieces_NC == rules.end, IMPOSSIBLE)
    totals_NK, places_NK = totals_NC.topk(min(rules.config.beam_size, totals_NC.shape[1]), dim=1)
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
