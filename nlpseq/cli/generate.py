"""`nlpseq generate`: continue texts, or suggest the next word."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpseq.cli import options

if TYPE_CHECKING:
    from nlpseq.cli.streams import Request
    from nlpseq.generation import GenerationPipeline

MaxTokens = Annotated[int, typer.Option("--max-tokens", metavar="N", min=1, help="Units that are written, at most.")]
Temperature = Annotated[
    float,
    typer.Option("--temperature", metavar="T", min=0, help="Below 1 more of the likely; 0: always the likeliest."),
]
TopK = Annotated[
    int, typer.Option("--top-k", metavar="K", min=0, help="Draw from the K likeliest units alone; 0: all.")
]
TopP = Annotated[
    float, typer.Option("--top-p", metavar="P", help="Draw from the likeliest that have this probability together.")
]
BeamSize = Annotated[
    int,
    typer.Option("--beam-size", metavar="N", min=0, help="Search for the likeliest text with N hypotheses; 0: draw."),
]
Suggest = Annotated[
    int, typer.Option("--suggest", metavar="N", min=0, help="Instead, the N likeliest next words with probabilities.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="The same seed draws the same text.")]

_DRAWING = ("temperature", "top_k", "top_p", "seed")


def command(
    context: typer.Context,
    texts: options.Texts = None,
    source: options.Input = None,
    output: options.Output = None,
    format: options.OutputLineFormat = options.LineFormat.auto,
    max_tokens: MaxTokens = 60,
    temperature: Temperature = 0.8,
    top_k: TopK = 0,
    top_p: TopP = 0.95,
    beam_size: BeamSize = 0,
    suggest: Suggest = 0,
    seed: Seed = None,
    checkpoint: options.Checkpoint = "lm-en",
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    strict: options.Strict = False,
) -> None:
    """Continue texts by a language model, or suggest the next word.

    Inputs are TEXT, a file, or what is piped in, one per line. On a terminal the text appears as it is written; in a
    pipe each answer is a line.

    Example: nlpseq generate "The weather in Paris" --max-tokens 40 --seed 1
    """
    from nlpseq.cli import inputs, streams
    from nlpseq.cli.explicit import must_not_be_given

    texts, source = inputs.named(texts, source)
    if inputs.nothing_given(texts, source):
        typer.echo(context.get_help())
        return
    if suggest:
        must_not_be_given(context, {"max_tokens", "beam_size", *_DRAWING}, "--suggest looks up words, and writes none")
    if beam_size:
        must_not_be_given(context, _DRAWING, "--beam-size searches for the likeliest text, and draws none")
    request = streams.Request(
        texts, source, output, format, checkpoint, device, threads, None, input_format, text_key, strict
    )
    settings: dict[str, Any] = {"seed": seed, "suggestions": suggest, "max_tokens": max_tokens, "top_k": top_k}
    settings |= {"temperature": temperature, "top_p": top_p, "beam_size": beam_size}
    drawn = format in {"auto", "rich"} and output is None and sys.stdout.isatty() and not suggest
    if drawn:
        _show(request, settings)
    else:
        streams.serve("lm", request, lambda pipeline: pipeline.writing_with(**settings))


def _show(request: Request, settings: dict[str, Any]) -> None:
    """Writes each text to the terminal as it comes: the prompt faint, an empty line between answers."""
    from nlpseq.cli import streams
    from nlpseq.generation import NO_TEXT, text_of
    from nlpseq.render.terminal import stream_to

    records = streams.records_of(request)
    pipeline: GenerationPipeline = streams.load("lm", request).writing_with(**settings)
    number = failed = 0
    for number, record in enumerate(records, 1):
        text = text_of(record.value)
        if record.error or text is None:
            sentence = f"line {record.line}: {record.error or NO_TEXT}"
            if request.strict:
                raise streams.RecordError(sentence)
            streams.complain(sentence)
            failed += 1
        else:
            stream_to(sys.stdout, text, pipeline.stream(text, number), apart=number > 1)
    if failed:
        raise streams.RecordError(f"{failed} of {number} inputs failed.")
