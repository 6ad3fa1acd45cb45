"""Vectors that are moved against a classifier."""

from __future__ import annotations

import msgspec
import pytest
import torch

from nlpseq.tasks.adversarial import divergence, nudged, uphill
from tests.tasks.test_sentiment import opinions, untrained

STILL = {"embedding": {"dropout": 0.0}, "encoder": {"dropout": 0.0}, "classifier": {"dropout": 0.0}}


def test_each_window_is_moved_as_far_as_is_said_and_uphill() -> None:
    """The loss is a sum over windows of (w · v)², whose gradient is 2 (w · v) w; a window without gradient stays."""
    weights = torch.tensor([3.0, 4.0])
    vectors = torch.tensor([[[1.0, 1.0]], [[-2.0, 0.0]], [[4.0, -3.0]]], requires_grad=True)
    move = uphill(vectors, ((vectors @ weights) ** 2).sum(), 0.5)
    assert torch.allclose(move, torch.tensor([[[0.3, 0.4]], [[-0.3, -0.4]], [[0.0, 0.0]]]))
    moved = vectors + move
    (slope,) = torch.autograd.grad(moved.sum(), vectors)
    assert torch.equal(slope, torch.ones_like(vectors))


@pytest.mark.parametrize("words", ["learnt", "one_hot"])
def test_its_losses_are_higher_where_it_is_moved_a_little(words: str) -> None:
    """Without dropout, a small step up the gradient of the whole loss is one up for it, whatever the weights are."""
    settings = {**STILL, "classifier": {"dropout": 0.0, "adversarial": 0.05}}
    settings["embedding"] = {"dropout": 0.0, "words": words, "characters": "none", "affix_width": 0}
    settings["classifier"]["ngrams"] = 0
    classifier = untrained(**settings)
    classifier.network.train()
    batch = classifier.collate([classifier.encode(example) for example in opinions(12, 4)])
    losses = {name: float(total.detach()) / count for name, (total, count) in classifier.losses(batch).items()}
    clean = {name for name in losses if "adversarial" not in name}
    assert {f"{name}, adversarial" for name in clean} == losses.keys() - clean
    assert sum(losses[f"{name}, adversarial"] for name in clean) > sum(losses[name] for name in clean)


def test_in_evaluation_nothing_is_moved() -> None:
    classifier = untrained(classifier={"adversarial": 0.5, "virtual_adversarial": 0.5})
    classifier.network.eval()
    batch = classifier.collate([classifier.encode(example) for example in opinions(4, 4)])
    assert classifier.losses(batch).keys() == {"polarity", "stars", "polarity, by n-grams", "stars, by n-grams"}


def test_answers_change_more_uphill_than_at_random() -> None:
    """Where nothing moves nothing changes. A move along the gradient, without dropout, changes the answers to twenty
    texts more than one of the same length at random does, for every one of ten seeds.
    """
    settings = {**STILL, "classifier": {"dropout": 0.0, "virtual_adversarial": 0.5}}
    for seed in range(10):
        torch.manual_seed(seed)
        classifier = untrained(**settings)
        classifier.network.train()
        batch = classifier.collate([classifier.encode(example) for example in opinions(20, 4)])
        losses = classifier.losses(batch)
        with torch.no_grad():
            vectors = classifier.table.embedded(classifier.network.embedding, batch.texts.rows_RW, classifier.device)
            here = classifier.network.logits(vectors, batch.texts)
            by_chance = classifier.network.logits(nudged(vectors, 5.0), batch.texts)  # a tenth of that: 0.5
        for scheme, logits in here.items():
            change, count = losses[f"{scheme}, virtually adversarial"]
            assert float(divergence(logits, logits)) == pytest.approx(0, abs=1e-6)
            assert count == len(batch.texts.lengths_B)
            assert float(change.detach()) > float(divergence(by_chance[scheme], logits)) >= 0


def test_texts_without_labels_teach_where_answers_should_not_change() -> None:
    """Every weight of the recurrent model gets a gradient, though no text has a label."""
    classifier = untrained(classifier={"virtual_adversarial": 0.5, "ngrams": 0})
    classifier.network.train()
    unlabelled = [msgspec.structs.replace(example, labels={}) for example in opinions(8, 4)]
    losses = classifier.losses(classifier.collate([classifier.encode(example) for example in unlabelled]))
    assert losses.keys() == {"polarity, virtually adversarial", "stars, virtually adversarial"}
    torch.stack([total / count for total, count in losses.values()]).sum().backward()
    gradients = {name: weight.grad for name, weight in classifier.network.named_parameters()}
    assert {name for name, gradient in gradients.items() if gradient is None} == set()
