"""Vectors that are moved against a classifier."""

from __future__ import annotations

import pytest
import torch

from nlpseq.tasks.adversarial import against
from tests.tasks.test_sentiment import opinions, untrained

STILL = {"embedding": {"dropout": 0.0}, "encoder": {"dropout": 0.0}, "classifier": {"dropout": 0.0}}


def test_each_window_is_moved_as_far_as_is_said_and_uphill() -> None:
    """The loss is a sum over windows of (w · v)², whose gradient is 2 (w · v) w; a window without gradient stays."""
    weights = torch.tensor([3.0, 4.0])
    vectors = torch.tensor([[[1.0, 1.0]], [[-2.0, 0.0]], [[4.0, -3.0]]], requires_grad=True)
    moved = against(vectors, ((vectors @ weights) ** 2).sum(), 0.5)
    assert torch.allclose(moved - vectors, torch.tensor([[[0.3, 0.4]], [[-0.3, -0.4]], [[0.0, 0.0]]]))
    (slope,) = torch.autograd.grad(moved.sum(), vectors)
    assert torch.equal(slope, torch.ones_like(vectors))


@pytest.mark.parametrize("words", ["learnt", "one_hot"])
def test_its_losses_are_higher_where_it_is_moved_a_little(words: str) -> None:
    """Without dropout, a small step up the gradient of the whole loss is one up for it, whatever the weights are."""
    settings = {**STILL, "classifier": {"dropout": 0.0, "adversarial": 0.05}}
    settings["embedding"] = {"dropout": 0.0, "words": words, "characters": "none", "affix_width": 0}
    classifier = untrained(**settings)
    classifier.network.train()
    batch = classifier.collate([classifier.encode(example) for example in opinions(12, 4)])
    losses = {name: float(total.detach()) / count for name, (total, count) in classifier.losses(batch).items()}
    clean = {name for name in losses if "adversarial" not in name}
    assert {f"{name}, adversarial" for name in clean} == losses.keys() - clean
    assert sum(losses[f"{name}, adversarial"] for name in clean) > sum(losses[name] for name in clean)


def test_in_evaluation_nothing_is_moved() -> None:
    classifier = untrained(classifier={"adversarial": 0.5})
    classifier.network.eval()
    batch = classifier.collate([classifier.encode(example) for example in opinions(4, 4)])
    assert classifier.losses(batch).keys() == {"polarity", "stars"}
