"""`nlpseq bench`: how fast a checkpoint is on this machine, on your texts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from nlpseq.cli import options

if TYPE_CHECKING:
    from nlpseq.speed import Speed

MOST_TEXTS = 2000


def command(
    context: typer.Context,
    checkpoint: Annotated[
        str, typer.Argument(metavar="[CHECKPOINT]", help="A shipped checkpoint's name, or a folder.")
    ] = "tag-en",
    source: options.Input = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    texts: Annotated[
        int, typer.Option("--texts", metavar="N", min=1, help="How many texts of the input to measure with, at most.")
    ] = MOST_TEXTS,
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, help="Runs of which the median is shown.")] = 3,
    starts: Annotated[
        int, typer.Option("--starts", metavar="N", min=0, help="Fresh processes of which the median is shown.")
    ] = 3,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on a terminal too.")] = False,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
) -> None:
    """Measure a checkpoint: speed, latency, start-up and memory, beside the limit of its own layers.

    Texts are those of -i, or without it the sample corpus that came with the install. What else runs on the
    machine slows it down: look at the spread between runs.

    Example: nlpseq bench tag-en -i my-lines.txt
    """
    from nlpseq.cli.explicit import must_not_be_given
    from nlpseq.cli.inputs import OF_A_FILE, first_texts
    from nlpseq.cli.tables import show, tell
    from nlpseq.machine import describe_machine
    from nlpseq.speed import measure, sample_texts

    if not source:
        must_not_be_given(context, OF_A_FILE, "no file was given with -i that could be read so")
    given = first_texts(source, input_format.value, text_key, texts) if source else None
    wanted = sample_texts(checkpoint, begun=True)[:texts] if given is None else given
    if sys.stderr.isatty():
        tell(f"Measuring {checkpoint} on {len(wanted):,} texts ...")
    speed = measure(checkpoint, wanted, device=device.value, threads=threads, runs=runs, starts=starts)
    machine = describe_machine()
    if json or not sys.stdout.isatty():
        typer.echo(as_json(speed, machine))
        return
    show(("what", checkpoint), [*rows(speed), *_surroundings(machine)])


def as_json(speed: Speed, machine: Mapping[str, str]) -> str:
    """Everything that was measured as one JSON object; seconds, bytes, and units a second."""
    import msgspec

    share = speed.share_of_layers
    return msgspec.json.encode({**msgspec.structs.asdict(speed), "share_of_layers": share, "machine": machine}).decode()


def rows(speed: Speed) -> Iterator[tuple[str, str]]:
    """What was measured, as a person reads it."""
    yield "raw text to JSON Lines", f"{speed.per_second:,.0f} {speed.unit}/s"
    yield "slowest and fastest run", f"{speed.slowest:,.0f} to {speed.fastest:,.0f} {speed.unit}/s, {speed.runs} runs"
    if speed.one_per_second:
        yield "the same, one process", f"{speed.one_per_second:,.0f} {speed.unit}/s"
    if speed.layers_per_second and speed.share_of_layers:
        limit = f"{speed.layers_per_second:,.0f} {speed.unit}/s, of which {100 * speed.share_of_layers:.0f}% is reached"
        yield "the encoder alone" if speed.task == "translate" else "its recurrent layers alone", limit
    yield "one text, loaded", f"{1e3 * speed.latency:.1f} ms (95% within {1e3 * speed.latency_p95:.1f} ms)"
    if speed.start_seconds:
        yield "one text, whole command", f"{speed.start_seconds:.2f} s"
    yield "loading", f"{speed.load_seconds:.2f} s"
    if speed.peak_bytes:
        yield "peak memory of one process", f"{speed.peak_bytes / 2**20:,.0f} MiB"
    yield "measured with", f"{speed.texts:,} texts, {speed.units:,} {speed.unit}"
    many = f"{speed.processes} processes of one thread" if speed.processes > 1 else f"{speed.threads} thread(s)"
    yield "with", f"{many} ({speed.device})"


def _surroundings(machine: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, machine[name]) for name in ("processor", "cores", "memory")]
