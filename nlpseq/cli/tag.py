"""`nlpseq tag`: parts of speech and named entities."""

from __future__ import annotations

import typer

from nlpseq.cli import options


def command(
    context: typer.Context,
    texts: options.Texts = None,
    source: options.Input = None,
    output: options.Output = None,
    format: options.OutputFormat = options.Format.auto,
    checkpoint: options.Checkpoint = "tag-en",
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    strict: options.Strict = False,
) -> None:
    """Tag parts of speech and named entities.

    Inputs are TEXT, a file, or what is piped in, one per line; answers come in the same order, as a table on
    a terminal and as JSON Lines in a pipe.

    Example: nlpseq tag "Sumesh worked at Cisco in Bengaluru"
    """
    from nlpseq.cli import inputs, streams

    texts, source = inputs.named(texts, source)
    if inputs.nothing_given(texts, source):
        typer.echo(context.get_help())
        return
    request = streams.Request(
        texts,
        source,
        output,
        format.value,
        checkpoint,
        device.value,
        threads,
        batch_size,
        input_format.value,
        text_key,
        strict,
    )
    streams.serve("tag", request)
