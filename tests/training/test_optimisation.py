from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nlpseq.config import TrainingConfig
from nlpseq.tasks.tagging import Tagger
from nlpseq.training.loop import Run, fit
from nlpseq.training.optimisation import MovingAverage, build_optimizer, clip, depth_of, part_of_rate, rate_at
from tests import languages, translators
from tests.examples import corpus
from tests.taggers import small, untrained

SCHEDULES = ("constant", "linear", "cosine")
schedules = st.sampled_from(SCHEDULES)


@pytest.mark.parametrize(
    ("schedule", "half", "end"), [("constant", 1.0, 1.0), ("linear", 0.5, 1e-3), ("cosine", 0.5, 1e-3)]
)
def test_schedules_at_their_ends(schedule: str, half: float, end: float) -> None:
    config = TrainingConfig(schedule=schedule, warmup=0.2, learning_rate=3.0)
    assert rate_at(config, 0.0) == pytest.approx(3 * 1e-3 / 0.201)  # a first step that is not quite nothing
    assert rate_at(config, 0.2) == pytest.approx(3.0)
    assert rate_at(config, 0.2 - 1e-9) == pytest.approx(3.0)  # without a jump
    assert rate_at(config, 0.6) == pytest.approx(3 * half)
    assert rate_at(config, 1.0) == pytest.approx(3 * end)
    assert rate_at(config, 7.0) == rate_at(config, 1.0)  # the clock may be ahead of the steps


@given(schedules, st.floats(0, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_rates_rise_and_then_never_rise_again(schedule: str, warmup: float, one: float, other: float) -> None:
    config = TrainingConfig(schedule=schedule, warmup=warmup, learning_rate=1.0)
    first, second = sorted((one, other))
    rates = rate_at(config, first), rate_at(config, second)
    assert all(0 < rate <= 1 for rate in rates)
    if second < warmup:
        assert rates[0] <= rates[1]
    if first >= warmup:
        assert rates[0] >= rates[1] - 1e-12


def test_weight_decay_falls_on_matrices_alone() -> None:
    tagger = untrained(heads={"upos": "crf"})
    names = {weight: name for name, weight in tagger.network.named_parameters()}
    decayed, others = build_optimizer(tagger.network, TrainingConfig(weight_decay=0.5)).param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.5, 0.0)
    found = [names[weight] for group in (decayed, others) for weight in group["params"]]
    assert sorted(found) == sorted(names.values())  # each weight in one group, once
    for weight in decayed["params"]:
        assert "weight" in names[weight].split(".")[-1]
        assert not any(part in names[weight] for part in ("forms", "affixes", "characters.embedding", "chains"))
    left = [names[weight] for weight in others["params"] if weight.dim() > 1]
    assert all("embedding" in name or "transitions" in name for name in left)


def test_fixed_vectors_are_not_trained() -> None:
    network = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 2))
    network[0].weight.requires_grad_(False)
    optimizer = build_optimizer(network, TrainingConfig())
    trained = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    assert trained == [id(network[1].weight), id(network[1].bias)]


def test_without_a_limit_gradients_stay_even_where_their_norm_overflows() -> None:
    weight = nn.Parameter(torch.zeros(2))
    weight.grad = torch.full((2,), 1e30)
    assert clip([weight], 0.0).isinf()
    assert weight.grad.tolist() == pytest.approx([1e30, 1e30])


@pytest.mark.parametrize("limit", [0.0, 1.0, 5.0, 100.0])
def test_clipping_keeps_the_direction_and_bounds_the_norm(limit: float) -> None:
    weights = [nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2, 2))]
    for weight, gradient in zip(weights, (torch.tensor([3.0, 0, 4]), torch.full((2, 2), 6.0)), strict=True):
        weight.grad = gradient.clone()
    before = math.sqrt(25 + 4 * 36)  # 13
    assert clip(weights, limit).item() == pytest.approx(before)
    after = torch.cat([weight.grad.flatten() for weight in weights])
    # torch divides by the norm plus 1e-6, to be safe at zero.
    assert after.norm().item() == pytest.approx(min(before, limit or before), rel=1e-5)
    assert torch.allclose(after / after[0], torch.tensor([3.0, 0, 4, 6, 6, 6, 6]) / 3)


def test_the_average_follows_its_equation_and_changes_places() -> None:
    network = nn.Linear(2, 1, bias=False)
    average = MovingAverage(network, 0.9)
    wanted = network.weight.detach().clone()
    for step in range(1, 200):
        with torch.no_grad():
            network.weight.fill_(step)
        average.update(step)
        decay = min(0.9, step / (step + 10))  # short-sighted at first
        wanted = decay * wanted + (1 - decay) * step
    torch.testing.assert_close(average.averages[0], wanted)
    average.swap()
    torch.testing.assert_close(network.weight.detach(), wanted)
    assert torch.equal(average.averages[0], torch.full((1, 2), 199.0))
    average.swap()
    assert torch.equal(network.weight.detach(), torch.full((1, 2), 199.0))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_both_optimisers_go_downhill(optimizer: str) -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    inputs, wanted = torch.randn(50, 3), torch.randn(50, 1)
    one = build_optimizer(network, TrainingConfig(optimizer=optimizer, learning_rate=0.01))
    losses = []
    for _ in range(50):
        one.zero_grad()
        loss = (network(inputs) - wanted).square().mean()
        loss.backward()
        one.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


class Layered(nn.Module):
    """What the encoders of tag and sentiment look like from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3, 2)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(nn.Sequential(nn.Linear(2, 2)) for _ in range(2))
        self.head = nn.Linear(2, 2)


def test_depths_count_from_the_heads_down_to_the_embedding() -> None:
    network = Layered()
    depths = {name: depth_of(name.rpartition(".")[0], network) for name, _ in network.named_parameters()}
    assert depths == {
        "embedding.weight": 3, "encoder.layers.0.0.weight": 2, "encoder.layers.0.0.bias": 2,
        "encoder.layers.1.0.weight": 1, "encoder.layers.1.0.bias": 1, "head.weight": 0, "head.bias": 0,
    }  # fmt: skip


@pytest.mark.parametrize("untrained", [languages.untrained, translators.untrained])
def test_depths_of_other_networks(untrained: Callable[..., Any]) -> None:
    made = untrained(encoder={"layers": 2}).network
    depths: dict[str, set[int]] = {}
    for name, _ in made.named_parameters():
        part = ".".join(name.split(".")[: 3 if ".layers." in name else 1])
        depths.setdefault(part, set()).add(depth_of(name.rpartition(".")[0], made))
    wanted = {"embedding": 3, "vectors": 3, "decoder": 0, "softmax": 0}
    for stack in ("forwards", "backwards", "encoder"):
        wanted |= {f"{stack}.layers.0": 2, f"{stack}.layers.1": 1}
    assert len(depths) >= 4
    assert depths == {part: {wanted.get(part, 0)} for part in depths}


def test_every_weight_is_in_one_group_whatever_the_depths() -> None:
    for settings in (TrainingConfig(), TrainingConfig(layer_decay=0.5), TrainingConfig(unfreeze=1)):
        network = Layered()
        groups = build_optimizer(network, settings).param_groups
        assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
        depths = {group["depth"] for group in groups if group["params"]}
        assert depths == ({0} if settings == TrainingConfig() else {0, 1, 2, 3})
        embedding = next(g for g in groups if any(w is network.embedding.weight for w in g["params"]))
        assert embedding["weight_decay"] == 0


def test_rates_fall_with_depth_and_are_nothing_while_frozen() -> None:
    config = TrainingConfig(layer_decay=0.5, unfreeze=2)
    assert [part_of_rate(depth, 0, config) for depth in range(4)] == [1, 0, 0, 0]
    assert [part_of_rate(depth, 3, config) for depth in range(4)] == [1, 0.5, 0, 0]
    assert [part_of_rate(depth, 6, config) for depth in range(4)] == [1, 0.5, 0.25, 0.125]
    assert [part_of_rate(depth, 0, TrainingConfig()) for depth in range(4)] == [1, 1, 1, 1]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_frozen_layers_stay_as_they_are_until_it_is_their_turn(optimizer: str) -> None:
    """Of a real tagger: after its first epoch the heads alone have moved; then the last layer with them."""
    examples = corpus(20, seed=1)
    settings = {"unfreeze": 1, "epochs": 2, "optimizer": optimizer, "patience": 0, "average": 0.0}
    tagger = Tagger.create(small(training=settings, encoder={"layers": 2}), examples)
    before = {name: weight.clone() for name, weight in tagger.network.named_parameters()}
    moved = []
    for progress in fit(Run(tagger, tagger.config.training), [tagger.encode(e) for e in examples], examples):
        if progress.scores:
            changed = [name for name, w in tagger.network.named_parameters() if not torch.equal(w, before[name])]
            moved.append({name.partition("wards")[0] for name in changed})
    assert moved[0]
    assert all(name.startswith("heads") or name.startswith("chains") for name in moved[0])
    assert moved[1] - moved[0] == {"encoder.layers.1.for", "encoder.layers.1.back"}
