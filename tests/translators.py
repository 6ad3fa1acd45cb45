"""A translator small enough to be made in a moment, trained where asked, and its checkpoint."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from nlpseq.api import TranslationPipeline
from nlpseq.checkpoint import FORMAT, Manifest, save
from nlpseq.config import build
from nlpseq.tasks.translation import TranslationConfig, Translator
from nlpseq.training.loop import Run, fit
from tests.letters import pairs

SMALL: dict[str, Any] = {
    "pieces": {"size": 300},
    "vectors": {"width": 24, "dropout": 0.0},
    "encoder": {"width": 24, "layers": 1, "dropout": 0.0},
    "decoder": {"width": 32, "dropout": 0.0},
    "teaching": {"label_smoothing": 0.0},
    "training": {"epochs": 12, "learning_rate": 0.02, "average": 0.9, "batch_tokens": 200, "patience": 0},
}


def small(**sections: dict[str, Any]) -> TranslationConfig:
    """The small settings, with some changed: `small(decoder={"attention": "none"})`."""
    return build(
        TranslationConfig, {name: {**SMALL.get(name, {}), **sections.get(name, {})} for name in {**SMALL, **sections}}
    )


def untrained(seed: int = 0, **sections: dict[str, Any]) -> Translator:
    torch.manual_seed(seed)
    return Translator.create(small(**sections), pairs(50, seed=1))


def decided(translator: Translator) -> Translator:
    """The same with a larger readout: fresh weights make all pieces nearly equal, and the last digits choose."""
    with torch.no_grad():
        for weight in (translator.network.decoder.readout.weight, translator.network.decoder.readout.bias):
            weight.mul_(12)
    return translator


@cache
def trained() -> Translator:
    """One that has learnt the language of letters."""
    torch.manual_seed(0)
    examples = pairs(300, seed=1)
    translator = Translator.create(small(), examples)
    for _ in fit(Run(translator, translator.config.training), [translator.encode(e) for e in examples], examples[:50]):
        pass
    return translator


def manifest() -> Manifest:
    return Manifest(format=FORMAT, task="translate", languages=("en", "xx"), scores={"bleu": 12.5})


def pipeline(translator: Translator) -> TranslationPipeline:
    return TranslationPipeline(translator, manifest())


def write_checkpoint(folder: Path, translator: Translator) -> Path:
    save(translator, folder, manifest(), "# Letters\n")
    return folder
