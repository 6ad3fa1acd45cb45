"""`nlpseq evaluate`: how well a checkpoint does on labelled data, and where it fails."""

from __future__ import annotations

from typing import Annotated

import typer

from nlpseq.cli import options


def command(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A shipped checkpoint's name, or a folder.")],
    data: Annotated[
        str,
        typer.Argument(metavar="FILE|CORPUS", help="Labelled data; of a corpus the split dev, or NAME:SPLIT@MAP."),
    ],
    json: Annotated[bool, typer.Option("--json", help="The scores as one JSON object.")] = False,
    confusions: Annotated[
        int, typer.Option("--confusions", metavar="N", min=0, help="Show the N most frequent confusions.")
    ] = 10,
    worst: Annotated[int, typer.Option("--worst", metavar="N", min=0, help="Show the N worst sentences.")] = 3,
    mirror: options.Mirror = None,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
) -> None:
    """Score a checkpoint on labelled data.

    Accuracy for parts of speech; precision, recall and F1 of whole entities, as conlleval counts them; by class, by
    sentence length, and for words rare or unseen in training.

    Example: nlpseq evaluate my-tagger my-test.conllu
    """
    from nlpseq.api import load
    from nlpseq.cli.evaluation import as_json, show
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.sources import read_source
    from nlpseq.errors import UsageError
    from nlpseq.tasks.tagging_report import report

    pipeline = load(checkpoint, device=device.value, threads=threads)
    examples = read_source(data, "dev", mirror=mirror, tokenize=pipeline.tokenizer.words)
    result = report(pipeline.tagger, examples, worst=worst)
    if not result.columns and result.spans is None:
        known = ", ".join(pipeline.tagger.labels)
        raise UsageError(f"{data}: has none of the columns that {checkpoint} predicts ({known}).")
    if json:
        typer.echo(as_json(result))
        return
    tell(f"{checkpoint} on {data}: {result.sentences:,} sentences, {result.tokens:,} tokens")
    show(result, confusions)
