"""Search, on tables of transitions: what the best sequences are is found by looking at all of them."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from nlpseq.nn.search import Hypothesis, SearchConfig, beam_search

BEGIN, END = 0, 1
A, B, C = 2, 3, 4


class Count:
    """A state that knows nothing but how many hypotheses there should be, and how often it was asked for some."""

    def __init__(self, rows: int, sizes: list[int] | None = None) -> None:
        self.rows, self.sizes = rows, [] if sizes is None else sizes

    def of(self, rows: Tensor, sentences: Tensor | None) -> Count:
        assert rows.min() >= 0
        assert rows.max() < self.rows
        if sentences is not None:
            self.sizes.append(len(sentences))
        return Count(len(rows), self.sizes)


def found(
    table_VV: Tensor, caps: list[int], state: Count | None = None, wanted: int = 1, **config: float
) -> list[list[Hypothesis]]:
    """What a search finds where the next piece depends on the last one alone."""

    def step(last_NK: Tensor, given: Count) -> tuple[Tensor, Count]:
        assert given.rows == last_NK.numel()
        return table_VV[last_NK], given

    rules = SearchConfig(**{"no_repeat_ngram_size": 0, **config})  # type: ignore[arg-type]
    begun = state or Count(len(caps))
    return beam_search(step, as_they_are, begun, torch.tensor(caps), begin=BEGIN, end=END, config=rules, wanted=wanted)


def as_they_are(log_RV: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities, of which nothing is to be taken away."""
    return log_RV.clone(), torch.zeros(len(log_RV))


def probabilities(rows: dict[int, dict[int, float]], size: int = 5) -> Tensor:
    """Log-probabilities (V, V) of each piece behind each other one."""
    table_VV = torch.zeros(size, size)
    for last, chances in rows.items():
        for piece, chance in chances.items():
            table_VV[last, piece] = chance
    return table_VV.log()


# "A" is the likelier first piece, and what follows it is undecided; behind "B" all is clear.
GARDEN_PATH = probabilities(
    {
        BEGIN: {A: 0.6, B: 0.4},
        A: {A: 0.3, B: 0.3, C: 0.3, END: 0.1},
        B: {C: 0.9, END: 0.1},
        C: {END: 1.0},
    }
)


def test_a_beam_finds_what_greed_passes_by() -> None:
    (greedy,), (beam,) = (found(GARDEN_PATH, [6], beam_size=size, length_penalty=0.0) for size in (1, 3))
    assert greedy[0].ids[0] == A
    assert beam[0].ids == (B, C)
    assert beam[0].total == pytest.approx(math.log(0.4 * 0.9))


def test_n_best_are_in_order_and_different() -> None:
    (best,) = found(GARDEN_PATH, [4], beam_size=4, length_penalty=0.0, wanted=4)
    assert [one.ids for one in best[:2]] == [(B, C), (A, C)]
    assert [one.score for one in best] == sorted((one.score for one in best), reverse=True)
    assert len({one.ids for one in best}) == len(best) == 4


def exhaustive(table_VV: Tensor, cap: int, penalty: float) -> list[tuple[float, tuple[int, ...]]]:
    """Every sequence that fits under the cap with its end, by its normalised score, best first."""
    table, result = table_VV.tolist(), []
    for length in range(1, cap):
        for ids in product((A, B, C), repeat=length):
            path = (BEGIN, *ids, END)
            total = sum(table[last][piece] for last, piece in pairwise(path))
            result.append((total / ((5 + length + 1) / 6) ** penalty, ids))
    return sorted(result, reverse=True)


@given(
    st.integers(0, 10**6), st.lists(st.integers(2, 5), min_size=1, max_size=4), st.sampled_from([0.0, 0.6, 1.0, 2.0])
)
@example(seed=5505, caps=[5], penalty=2.0)
@settings(max_examples=60, deadline=None)
def test_a_beam_wide_enough_finds_the_best_of_all(seed: int, caps: list[int], penalty: float) -> None:
    """81 hypotheses of four pieces: none is ever dropped, so only stopping too soon could lose one."""
    table_VV = torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)).mul(2).log_softmax(1)
    results = found(table_VV, caps, beam_size=120, length_penalty=penalty, wanted=3)
    for cap, hypotheses in zip(caps, results, strict=True):
        every = exhaustive(table_VV, cap, penalty)
        scores = {tuple(ids): score for score, ids in every}  # the same steps in another order score the same
        assert [scores[one.ids] for one in hypotheses[:3]] == pytest.approx([score for score, _ in every[:3]], abs=1e-4)
        assert [one.score for one in hypotheses[:3]] == pytest.approx([score for score, _ in every[:3]], abs=1e-4)
        assert len({one.ids for one in hypotheses}) == len(hypotheses)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_sentences_are_searched_as_if_alone(seed: int, caps: list[int], beam: int) -> None:
    table_VV = torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)).mul(2).log_softmax(1)
    together = found(table_VV, caps, beam_size=beam)
    assert together == [found(table_VV, [cap], beam_size=beam)[0] for cap in caps]


def test_greedy_takes_the_best_piece_each_time() -> None:
    table_VV = torch.randn(5, 5, generator=torch.Generator().manual_seed(3)).log_softmax(1)
    table_VV[:, END] -= 1  # so that it does not end at once
    ((one, *none),) = found(table_VV, [9], beam_size=1)
    last = BEGIN
    for number, piece in enumerate((*one.ids, END)):
        allowed = [p for p in (A, B, C, END) if p != END or number]
        if number + 1 < 9:
            assert piece == max(allowed, key=lambda p, row=last: table_VV[row, p].item())  # type: ignore[misc]
        last = piece
    assert none == []


def test_unlikely_ends_do_not_stop_a_search_for_a_likely_one() -> None:
    """All the way a model is sure to go on, and whatever ends before is among the best beam for want of others."""
    sure = probabilities(
        {last: {last + 1: 0.998, END: 0.002} for last in range(2, 8)} | {BEGIN: {A: 1.0}, 8: {END: 1.0}}, 9
    )
    ((one, *_),) = found(sure, [20], beam_size=3)
    assert one.ids == (2, 3, 4, 5, 6, 7, 8)


def test_the_cap_ends_what_would_not_end_and_says_so() -> None:
    endless = probabilities({BEGIN: {A: 1.0}, A: {A: 0.99, END: 0.01}})
    ((one,),) = found(endless, [5], beam_size=1)
    assert one.ids == (A,) * 4
    assert one.capped
    assert one.total == pytest.approx(3 * math.log(0.99) + math.log(0.01))


def test_an_end_of_its_own_at_the_cap_is_not_forced() -> None:
    ((one,),) = found(probabilities({BEGIN: {A: 1.0}, A: {END: 0.9, A: 0.1}}), [2], beam_size=1)
    assert one == Hypothesis((A,), pytest.approx(math.log(0.9)), pytest.approx(math.log(0.9) / (7 / 6)), False, False)


def test_no_translation_is_empty_unless_the_cap_is_one() -> None:
    ends = probabilities({BEGIN: {END: 0.9, A: 0.1}, A: {END: 1.0}})
    for beam in (1, 3):
        longer, shortest = found(ends, [5, 1], beam_size=beam)
        assert longer[0].ids == (A,)
        assert shortest[0].ids == ()


def repeats(ids: tuple[int, ...], size: int) -> bool:
    grams = [ids[start : start + size] for start in range(len(ids) - size + 1)]
    return len(set(grams)) < len(grams)


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_guard_lets_nothing_come_twice(seed: int, size: int, beam: int) -> None:
    table_VV = torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)).mul(3).log_softmax(1)
    table_VV[:, END] -= 5
    for hypotheses in found(table_VV, [14, 9], beam_size=beam, no_repeat_ngram_size=size):
        assert not any(repeats(one.ids, size) for one in hypotheses)


def test_the_guard_breaks_a_loop_and_says_so() -> None:
    loop = probabilities({BEGIN: {A: 1.0}, A: {B: 0.9, END: 0.1}, B: {A: 0.8, C: 0.2}, C: {END: 1.0}})
    ((one,),) = found(loop, [30], beam_size=1, no_repeat_ngram_size=2)
    assert one.ids == (A, B, A)  # "A B" again is forbidden, so it ends
    assert one.guarded
    ((free,),) = found(loop, [30], beam_size=1)
    assert free.capped
    assert not free.guarded


def test_never_means_never() -> None:
    def step(last_NK: Tensor, state: Count) -> tuple[Tensor, Count]:
        return GARDEN_PATH[last_NK], state

    rules = SearchConfig(beam_size=3, length_penalty=0.0)
    caps_N = torch.tensor([6])
    ((one, *_),) = beam_search(step, as_they_are, Count(1), caps_N, begin=BEGIN, end=END, config=rules, never=[B])
    assert B not in one.ids


def test_what_is_done_leaves_the_batch() -> None:
    """With the caps 2, 3 and 9 the batch has three sentences, then two, then one."""
    endless = probabilities({BEGIN: {A: 1.0}, A: {A: 0.99, END: 0.01}})
    state = Count(3)
    found(endless, [2, 9, 3], state, beam_size=1)
    assert state.sizes == [2, 1]


def test_who_is_done_waits_until_an_eighth_is() -> None:
    """Of twenty, one is done after two steps, one more after three, and a third one after four."""
    endless = probabilities({BEGIN: {A: 1.0}, A: {A: 0.99, END: 0.01}})
    state = Count(20)
    lengths = [len(one.ids) for (one,) in found(endless, [2, 3, 4, *[9] * 17], state, beam_size=1)]
    assert state.sizes == [17]
    assert lengths == [1, 2, 3, *[8] * 17]


def test_nothing_gives_nothing() -> None:
    assert found(GARDEN_PATH, [], Count(0)) == []


def test_what_is_far_behind_is_dropped_unless_several_are_wanted() -> None:
    """The path that wins begins 0.41 nats behind the other one."""
    wide, narrow = {"beam_size": 3, "length_penalty": 0.0}, {"beam_threshold": 0.3}
    assert found(GARDEN_PATH, [6], **wide)[0][0].ids == (B, C)
    assert found(GARDEN_PATH, [6], **wide, beam_threshold=0.5)[0][0].ids == (B, C)
    assert found(GARDEN_PATH, [6], **wide, **narrow)[0][0].ids[0] == A
    assert found(GARDEN_PATH, [6], **wide, **narrow, wanted=2)[0][0].ids == (B, C)


def test_what_is_far_behind_a_finished_one_is_dropped_too() -> None:
    """A and B are as likely. What follows A is the end, what follows B is not sure: the best of it is 0.92 behind.

    With three pieces B C A is 1.61 behind A, but 0.95 behind a sum of three that would be as good as that of A.
    """
    table = probabilities({BEGIN: {A: 0.5, B: 0.5}, A: {END: 1.0}, B: {C: 0.4, A: 0.3, B: 0.3}, C: {A: 0.5, B: 0.5}})
    config = {"beam_size": 3, "length_penalty": 5.0}
    assert (B, C, A) in [one.ids for one in found(table, [6], **config, beam_threshold=1.0)[0]]
    assert [one.ids for one in found(table, [6], **config, beam_threshold=0.9)[0]] == [(A,)]
