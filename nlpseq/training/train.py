"""A whole training run on disk: examples and settings in; a checkpoint, a log and a state to resume from out."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from nlpseq.checkpoint import FORMAT, MANIFEST, Manifest, load_task, round_weights, save
from nlpseq.device import find_device
from nlpseq.digest import sha256_of
from nlpseq.errors import DataError, UsageError
from nlpseq.model_card import model_card
from nlpseq.records import LabelledText, Progress, SentencePair, Source, TaggedSentence
from nlpseq.tasks import TASKS, Task
from nlpseq.tasks.pretrained import start_from
from nlpseq.tasks.teachers import Labels, must_share_labels
from nlpseq.training.doubts import doubt_of
from nlpseq.training.lock import locked
from nlpseq.training.loop import Run, fit
from nlpseq.training.named_files import named_files
from nlpseq.training.resume import RESUME, read_state, remove_state, write_state

LOG = "log.jsonl"
OURS = (RESUME, LOG, MANIFEST)  # by one of these a folder is known to hold a run
SAVE_SECONDS = 120.0
_log = logging.getLogger(__name__)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a training run gives. `time_limit` is in seconds."""

    task: str
    config: Any
    train: Sequence[Any]
    dev: Sequence[Any]
    output: Path
    languages: tuple[str, ...] = ()
    trained_on: tuple[Source, ...] = ()
    dev_on: tuple[str, ...] = ()
    command: str = ""
    notes: str = ""
    teachers: tuple[Path, ...] = ()
    start: Path | None = None
    pretrained: Path | None = None
    resume: bool = False
    time_limit: float | None = None
    device: str = "auto"

    def fingerprint(self) -> str:
        """A digest of the settings, the files that they name, and the examples: a run may be resumed only where it is
        the same.
        """
        digest = hashlib.sha256(msgspec.json.encode(self.config))
        nowhere = {"path": None, "line": None}  # the same examples may lie elsewhere
        for checkpoint in (*self.teachers, *filter(None, (self.start, self.pretrained))):
            digest.update((checkpoint / MANIFEST).read_bytes())
        for path in named_files(self.config):
            digest.update(sha256_of(path).encode())
        for example in chain(self.train, ["dev"], self.dev):
            same = msgspec.structs.replace(example, **nowhere) if isinstance(example, msgspec.Struct) else example
            digest.update(msgspec.msgpack.encode(same))
        return digest.hexdigest()


def hold_out(examples: Sequence[Any], seed: int, part: float = 0.1) -> tuple[list[Any], list[Any]]:
    """Splits examples into training and development parts at random; each keeps its order.

    The same sentence or text, as often as it comes, and all translations of a sentence fall into one part.
    """
    keys = [_same(example) for example in examples]
    different = list(dict.fromkeys(keys))
    count = max(1, round(part * len(different)))
    if count >= len(different):
        raise DataError(f"{len(different)} different training example(s) are too few to hold some out for development.")
    held = {different[index] for index in random.Random(seed).sample(range(len(different)), count)}
    train = [example for key, example in zip(keys, examples, strict=True) if key not in held]
    return train, [example for key, example in zip(keys, examples, strict=True) if key in held]


def _same(example: Any) -> Any:
    """What two examples have in common that are the same to a model, whatever their labels."""
    match example:
        case SentencePair():
            return example.source
        case LabelledText():
            return example.text
        case TaggedSentence():
            return example.tokens
    return example


def train(job: Job) -> Iterator[Progress]:
    """Runs a job, yielding its progress; `job.output` holds the best checkpoint so far from the first evaluation on.

    The state of the run is saved with every evaluation and at least every two minutes in `resume/`, and removed at the
    end. Raises UsageError where `output` is in the way or another training's, or the state belongs to other data or
    settings.
    """
    with locked(job.output):
        yield from _train(job)


def _train(job: Job) -> Iterator[Progress]:
    began = time.monotonic()
    fingerprint = job.fingerprint()
    must_have_room(job.output, resume=job.resume)
    task, run = _begin(job, fingerprint)
    teachers = _teachers(task, job)
    job.output.mkdir(parents=True, exist_ok=True)
    _forget_after(run.step, job.output / LOG)
    items = _encoded(task, job)
    if teachers:
        items = task.taught(items, job.train, teachers)
    limit = None if job.time_limit is None else max(1.0, job.time_limit - (time.monotonic() - began))
    saved = run.seconds
    for progress in fit(run, items, job.dev, time_limit=limit):
        with (job.output / LOG).open("ab") as log:  # anew, since a checkpoint may replace it by a copy of it
            log.write(msgspec.json.encode(progress) + b"\n")
        if progress.scores is not None or run.seconds - saved > SAVE_SECONDS:
            write_state(job.output, fingerprint, *run.state(), config=job.config)
            saved = run.seconds
        if progress.best:  # after the state, without which a checkpoint means that the run is over
            _save(job, task, run.best_scores, run)
        yield progress
    round_weights(task.network)
    task.calibrate(job.dev)
    scores = task.score(job.dev)
    _save(job, task, scores)
    remove_state(job.output)
    doubt = doubt_of(scores, job.dev)
    if doubt:
        _log.warning("Warning: %s", doubt)


def must_have_room(output: Path, *, resume: bool) -> None:
    """Raises UsageError where a folder is in the way of a run, or with `resume` of any but one of ours."""
    if output.is_file():
        raise UsageError(f"{output}: is a file; -o names a folder.")
    if output.resolve() == Path.cwd():
        raise UsageError(f"{output}: is the folder you are in, which cannot be replaced beneath you. Name another.")
    if output.exists() and any(output.iterdir()) and not resume:
        raise UsageError(f"{output}: is not empty. Choose another folder, or go on with --resume.")
    if output.exists() and any(output.iterdir()) and not any((output / name).exists() for name in OURS):
        raise UsageError(f"{output}: holds something else than a training run, so there is nothing to resume.")


def _begin(job: Job, fingerprint: str) -> tuple[Task, Run]:
    """A fresh run, or the one that `resume/` holds."""
    settings = job.config.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        task = _continued(job) if job.start else TASKS[job.task].create(job.config, job.train)
        if job.pretrained:
            task = start_from(task, load_task(job.pretrained)[0])
    run = Run(_on_device(task, job), settings)
    if job.resume:
        state = read_state(job.output, fingerprint, config=job.config)
        if state:
            _restore(run, state, job)
        elif (job.output / MANIFEST).exists():
            remove_state(job.output)
            raise UsageError(f"{job.output}: this run is over; there is nothing to resume.")
    return task, run


def _restore(run: Run, state: tuple[dict[str, Tensor], dict[str, Any]], job: Job) -> None:
    try:
        run.restore(*state)
    except KeyError as error:
        raise UsageError(
            f"{job.output / RESUME}: was written by another version of nlpseq, without {error}. Go on with that one, "
            "or begin anew in another folder."
        ) from None


def _on_device(task: Task, job: Job) -> Task:
    task.network.to(find_device(job.device))
    return task


def _teachers(task: Task, job: Job) -> list[Task]:
    """The checkpoints to learn from. Raises UsageError where the labels of one are not those of the task."""
    teachers = []
    for folder in job.teachers:
        teacher = _on_device(load_task(folder)[0], job)
        must_share_labels(_labels(task), _labels(teacher), f"--teacher {folder}")
        teachers.append(teacher)
    return teachers


def _labels(task: Task) -> Labels:
    return getattr(task, "labels", {})  # a translator has none


_RENAMING = {"tag": ": `nlpseq corpora convert --label OLD=NEW`"}


def _continued(job: Job) -> Task:
    """A model with the vocabularies and weights of the checkpoint to start from. Raises UsageError if it cannot be."""
    assert job.start is not None, "asked only where there is one"
    given, _ = load_task(job.start)
    task: Task = TASKS[job.task].from_plain(job.config, given.to_plain())
    try:
        task.network.load_state_dict(given.network.state_dict())
    except RuntimeError:
        raise UsageError(
            f"{job.start}: its weights do not fit the settings given. Beside --start only such settings may differ as "
            "leave the network its shape: those of training, dropout and the like."
        ) from None
    task.go_on(job.train)
    return task


def _encoded(task: Task, job: Job) -> Sequence[Any]:
    """The training examples as items. Raises UsageError for a label that the checkpoint to start from does not know."""
    try:
        return task.kept(map(task.encode, job.train), job.output / RESUME)
    except KeyError as error:
        if job.start is None:
            raise
        raise UsageError(
            f"--start {job.start.name}: has not learnt the label {error}, which the training examples have. Train from "
            "scratch, without --start; or if it has another name there, change it"
            f"{_RENAMING.get(job.task, ' in the data')}."
        ) from None


def _forget_after(step: int, log: Path) -> None:
    """Drops from the log the steps that the run will take again, and a last line that a kill cut short."""
    if log.exists():
        lines = log.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith(b"\n") and _step_of(line) <= step]
        log.with_suffix(".new").write_bytes(b"".join(kept))
        log.with_suffix(".new").replace(log)


def _step_of(line: bytes) -> float:
    try:
        return msgspec.json.decode(line, type=Progress).step
    except msgspec.DecodeError:  # damaged; it tells nothing
        return float("inf")


def _save(job: Job, task: Task, scores: dict[str, float], run: Run | None = None) -> None:
    manifest = Manifest(
        format=FORMAT,
        task=job.task,
        languages=job.languages,
        scores={name: round(score, 2) for name, score in scores.items()},
        trained_on=job.trained_on,
        dev=job.dev_on,
    )
    card = model_card(job.output.name, manifest, task, command=job.command, notes=job.notes)
    save(task, job.output, manifest, card, weights=run.best if run else None)
