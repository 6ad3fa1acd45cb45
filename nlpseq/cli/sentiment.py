"""`nlpseq sentiment`: polarity and stars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nlpseq.cli import options

if TYPE_CHECKING:
    from nlpseq.api import SentimentPipeline

Explain = Annotated[
    bool,
    typer.Option(
        "--explain", help="Say how much each word speaks for the label (by occlusion: without it, how likely)."
    ),
]


def command(
    context: typer.Context,
    texts: options.Texts = None,
    source: options.Input = None,
    output: options.Output = None,
    format: options.OutputTextFormat = options.TextFormat.auto,
    explain: Explain = False,
    checkpoint: options.Checkpoint = "sentiment-en",
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    strict: options.Strict = False,
) -> None:
    """Judge opinions: polarity or the labels of your own checkpoint, and stars from 1 to 5.

    Inputs are TEXT, a file, or what is piped in, one per line; answers come in the same order, drawn on a
    terminal and as JSON Lines in a pipe.

    Example: nlpseq sentiment "The plot is thin, but I could not stop watching."
    """
    from functools import partial

    from nlpseq.cli import inputs, streams

    texts, source = inputs.named(texts, source)
    if inputs.nothing_given(texts, source):
        typer.echo(context.get_help())
        return
    request = streams.Request(
        texts, source, output, format, checkpoint, device, threads, batch_size, input_format, text_key, strict
    )
    streams.serve("sentiment", request, partial(_explaining, explain=explain))


def _explaining(pipeline: SentimentPipeline, explain: bool) -> SentimentPipeline:
    return pipeline.explaining(explain)
