"""What users hold: `load` a checkpoint, and send texts through the pipeline it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlpseq.given import FIRST_READ, READ_AHEAD, Text, read_ahead
from nlpseq.manifest import Manifest, find_checkpoint
from nlpseq.pipelines import SentimentPipeline, TagPipeline, TranslationPipeline

__all__ = [
    "FIRST_READ",
    "READ_AHEAD",
    "SentimentPipeline",
    "TagPipeline",
    "Text",
    "TranslationPipeline",
    "load",
    "load_light",
    "read_ahead",
]


def load(checkpoint: str | Path, *, device: str = "auto", threads: int | None = None) -> Any:
    """The pipeline of a checkpoint: a folder, or the name of one that came with the install.

    It is a TagPipeline, a SentimentPipeline, a TranslationPipeline or a GenerationPipeline, as its task says; `pipe`,
    and a call, are the same for every task. Raises UsageError where there is no such checkpoint, the device is not
    there or `threads` is less than 1, TrustError where the checkpoint is damaged.
    """
    from nlpseq.checkpoint import load_task
    from nlpseq.device import find_device, use_threads

    use_threads(threads)
    task, manifest = load_task(find_checkpoint(checkpoint))
    task.network.to(find_device(device))
    return pipeline(task, manifest)


def load_light(checkpoint: str | Path) -> Any | None:
    """The same pipeline on NumPy, without torch, for a few texts; None where torch is needed for this checkpoint.

    So it is for language models, and for languages that spaCy itself has to be asked about. Raises what `load` raises.
    """
    from nlpseq.light.loading import load_light as loaded
    from nlpseq.light.weights import NotLight

    try:
        return pipeline(*loaded(find_checkpoint(checkpoint)))
    except NotLight:
        return None


def pipeline(task: Any, manifest: Manifest) -> Any:
    """The pipeline around a task, on torch or on NumPy."""
    if manifest.task == "lm":
        from nlpseq.generation import GenerationPipeline

        return GenerationPipeline(task, manifest)
    kinds: dict[str, Any] = {"tag": TagPipeline, "sentiment": SentimentPipeline, "translate": TranslationPipeline}
    return kinds[manifest.task](task, manifest)
