"""The search for one sentence against the search for many, over random tables of transitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nlpseq.config import SearchConfig
from nlpseq.light.search import beam_search
from nlpseq.nn import search as nn_search
from nlpseq.nn.softmax import log_sums
from nlpseq.text.hypothesis import Hypothesis

BEGIN, END = 0, 1


class Steps:
    """A state that counts its steps."""

    def __init__(self, taken: int = 0) -> None:
        self.taken = taken

    def of(self, *_: object) -> Steps:
        return self


class Own(Steps):
    """The same for sentences that have names, by which they find tables of their own."""

    def __init__(self, taken: int, names_N: torch.Tensor) -> None:
        super().__init__(taken)
        self.names_N = names_N

    def of(self, _: torch.Tensor, sentences: torch.Tensor | None) -> Own:  # type: ignore[override]
        return self if sentences is None else Own(self.taken, self.names_N[sentences])


def light(table_TVV: np.ndarray, cap: int, config: SearchConfig, wanted: int) -> list[Hypothesis]:
    def step(last: Sequence[int], state: Steps) -> tuple[np.ndarray, Steps]:
        return table_TVV[state.taken][list(last)].copy(), Steps(state.taken + 1)

    return beam_search(step, Steps(), cap, begin=BEGIN, end=END, config=config, wanted=wanted)


def heavy(table_TVV: np.ndarray, cap: int, config: SearchConfig, wanted: int) -> list[Hypothesis]:
    def step(last_NK: torch.Tensor, state: Steps) -> tuple[torch.Tensor, Steps]:
        return torch.from_numpy(table_TVV[state.taken])[last_NK], Steps(state.taken + 1)

    caps_N = torch.tensor([cap])
    return nn_search.beam_search(step, with_sums, Steps(), caps_N, begin=BEGIN, end=END, config=config, wanted=wanted)[
        0
    ]


def with_sums(log_RV: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return log_RV.clone(), log_sums(log_RV)


def log_probabilities(steps: int, size: int, seed: int, ends: float) -> np.ndarray:
    """What follows what at each step, so that no two sums are equal; `ends` makes ends likelier or rarer."""
    scores_TVV = np.random.default_rng(seed).normal(0, 2, (steps, size, size)).astype(np.float32)
    scores_TVV[:, :, END] += ends
    return scores_TVV - np.log(np.exp(scores_TVV).sum(2, keepdims=True))


@settings(max_examples=150)
@given(
    size=st.integers(3, 9),
    seed=st.integers(0, 10**6),
    ends=st.sampled_from([-6.0, 0.0, 3.0]),
    cap=st.integers(1, 9),
    beam=st.integers(1, 6),
    penalty=st.sampled_from([0.0, 1.0, 2.0]),
    guard=st.integers(0, 3),
    threshold=st.sampled_from([0.0, 0.5, 3.0]),
    data=st.data(),
)
def test_both_find_the_same(
    size: int,
    seed: int,
    ends: float,
    cap: int,
    beam: int,
    penalty: float,
    guard: int,
    threshold: float,
    data: st.DataObject,
) -> None:
    config = SearchConfig(beam_size=beam, length_penalty=penalty, no_repeat_ngram_size=guard, beam_threshold=threshold)
    wanted = data.draw(st.integers(1, beam))
    table_TVV = log_probabilities(cap, size, seed, ends)
    mine, theirs = light(table_TVV, cap, config, wanted), heavy(table_TVV, cap, config, wanted)
    assert [(one.ids, one.capped, one.guarded) for one in mine] == [(o.ids, o.capped, o.guarded) for o in theirs]
    assert [one.score for one in mine] == pytest.approx([one.score for one in theirs], rel=1e-5, abs=1e-6)
    assert [one.total for one in mine] == pytest.approx([one.total for one in theirs], rel=1e-5, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([640, 700]), beam=st.integers(2, 5))
def test_of_many_pieces_and_sentences_the_same_is_found_as_of_one(seed: int, size: int, beam: int) -> None:
    """Blocks of pieces are looked at before pieces, and some sentences after others."""
    config, sentences, cap = SearchConfig(beam_size=beam, no_repeat_ngram_size=2), 70, 4
    tables_NTVV = [log_probabilities(cap, size, seed + number, ends=6.0) for number in range(2)]

    def step(last_NK: torch.Tensor, state: Own) -> tuple[torch.Tensor, Own]:
        rows = zip(state.names_N.tolist(), last_NK.tolist(), strict=True)
        found = [torch.from_numpy(tables_NTVV[name % 2][state.taken])[last] for name, last in rows]
        return torch.stack(found), Own(state.taken + 1, state.names_N)

    caps_N = torch.full((sentences,), cap)
    together = nn_search.beam_search(
        step, with_sums, Own(0, torch.arange(sentences)), caps_N, begin=BEGIN, end=END, config=config
    )
    alone = [light(table_TVV, cap, config, 1) for table_TVV in tables_NTVV]
    assert [found[0].ids for found in together] == [alone[name % 2][0].ids for name in range(sentences)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), beam=st.integers(1, 4), rows=st.sampled_from([8, 256]))
def test_sentences_that_are_done_at_different_times_change_nothing(seed: int, beam: int, rows: int) -> None:
    """Each of 60 has a cap and steps of its own; some are done long before they leave, and fill parts of few rows."""
    config, size, steps = SearchConfig(beam_size=beam, no_repeat_ngram_size=2), 7, 12
    caps = [2 + (7 * number + seed) % (steps - 1) for number in range(60)]
    tables_NTVV = [log_probabilities(steps, size, seed + number, ends=-1.0) for number in range(60)]

    def step(last_NK: torch.Tensor, state: Own) -> tuple[torch.Tensor, Own]:
        own = zip(state.names_N.tolist(), last_NK.tolist(), strict=True)
        found = [torch.from_numpy(tables_NTVV[name][state.taken])[last] for name, last in own]
        return torch.stack(found), Own(state.taken + 1, state.names_N)

    def as_given(log_RV: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return log_RV.clone(), torch.zeros(len(log_RV))  # to the bit what the other search adds up

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn_search, "ROWS", rows)
        state, caps_N = Own(0, torch.arange(60)), torch.tensor(caps)
        together = nn_search.beam_search(step, as_given, state, caps_N, begin=BEGIN, end=END, config=config)
    for number, found in enumerate(together):
        alone = light(tables_NTVV[number], caps[number], config, 1)
        assert [one.ids for one in found] == [one.ids for one in alone]
