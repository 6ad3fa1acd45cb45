"""How fast a checkpoint is on this machine, on given texts, beside the limit that its own recurrent layers set."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import torch

from nlpseq.api import load, load_light
from nlpseq.checkpoint import Manifest, find_checkpoint, load_task, read_manifest
from nlpseq.corpora.directions import Direction
from nlpseq.corpora.plain import read_plain
from nlpseq.corpora.sources import Reading, read_sources
from nlpseq.device import find_device, flush_denormals, use_threads
from nlpseq.errors import DataError, NlpseqError
from nlpseq.generation import GenerationPipeline
from nlpseq.layers_alone import layers_alone
from nlpseq.machine import peak_memory
from nlpseq.records import Continuation, Failure, TagPrediction
from nlpseq.render.answer import Answer
from nlpseq.render.formats import PLAIN
from nlpseq.workers import processes_for

UNITS = {"tag": "words", "sentiment": "texts", "translate": "texts"}  # of a language model, its own
COMMANDS = {"tag": "tag", "sentiment": "sentiment", "translate": "translate", "lm": "generate"}
SAMPLES = {"tag": "sample-tagging", "sentiment": "sample-sentiment", "translate": "sample-translation"}
SINGLE = 100  # texts that are answered one by one, at most, for the latency


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; medians where there are several runs.

    `per_second` counts `unit`s (words of a tagger; words, pieces or characters that a language model writes; else
    texts) from raw text to JSON Lines by a pipeline that was just loaded, in so many `processes` as the commands use
    for much text, `slowest` and `fastest` its runs; `one_per_second` is that of one process with one thread, where
    there are several, else None; `peak_bytes` is of that one, and None where the system does not tell.
    `layers_per_second` is the speed of the recurrent layers alone (of a translator, those that read), on tensors that
    lie ready; None where a model writes one unit after another. `start_seconds` is a whole fresh process that answers
    one text, None where none was started; `latency` and `latency_p95` are seconds for one text in a loaded pipeline of
    as many threads as there are processes.
    """

    checkpoint: str
    task: str
    unit: str
    texts: int
    units: int
    processes: int
    threads: int
    device: str
    runs: int
    start_seconds: float | None
    load_seconds: float
    latency: float
    latency_p95: float
    one_per_second: float | None
    per_second: float
    slowest: float
    fastest: float
    layers_per_second: float | None
    peak_bytes: int | None

    @property
    def share_of_layers(self) -> float | None:
        """`per_second` as a part of `layers_per_second`; above 1 where layers are read faster than in float32."""
        return self.per_second / self.layers_per_second if self.layers_per_second else None


def measure(
    checkpoint: str,
    texts: Sequence[str],
    *,
    device: str = "auto",
    threads: int | None = None,
    runs: int = 3,
    starts: int = 3,
) -> Speed:
    """Measures a checkpoint on texts: `runs` passes over them, and `starts` fresh processes that answer the first.

    Raises as `load` does, and DataError where there is nothing in the texts to be counted.
    """
    if not any(text.strip() for text in texts):
        raise DataError("There is no text to measure with.")
    flush_denormals()
    processes = processes_for(_manifest(checkpoint).task, device, threads)
    fresh = [whole_process(checkpoint, texts[0], device, threads) for _ in range(starts)]
    first = _fresh_pass(checkpoint, texts, device, threads if processes == 1 else 1)
    peak = peak_memory()  # of one pipeline and one pass, before others come
    if processes > 1:
        passes = [_shared_pass(checkpoint, texts, processes) for _ in range(runs)]
        use_threads(processes)
    else:
        passes = [first, *(_fresh_pass(checkpoint, texts, device, threads) for _ in range(runs - 1))]
    light = _without_torch(checkpoint, device) is not None
    speeds = [each.units / each.seconds for each in passes]
    singles = sorted(latencies(_loaded(checkpoint, device, threads), texts[:SINGLE]))
    return Speed(
        checkpoint=checkpoint,
        task=first.task,
        unit=first.unit,
        texts=len(texts),
        units=first.units,
        processes=processes,
        threads=1 if processes > 1 or light else torch.get_num_threads(),
        device="cpu" if light else str(find_device(device)),
        runs=runs,
        start_seconds=statistics.median(fresh) if fresh else None,
        load_seconds=statistics.median(each.loading for each in passes),
        latency=statistics.median(singles),
        latency_p95=singles[min(len(singles) - 1, int(0.95 * len(singles)))],
        one_per_second=first.units / first.seconds if processes > 1 else None,
        per_second=statistics.median(speeds),
        slowest=min(speeds),
        fastest=max(speeds),
        layers_per_second=_limit(checkpoint, texts, device, runs),
        peak_bytes=peak,
    )


class _Pass(NamedTuple):
    """A pipeline for `task` was loaded (seconds `loading`) and went through all texts once, counted in `unit`s."""

    task: str
    unit: str
    loading: float
    units: int
    seconds: float


def _fresh_pass(checkpoint: str, texts: Sequence[str], device: str, threads: int | None) -> _Pass:
    started = time.perf_counter()
    pipeline = _loaded(checkpoint, device, threads)
    loading = time.perf_counter() - started
    pipeline(texts[0])  # what is made at the first use is counted in the whole process
    return _Pass(pipeline.task, unit_of(pipeline), loading, *from_raw_text(pipeline, texts))


def _loaded(checkpoint: str, device: str, threads: int | None) -> Any:
    """The pipeline of a checkpoint as the commands use it for much; a language model writes the same each time."""
    pipeline = _without_torch(checkpoint, device) or load(checkpoint, device=device, threads=threads)
    return pipeline.writing_with(seed=1) if isinstance(pipeline, GenerationPipeline) else pipeline


def _without_torch(checkpoint: str, device: str) -> Any | None:
    """The pipeline of a checkpoint that the commands use without torch, however much there is, or None."""
    if _manifest(checkpoint).task != "lm" or device not in {"auto", "cpu"}:
        return None
    return load_light(checkpoint)


def _shared_pass(checkpoint: str, texts: Sequence[str], processes: int) -> _Pass:
    started = time.perf_counter()
    pipeline = load(checkpoint, processes=processes)
    try:
        pipeline.start()
        loading = time.perf_counter() - started
        for _ in pipeline.pipe([texts[0]] * processes, batch_size=1):
            pass
        return _Pass(pipeline.task, unit_of(pipeline), loading, *from_raw_text(pipeline, texts))
    finally:
        pipeline.close()


def _limit(checkpoint: str, texts: Sequence[str], device: str, runs: int) -> float | None:
    """Units a second of the layers alone, the median of the runs."""
    task, _ = load_task(find_checkpoint(checkpoint))
    task.network.to(find_device(device))
    found = [alone for alone in (layers_alone(task, texts) for _ in range(runs)) if alone is not None]
    speeds = [(alone.words if task.task == "tag" else alone.texts) / alone.seconds for alone in found]
    return statistics.median(speeds) if speeds else None


def from_raw_text(pipeline: Any, texts: Iterable[str], *, batch_size: int | None = None) -> tuple[int, float]:
    """Units of the answers, and seconds from the first text to the last byte of JSON Lines."""
    units = 0

    def answers() -> Iterator[Answer]:
        nonlocal units
        for prediction in pipeline.pipe(texts, batch_size=batch_size):
            units += _units(prediction)
            yield Answer(prediction)

    started = time.perf_counter()
    for chunk in PLAIN[pipeline.task]["jsonl"](answers()):
        chunk.encode()
    return units, time.perf_counter() - started


def latencies(pipeline: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Seconds that each text takes, given by itself, once the first has been answered."""
    pipeline(texts[0])
    result = []
    for text in texts:
        started = time.perf_counter()
        pipeline(text)
        result.append(time.perf_counter() - started)
    return result


def whole_process(checkpoint: str, text: str, device: str, threads: int | None) -> float:
    """Seconds of a fresh process that answers one text, its start and end included.

    Raises NlpseqError where it fails, with what it said.
    """
    task = _manifest(checkpoint).task
    options = ["-c", checkpoint, "--device", device, *(["--threads", str(threads)] if threads else [])]
    command = [sys.executable, "-m", "nlpseq.cli.main", COMMANDS[task], *options, "--", text]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise NlpseqError(f"nlpseq {COMMANDS[task]} failed: {done.stderr.decode(errors='replace').strip()}")
    return seconds


def sample_texts(checkpoint: str, *, begun: bool = False) -> list[str]:
    """Texts of the sample corpus that came with the install, for the task of a checkpoint.

    Of a language model they are whole lines, or where they are to be continued (`begun`) how the first few
    begin.

    Raises UsageError where there are none in its language.
    """
    manifest = _manifest(checkpoint)
    if manifest.task == "lm":
        lines = read_plain(["sample-text"], "dev")
        return [" ".join(line.split()[:3]) for line in islice(lines, 20)] if begun else list(lines)
    direction = Direction(*manifest.languages) if len(manifest.languages) == 2 else None
    examples = read_sources(manifest.task, [SAMPLES[manifest.task]], "dev", Reading(direction=direction))
    return [example.source if manifest.task == "translate" else example.text for example in examples]


def _manifest(checkpoint: str) -> Manifest:
    return read_manifest(find_checkpoint(checkpoint))


def unit_of(pipeline: Any) -> str:
    """What the answers of a pipeline are counted in."""
    return pipeline.model.config.text.unit if isinstance(pipeline, GenerationPipeline) else UNITS[pipeline.task]


def _units(prediction: object) -> int:
    if isinstance(prediction, Failure):
        return 0
    if isinstance(prediction, TagPrediction):
        return len(prediction.tokens)
    return prediction.tokens if isinstance(prediction, Continuation) else 1
