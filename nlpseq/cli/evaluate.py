"""`nlpseq evaluate`: how well a checkpoint does on labelled data, and where it fails."""

from __future__ import annotations

from collections.abc import Iterable
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
    text_column: options.TextColumn = None,
    label_column: options.LabelColumns = None,
    mirror: options.Mirror = None,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
) -> None:
    """Score a checkpoint on labelled data.

    Of a tagger: accuracy for parts of speech; precision, recall and F1 of whole entities, as conlleval counts them; by
    class, by sentence length, and for words rare or unseen in training. Of a classifier: accuracy, recall and precision
    of each label, by length, and the expected calibration error of its probabilities. Of a language model, on plain
    text: perplexity, bits per character, and how often the likeliest unit comes next.

    Example: nlpseq evaluate my-tagger my-test.conllu
    """
    from nlpseq.api import load
    from nlpseq.cli import evaluation, evaluation_language, evaluation_texts
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.plain import read_plain
    from nlpseq.corpora.sources import read_source, read_text_source
    from nlpseq.corpora.tables import Fields
    from nlpseq.tasks import language_report, sentiment_report, tagging_report

    pipeline = load(checkpoint, device=device.value, threads=threads)
    if pipeline.task == "tag":
        sentences = read_source(data, "dev", mirror=mirror, tokenize=pipeline.tokenizer.words)
        tagging = tagging_report.report(pipeline.tagger, sentences, worst=worst)
        _must_share(tagging.columns or tagging.spans is not None, data, checkpoint, pipeline.tagger.labels)
        if json:
            typer.echo(evaluation.as_json(tagging))
            return
        tell(f"{checkpoint} on {data}: {tagging.sentences:,} sentences, {tagging.tokens:,} tokens")
        evaluation.show(tagging, confusions)
        return
    if pipeline.task == "lm":
        lines = list(read_plain([data], "dev", mirror=mirror))
        read = language_report.report(pipeline.model, lines, worst=worst)
        if json:
            typer.echo(evaluation_language.as_json(read))
            return
        tell(f"{checkpoint} on {data}: {read.lines:,} lines, {read.units:,} units, {read.characters:,} characters")
        evaluation_language.show(read)
        return
    fields = Fields(text_column, tuple(label_column or ()))
    texts = read_text_source(data, "dev", mirror=mirror, fields=fields)
    judged = sentiment_report.report(pipeline.classifier, texts, worst=worst)
    _must_share(judged.schemes, data, checkpoint, pipeline.classifier.labels)
    if json:
        typer.echo(evaluation_texts.as_json(judged))
        return
    tell(f"{checkpoint} on {data}: {judged.texts:,} texts, {judged.tokens:,} tokens")
    evaluation_texts.show(judged, confusions)


def _must_share(shared: object, data: str, checkpoint: str, labels: Iterable[str]) -> None:
    from nlpseq.errors import UsageError

    if not shared:
        raise UsageError(f"{data}: has none of the columns that {checkpoint} predicts ({', '.join(labels)}).")
