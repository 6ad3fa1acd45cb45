"""A classifier small enough to be made in a moment, trained where asked, and its checkpoint."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from nlpseq.api import SentimentPipeline
from nlpseq.checkpoint import FORMAT, Manifest, save
from nlpseq.config import build
from nlpseq.tasks.sentiment import Classifier, SentimentConfig
from nlpseq.training.loop import Run, fit
from tests.opinions import opinions

SMALL: dict[str, Any] = {
    "lowercase": 0.0,
    "embedding": {
        "width": 16, "min_count": 1, "character_width": 4, "character_features": 8, "affix_width": 4,
        "dropout": 0.0, "word_dropout": 0.0,
    },
    "encoder": {"width": 16, "layers": 1, "dropout": 0.0},
    "classifier": {"dropout": 0.0},
    "training": {"epochs": 12, "learning_rate": 0.02, "average": 0.9, "batch_tokens": 200, "patience": 0},
}  # fmt: skip


def small(**sections: dict[str, Any]) -> SentimentConfig:
    """The small settings, with some changed: `small(encoder={"cell": "gru"})`."""
    names = {**SMALL, **sections}
    values = {name: {**SMALL.get(name, {}), **sections.get(name, {})} if name != "lowercase" else 0.0 for name in names}
    return build(SentimentConfig, values)


def untrained(seed: int = 0, **sections: dict[str, Any]) -> Classifier:
    """A classifier with random weights, large enough that probabilities are far from equal."""
    torch.manual_seed(seed)
    classifier = Classifier.create(small(**sections), opinions(30, seed=1))
    with torch.no_grad():
        for head in classifier.network.heads:
            head.weight.mul_(5)
    return classifier


@cache
def trained() -> Classifier:
    """One that has learnt the synthetic opinions, negation among them."""
    torch.manual_seed(0)
    classifier = Classifier.create(small(), opinions(200, seed=1))
    examples = opinions(200, seed=1)
    for _ in fit(Run(classifier, classifier.config.training), [classifier.encode(e) for e in examples], examples):
        pass
    return classifier


def manifest() -> Manifest:
    return Manifest(format=FORMAT, task="sentiment", languages=("en",), scores={"polarity": 12.5})


def pipeline(classifier: Classifier | None = None) -> SentimentPipeline:
    return SentimentPipeline(classifier or untrained(), manifest())


def write_checkpoint(folder: Path, classifier: Classifier | None = None) -> Path:
    save(classifier or untrained(), folder, manifest(), "# A card\n")
    return folder
