from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.writing.sampling import SamplingConfig, draw, tempered

PLAIN = SamplingConfig(temperature=1.0, top_p=1.0)
LOG_V = np.log(np.array([0.1, 0.5, 0.25, 0.15], dtype=np.float32))


def test_the_cuts_by_hand() -> None:
    def cut(**settings: float) -> list[float]:
        config = SamplingConfig(**{"temperature": 1.0, "top_p": 1.0, **settings})  # type: ignore[arg-type]
        return tempered(LOG_V, config).tolist()

    assert cut() == pytest.approx([0.1, 0.5, 0.25, 0.15])
    assert cut(top_k=2) == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert cut(top_p=0.7) == pytest.approx([0, 2 / 3, 1 / 3, 0])  # the one with which the sum gets there stays
    assert cut(top_p=0.5) == pytest.approx([0, 1, 0, 0])
    assert cut(top_p=1e-9) == pytest.approx([0, 1, 0, 0])  # never nothing
    assert cut(temperature=0) == [0, 1, 0, 0]
    assert cut(temperature=0.5) == pytest.approx([0.01 / 0.345, 0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345])
    assert cut(top_k=3, top_p=0.8) == pytest.approx([0, 2 / 3, 1 / 3, 0])  # of 0.5, 0.25, 0.15 the first two are 83%


@given(
    st.lists(st.floats(-20, 5), min_size=1, max_size=12), st.floats(0, 3), st.integers(0, 12), st.floats(0.01, 1),
)  # fmt: skip
def test_it_is_a_distribution_over_some_of_the_likeliest(
    scores: list[float], temperature: float, top_k: int, top_p: float
) -> None:
    log_V = np.array([*scores, -math.inf], dtype=np.float32)
    config = SamplingConfig(temperature=max(temperature, 0.05) if temperature else 0.0, top_k=top_k, top_p=top_p)
    found_V = tempered(log_V, config)
    assert found_V.sum() == pytest.approx(1)
    assert found_V[-1] == 0
    kept, gone = log_V[found_V > 0], log_V[found_V == 0]
    assert not top_k or len(kept) <= top_k
    if config.temperature:  # the likeliest alone are kept, but for rounding where two are as good as each other
        assert kept.min() >= gone.max() - 1e-3 * config.temperature
    assert draw(log_V, config, np.random.default_rng(1)) != len(scores)


def test_all_is_all() -> None:
    """However many there are, and whatever their sum comes to."""
    log_V = np.random.default_rng(2).standard_normal(200_000).astype(np.float32)
    assert (tempered(log_V, PLAIN) > 0).all()


@given(st.integers(2, 3000), st.floats(0.01, 0.999), st.integers(0, 600), st.floats(0.1, 4), st.integers(0, 99))
def test_the_cuts_of_many_are_those_of_all_in_order(
    size: int, top_p: float, top_k: int, temperature: float, seed: int
) -> None:
    """However few are put in order first: by the definition, over all of them sorted."""
    log_V = np.random.default_rng(seed).standard_normal(size).astype(np.float32) * 3
    found_V = tempered(log_V, SamplingConfig(temperature=temperature, top_k=top_k, top_p=top_p))
    likely_V = np.exp(log_V.astype(np.float64) / temperature)
    order_V = np.argsort(-likely_V, kind="stable")[: top_k or size]
    shares_V = likely_V[order_V] / likely_V[order_V].sum()
    kept = order_V[: 1 + int((shares_V.cumsum()[:-1] < top_p).sum())]
    assert abs(len(kept) - int((found_V > 0).sum())) <= 1  # by rounding, at the border
    assert found_V[kept[:-1]] == pytest.approx(likely_V[kept[:-1]] / likely_V[kept].sum(), rel=1e-2)


@pytest.mark.parametrize("temperature", [1e-300, 1e-39, 1e-20])
def test_next_to_no_temperature_is_none(temperature: float) -> None:
    assert tempered(LOG_V, SamplingConfig(temperature=temperature)).tolist() == [0, 1, 0, 0]


def test_draws_follow_the_distribution() -> None:
    """Of 4,000 draws with this seed; the standard deviation of a share is at most 0.8%, of which four are allowed."""
    chance = np.random.default_rng(5)
    drawn = [draw(LOG_V, PLAIN, chance) for _ in range(4000)]
    shares = np.bincount(drawn, minlength=4) / 4000
    assert shares.tolist() == pytest.approx([0.1, 0.5, 0.25, 0.15], abs=0.032)


def test_a_seed_decides() -> None:
    def run(seed: int) -> list[int]:
        chance = np.random.default_rng(seed)
        return [draw(LOG_V, PLAIN, chance) for _ in range(30)]

    assert run(1) == run(1) != run(2)
