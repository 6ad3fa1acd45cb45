from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.nn.sampling import SamplingConfig, draw, tempered

PLAIN = SamplingConfig(temperature=1.0, top_p=1.0)
LOG_V = torch.tensor([0.1, 0.5, 0.25, 0.15]).log()


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
    log_V = torch.tensor([*scores, -math.inf])
    config = SamplingConfig(temperature=max(temperature, 0.05) if temperature else 0.0, top_k=top_k, top_p=top_p)
    found_V = tempered(log_V, config)
    assert found_V.sum().item() == pytest.approx(1, abs=1e-5)
    assert found_V[-1] == 0
    kept, gone = log_V[found_V > 0], log_V[found_V == 0]
    assert not top_k or len(kept) <= top_k
    if config.temperature:  # the likeliest alone are kept, but for rounding where two are as good as each other
        assert kept.min() >= gone.max() - 1e-3 * config.temperature
    assert draw(log_V, config, torch.Generator().manual_seed(1)) != len(scores)


def test_all_is_all() -> None:
    """However many there are, and whatever their sum comes to."""
    log_V = torch.randn(200_000, generator=torch.Generator().manual_seed(2)).log_softmax(0)
    assert (tempered(log_V, PLAIN) > 0).all()


@pytest.mark.parametrize("temperature", [1e-300, 1e-39, 1e-20])
def test_next_to_no_temperature_is_none(temperature: float) -> None:
    assert tempered(LOG_V, SamplingConfig(temperature=temperature)).tolist() == [0, 1, 0, 0]


def test_draws_follow_the_distribution() -> None:
    """Of 4,000 draws with this seed; the standard deviation of a share is at most 0.8%, of which four are allowed."""
    chance = torch.Generator().manual_seed(5)
    drawn = torch.tensor([draw(LOG_V, PLAIN, chance) for _ in range(4000)])
    shares = torch.bincount(drawn, minlength=4) / 4000
    assert shares.tolist() == pytest.approx([0.1, 0.5, 0.25, 0.15], abs=0.032)


def test_a_seed_decides() -> None:
    def run(seed: int) -> list[int]:
        chance = torch.Generator().manual_seed(seed)
        return [draw(LOG_V, PLAIN, chance) for _ in range(30)]

    assert run(1) == run(1) != run(2)
