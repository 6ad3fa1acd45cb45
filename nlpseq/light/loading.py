"""A checkpoint for the light networks: verified as thoroughly as by `checkpoint.py`, and read without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlpseq.light.language import LightLanguageModel
from nlpseq.light.sentiment import LightClassifier
from nlpseq.light.tagging import LightTagger
from nlpseq.light.translation import LightTranslator
from nlpseq.light.weights import NotLight, Weights
from nlpseq.manifest import WEIGHTS, Manifest, misfit, read_settings, verify
from nlpseq.tasks.context_config import CONTEXT

LIGHT: dict[str, Any] = {
    "tag": LightTagger,
    "sentiment": LightClassifier,
    "translate": LightTranslator,
    "lm": LightLanguageModel,
}


def load_light(folder: Path) -> tuple[Any, Manifest]:
    """The task of a checkpoint, verified first.

    Raises TrustError where the checkpoint is damaged, of an unknown format, or does not fit together; NotLight where it
    is one for torch.
    """
    manifest = verify(folder)
    if manifest.task not in LIGHT:
        raise NotLight(manifest.task)
    kind = LIGHT[manifest.task]
    try:
        config, plain = read_settings(folder, manifest, kind.config_type)
        parts = kind.read_plain(config, plain)
    except Exception as error:
        raise misfit(folder, error) from None
    if CONTEXT in plain:
        raise NotLight("beside words it reads the states of a language model, which is not here")
    with Weights(folder / WEIGHTS) as weights:
        return kind(weights, config, *parts), manifest
