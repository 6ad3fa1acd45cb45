"""`nlpseq translate`: texts in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpseq.cli import options

if TYPE_CHECKING:
    from nlpseq.api import TranslationPipeline

Alternatives = Annotated[
    int,
    typer.Option("--alternatives", metavar="N", min=0, help="Show the N best translations (in a pipe: between tabs)."),
]
ShowAttention = Annotated[
    bool, typer.Option("--attention", help="Show where the model looked: a heat map; in JSON Lines and HTML, figures.")
]
OwnCheckpoint = Annotated[
    str | None,
    typer.Option(
        "-c", "--checkpoint", metavar="NAME|FOLDER", envvar="NLPSEQ_CHECKPOINT",
        help="A shipped checkpoint's name, or a folder; else it is chosen by the languages.",
    ),
]  # fmt: skip


def command(
    context: typer.Context,
    texts: options.Texts = None,
    to_language: options.ToLanguage = None,
    from_language: options.FromLanguage = None,
    source: options.Input = None,
    output: options.Output = None,
    format: options.OutputTextFormat = options.TextFormat.auto,
    alternatives: Alternatives = 0,
    beam_size: options.BeamSize = None,
    attention: ShowAttention = False,
    checkpoint: OwnCheckpoint = None,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    strict: options.Strict = False,
) -> None:
    """Translate texts, sentence by sentence; spacing, blank lines and addresses stay as they are.

    Inputs are TEXT, a file, or what is piped in, one per line; translations come in the same order, drawn with their
    scores on a terminal and as plain lines in a pipe (where a line break inside a TEXT is a space; -f jsonl keeps it).

    Example: nlpseq translate --to fr "Do you want to sing with me?"
    """
    from functools import partial

    from nlpseq.cli import inputs, streams

    texts, source = inputs.named(texts, source)
    if inputs.nothing_given(texts, source):
        typer.echo(context.get_help())
        return
    name = checkpoint or _chosen(from_language, to_language)
    request = streams.Request(
        texts, source, output, format, name, device, threads, batch_size, input_format, text_key, strict
    )
    languages = (from_language, to_language)
    search = {"beam_size": beam_size, "alternatives": alternatives, "attention": attention}
    adjust = partial(_adjusted, name=name, languages=languages, search=search)
    streams.serve("translate", request, adjust, on_format=_doubt_attention if attention else None)


def _doubt_attention(format: str) -> None:
    from nlpseq.cli.tables import tell

    if format in {"text", "tsv"}:
        tell("Note: plain lines show no attention. -f jsonl, html or rich does.")


def _adjusted(
    pipeline: TranslationPipeline, name: str, languages: tuple[str | None, str | None], search: dict[str, Any]
) -> TranslationPipeline:
    _must_speak(pipeline, name, *languages)
    return pipeline.searching(**search)


def _chosen(source: str | None, target: str | None) -> str:
    """The name of the shipped checkpoint for these languages. Raises UsageError."""
    from nlpseq.errors import UsageError
    from nlpseq.manifest import find_translator

    if target is None:
        raise UsageError("Into which language? Say --to fr, or name a checkpoint with -c.")
    return find_translator(source, target)


def _must_speak(pipeline: TranslationPipeline, name: str, source: str | None, target: str | None) -> None:
    """Raises UsageError where a checkpoint says that it has other languages than were asked for."""
    from nlpseq.errors import UsageError

    for own, wanted in zip(pipeline.manifest.languages, (source, target), strict=False):
        if wanted is not None and own.casefold() != wanted.casefold():
            pair = " to ".join(pipeline.manifest.languages)
            raise UsageError(f"The checkpoint {name} translates from {pair}; you asked for {wanted}.")
