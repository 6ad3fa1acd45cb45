"""A tagger small enough to be made in a moment, and its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from nlpseq.checkpoint import FORMAT, Manifest, save
from nlpseq.config import build
from nlpseq.records import Source
from nlpseq.tasks.tagging import Tagger, TaggingConfig
from tests.examples import corpus

SMALL: dict[str, dict[str, Any]] = {
    "embedding": {
        "width": 8,
        "min_count": 1,
        "character_width": 4,
        "character_features": 8,
        "affix_width": 4,
    },
    "encoder": {"width": 8, "layers": 1},
}


def small(**sections: dict[str, Any]) -> TaggingConfig:
    """The small settings, with some changed: `small(encoder={"cell": "gru"})`."""
    names = {**SMALL, **sections}
    return build(TaggingConfig, {name: {**SMALL.get(name, {}), **sections.get(name, {})} for name in names})


def untrained(seed: int = 0, **sections: dict[str, Any]) -> Tagger:
    """A tagger with random weights, large enough that probabilities are far from equal."""
    torch.manual_seed(seed)
    tagger = Tagger.create(small(**sections), corpus(20, seed=1))
    with torch.no_grad():
        for head in tagger.network.heads.values():
            head.weight.mul_(5)
    return tagger


def manifest(**changes: Any) -> Manifest:
    values = {"format": FORMAT, "task": "tag", "languages": ("en",), "scores": {"upos": 12.5}, "dev": ("dev.conllu",)}
    return Manifest(**{**values, "trained_on": (Source("train.conllu", "CC0-1.0"),), **changes})


def write_checkpoint(folder: Path, tagger: Tagger | None = None) -> Path:
    save(tagger or untrained(), folder, manifest(), "# A card\n")
    return folder
