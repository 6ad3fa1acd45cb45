"""The stream from records to written results: in order, in constant memory, with failures in their place."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TextIO

from nlpseq.cli import inputs
from nlpseq.cli.input_records import Record
from nlpseq.cli.tables import tell
from nlpseq.errors import NlpseqError, UsageError
from nlpseq.records import Failure, TokenizedText
from nlpseq.render import formats
from nlpseq.render.answer import Answer, Prediction
from nlpseq.render.safe import visible

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")


class RecordError(NlpseqError):
    """Some inputs could not be predicted; the others were."""

    exit_code = 3


class Pipeline(Protocol):
    """What is asked of a loaded checkpoint: one output per input, lazily and in order."""

    task: str

    def pipe(
        self, inputs: Iterable[str | Sequence[str] | TokenizedText], *, batch_size: int | None = None
    ) -> Iterator[Prediction | Failure]:
        """Predictions for raw texts, token sequences, and texts with their tokens."""


class Request(NamedTuple):
    """What the shared options of the predicting commands say."""

    texts: Sequence[str] | None
    source: str | None
    output: Path | None
    format: str
    checkpoint: str
    device: str
    threads: int | None
    batch_size: int | None
    input_format: str
    text_key: str | None
    strict: bool


@dataclass
class Tally:
    """How many answers went by, how many of them failed, and to how many there is a note."""

    total: int = 0
    failed: int = 0
    noted: int = 0


Adjust = Callable[[Any], Pipeline]  # picklable, for pipelines in several processes


def serve(
    task: str, request: Request, adjust: Adjust | None = None, *, on_format: Callable[[str], None] | None = None
) -> None:
    """Read, predict, render and write: the body of every predicting command.

    `adjust` makes of the loaded pipeline the one that is used, where options of one command alone ask for it;
    `on_format` is told the format that was chosen. Raises UsageError for a checkpoint of another task, and RecordError
    at the end (with `strict`, at once) where inputs failed.
    """
    formats.check(task, request.format)
    records = records_of(request)
    interactive = inputs.is_interactive(request.texts, request.source)
    batch_size = request.batch_size or (1 if interactive else None)
    tally = Tally()
    with output(request.output) as out:
        name = formats.choose(task, request.format, out, request.output.suffix if request.output else "")
        if on_format:
            on_format(name)
        pipeline = load(task, request, adjust)
        answers = counted(in_step(pipeline, records, batch_size), tally, request.strict, quiet=name == "jsonl")
        write(formats.render(task, name, answers, out), out, flush=batch_size == 1 or out.isatty())
    if tally.noted and task == "translate" and name == "text":  # which has no place for notes
        tell(
            f"Note: {tally.noted} of {tally.total} translations may be wrong in something, such as a number, a name, "
            "or their end; -f jsonl says in what."
        )
    if tally.failed:
        raise RecordError(f"{tally.failed} of {tally.total} inputs failed.")


def records_of(request: Request) -> Iterator[Record]:
    """What is to be read, and a word about what is most likely not meant so. Raises as `inputs.read`, and UsageError
    where the file that is read would be replaced.
    """
    _must_differ(request.source, request.output)
    given = request.texts, request.source, request.input_format, request.text_key
    records = inputs.read(*given)
    for sentence in inputs.doubts(*given):
        tell(sentence)
    return records


def _must_differ(source: str | None, output: Path | None) -> None:
    """Raises UsageError where answers are to take the place of the inputs."""
    if source and output and output.is_file() and Path(source).exists() and output.samefile(source):
        raise UsageError(f"-o {output} is the file that is read, which would be lost. Name another.")


def load(task: str, request: Request, adjust: Adjust | None = None) -> Any:
    """The pipeline of the checkpoint that is asked for, adjusted: without torch as long as little is read, then in as
    many processes as there are cores to use. A language model, which writes unit by unit, is faster without.

    Raises UsageError where it is for another task.
    """
    from nlpseq import api
    from nlpseq.quick import LIGHT_CHARACTERS, QuickPipeline
    from nlpseq.workers import SharedPipeline, processes_for

    few = request.batch_size is not None or inputs.is_interactive(request.texts, request.source)

    def for_much() -> Any:
        processes = 1 if few else processes_for(task, request.device, request.threads)
        if processes == 1:
            return on_torch(task, request, adjust)
        each = partial(on_torch, task, request._replace(device="cpu", threads=1), adjust)
        return SharedPipeline(task, each, processes)

    much = inputs.known_size(request.texts, request.source) > LIGHT_CHARACTERS.get(task, 0)
    may_be_light = request.device in {"auto", "cpu"} and not (much and task in LIGHT_CHARACTERS)
    light = api.load_light(request.checkpoint) if may_be_light else None
    if light is None:
        return for_much()
    ready = _ready(light, task, request, adjust)
    return QuickPipeline(ready, for_much) if task in LIGHT_CHARACTERS else ready


def on_torch(task: str, request: Request, adjust: Adjust | None) -> Any:
    """The adjusted pipeline in this process."""
    from nlpseq import api
    from nlpseq.device import flush_denormals

    flush_denormals()
    return _ready(api.load(request.checkpoint, device=request.device, threads=request.threads), task, request, adjust)


def _ready(pipeline: Any, task: str, request: Request, adjust: Adjust | None) -> Any:
    if pipeline.task != task:
        variable = os.environ.get("NLPSEQ_CHECKPOINT") == request.checkpoint
        named = " (as NLPSEQ_CHECKPOINT says, for every command)" if variable else ""
        raise UsageError(
            f"The checkpoint {request.checkpoint}{named} was trained for {pipeline.task}, not for {task}. "
            "`nlpseq checkpoints list` shows what there is; -c chooses."
        )
    return adjust(pipeline) if adjust else pipeline


def in_step(pipeline: Pipeline, records: Iterable[Record], batch_size: int | None = None) -> Iterator[Answer]:
    """Each record's answer. However far `pipe` reads ahead, only the records it has taken are kept.

    A record that could not be read goes through as an empty text, so that there is one output for each.
    """
    waiting: deque[Record] = deque()

    def values() -> Iterator[str | Sequence[str] | TokenizedText]:
        for record in records:
            waiting.append(record)
            yield record.value

    for prediction in pipeline.pipe(values(), batch_size=batch_size):
        record = waiting.popleft()
        error = record.error or (prediction.error if isinstance(prediction, Failure) else "")
        yield Answer(Failure(error, record.line) if error else prediction, record.extra)
    assert not waiting, "pipe() gives one output for each input"


def counted(answers: Iterable[Answer], tally: Tally, strict: bool, quiet: bool) -> Iterator[Answer]:
    """The same answers; failures are counted, and told on stderr unless `quiet`.

    With `strict` the first one raises RecordError.
    """
    for answer in answers:
        tally.total += 1
        if isinstance(answer.prediction, Failure):
            sentence = f"line {answer.prediction.line}: {answer.prediction.error}"
            if strict:
                raise RecordError(sentence)
            tally.failed += 1
            if not quiet:
                complain(sentence)
        elif getattr(answer.prediction, "note", None):
            tally.noted += 1
        yield answer


def write(chunks: Iterable[str], out: TextIO, flush: bool) -> None:
    """Each chunk as it comes; with `flush` it is seen at once."""
    for chunk in chunks:
        out.write(chunk)
        if flush:
            out.flush()


def complain(sentence: str) -> None:
    """An error on stderr, where no text from outside can play tricks on the terminal."""
    print(f"error: {visible(sentence)}", file=sys.stderr, flush=True)


@contextmanager
def output(path: Path | None) -> Iterator[TextIO]:
    """Stdout, or a file that appears in one step when all went well; after a failure nothing has changed.

    UTF-8 with line feeds, as `main.run` has made stdout. What is not an ordinary file (`/dev/null`, a named pipe) is
    written directly, and so is what is open already (`/dev/stdout`, `/dev/fd/3`), wherever that leads.
    """
    opened = descriptor_of(path)
    if opened == 1:
        yield sys.stdout
        sys.stdout.flush()
        return
    assert path is not None, "without a path it is stdout"
    if opened is not None:
        try:
            number = os.dup(opened)
        except (OSError, OverflowError) as error:
            raise UsageError(f"-o {path} cannot be written: {getattr(error, 'strerror', error)}.") from None
        with open(number, "w", encoding="utf-8", errors="replace", newline="\n") as out:  # noqa: PTH123
            yield out
    elif path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding="utf-8", errors="replace", newline="\n") as out:
            yield out
    else:
        with _atomic(path.resolve()) as out:
            yield out


def descriptor_of(path: Path | None) -> int | None:
    """The number of the open file that a path stands for: 1 for none and for `-`; None where it names a file."""
    if path is None or str(path) in {"-", "/dev/stdout"}:
        return 1
    if str(path) == "/dev/stderr":
        return 2
    found = _DESCRIPTOR.fullmatch(str(path))
    return int(found[1]) if found else None


@contextmanager
def _atomic(path: Path) -> Iterator[TextIO]:
    if path.is_dir():
        raise UsageError(f"-o {path} is a folder. Name a file.")
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise UsageError(f"-o {path} cannot be written: {error.strerror}.") from None
    try:
        with open(number, "w", encoding="utf-8", errors="replace", newline="\n") as out:  # noqa: PTH123
            yield out
            out.flush()
            os.fsync(number)
        Path(name).chmod(_mode_for(path))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _mode_for(path: Path) -> int:
    """The permissions of the file that is replaced, or those of any new file."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
