"""Language models small enough to be made in a moment, trained where asked, and a text that they can learn."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from nlpseq.checkpoint import FORMAT, Manifest, save
from nlpseq.config import build
from nlpseq.generation import GenerationPipeline
from nlpseq.tasks.language_config import LanguageModelConfig
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.training.loop import Run, fit

NUMBERS = ("one", "two", "three", "four", "five", "six")
SMALL: dict[str, Any] = {
    "text": {"unit": "words", "min_count": 1},
    "embedding": {
        "width": 12, "min_count": 1, "character_width": 4, "character_features": 8, "affix_width": 4,
        "word_dropout": 0.0, "dropout": 0.0, "hidden": 0.0,
    },
    "encoder": {"width": 16, "layers": 1, "dropout": 0.0, "weight_dropout": 0.0},
    "training": {
        "epochs": 6, "learning_rate": 0.02, "average": 0.9, "batch_tokens": 64, "unroll": 16, "patience": 0,
        "evaluate_every": 0,
    },
}  # fmt: skip


def counting(lines: int = 60) -> list[str]:
    """Each line counts five numbers on from where the line before it stopped: after six comes one."""
    return [" ".join(NUMBERS[(5 * line + step) % 6] for step in range(5)) for line in range(lines)]


def small(unit: str = "words", **sections: dict[str, Any]) -> LanguageModelConfig:
    """The small settings, with some changed."""
    given = {**sections, "text": {"unit": unit, **sections.get("text", {})}}
    values = {name: {**SMALL.get(name, {}), **given.get(name, {})} for name in {**SMALL, **given}}
    return build(LanguageModelConfig, values)


def untrained(unit: str = "words", seed: int = 0, **sections: dict[str, Any]) -> LanguageModel:
    torch.manual_seed(seed)
    return LanguageModel.create(small(unit, **sections), counting())


@cache
def trained(unit: str = "words") -> LanguageModel:
    """One that has learnt to count, in units as asked; what is smaller than words takes longer."""
    sections: dict[str, Any] = {"text": {"size": 290}, "training": {"epochs": 40 if unit != "words" else 12}}
    model = untrained(unit, **sections)
    lines = counting()
    for _ in fit(Run(model, model.config.training), [model.encode(line) for line in lines], lines):
        pass
    return model


def manifest() -> Manifest:
    return Manifest(format=FORMAT, task="lm", languages=("en",), scores={"perplexity": 1.5})


def pipeline(unit: str = "words", **settings: Any) -> GenerationPipeline:
    return GenerationPipeline(trained(unit), manifest()).writing_with(**settings)


def write_checkpoint(folder: Path, model: LanguageModel | None = None) -> Path:
    save(model or trained(), folder, manifest(), "# A card\n")
    return folder
