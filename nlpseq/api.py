"""What users hold: `load` a checkpoint, and send texts through the pipeline it gives."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from nlpseq.errors import UsageError
from nlpseq.given import FIRST_READ, READ_AHEAD, Text, read_ahead
from nlpseq.machine import let_threads_sleep
from nlpseq.manifest import Manifest, find_checkpoint, read_manifest
from nlpseq.pipelines import SentimentPipeline, TagPipeline, TranslationPipeline
from nlpseq.workers import SHARED, SharedPipeline

__all__ = [
    "FIRST_READ",
    "READ_AHEAD",
    "SentimentPipeline",
    "SharedPipeline",
    "TagPipeline",
    "Text",
    "TranslationPipeline",
    "load",
    "load_light",
    "read_ahead",
]


def load(
    checkpoint: str | Path, *, device: str = "auto", threads: int | None = None, processes: int | None = None
) -> Any:
    """The pipeline of a checkpoint: a folder, or the name of one that came with the install.

    It is a TagPipeline, a SentimentPipeline, a TranslationPipeline or a GenerationPipeline, as its task says. Each has
    `pipe` for many texts, with a Failure in the place of what cannot be read, and is called with one text or its words.
    With `processes` it is a SharedPipeline of so many, each on one CPU core: the fastest for much text, from a script
    whose main part stands under `if __name__ == "__main__":`.

    Raises UsageError where there is no such checkpoint, the device is not there, `threads` or `processes` is less than
    1 or both are given, or a language model is asked for in several processes; TrustError where the checkpoint is
    damaged. With `processes`, what is wrong with the weights is raised by `start` or `pipe`.

    `threads` are those of torch on a CPU, for the whole process; None: as torch has it. Where other work takes the
    cores, or texts come one at a time, 1 is often the fastest.
    """
    if processes is not None:
        if threads is not None or device not in {"auto", "cpu"}:
            raise UsageError("Each of several processes has one CPU core; give no threads and no device with them.")
        folder = find_checkpoint(checkpoint).resolve()  # it is opened later, wherever this process is then
        task_name = read_manifest(folder).task
        if task_name not in SHARED:
            raise UsageError(f"{checkpoint}: a checkpoint for {task_name} is used in one process.")
        return SharedPipeline(task_name, partial(load, folder, device="cpu", threads=1), processes)
    let_threads_sleep()
    from nlpseq.checkpoint import load_task
    from nlpseq.device import find_device, use_threads

    use_threads(threads)
    task, manifest = load_task(find_checkpoint(checkpoint))
    task.network.to(find_device(device))
    return pipeline(task, manifest)


def load_light(checkpoint: str | Path) -> Any | None:
    """The same pipeline on NumPy, without torch, for a few texts; None where torch is needed for this checkpoint.

    So it is for languages that spaCy itself has to be asked about. Raises what `load` raises.
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
