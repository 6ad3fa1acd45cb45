"""`nlpseq evaluate`: how well a checkpoint does on labelled data, and where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from nlpseq.cli import options

if TYPE_CHECKING:
    from nlpseq.api import SentimentPipeline, TagPipeline, TranslationPipeline
    from nlpseq.corpora.sources import Reading
    from nlpseq.generation import GenerationPipeline
    from nlpseq.text.vocab import Vocabulary


# The tasks that an option is for, by its name; all others are for every task.
_TASKS_OF = {
    **dict.fromkeys(("text_column", "label_column"), ("sentiment",)),
    **dict.fromkeys(("source_column", "target_column", "lowercase", "beam_size"), ("translate",)),
    "confusions": ("tag", "sentiment"),
}


def command(
    context: typer.Context,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A shipped checkpoint's name, or a folder.")],
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...|CORPUS",
            help="Labelled data; of a corpus the split dev, or NAME:SPLIT@MAP. Of parallel text, the sources and then "
            "their translations, one file or more.",
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="The scores as one JSON object.")] = False,
    confusions: Annotated[
        int, typer.Option("--confusions", metavar="N", min=0, help="Show the N most frequent confusions.")
    ] = 10,
    worst: Annotated[int, typer.Option("--worst", metavar="N", min=0, help="Show the N worst sentences.")] = 3,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumns = None,
    source_column: options.SourceColumn = None,
    target_column: options.TargetColumn = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Of translations: compare them lower-cased.")] = False,
    beam_size: options.BeamSize = None,
    mirror: options.Mirror = None,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
) -> None:
    """Score a checkpoint on labelled data.

    Of a tagger: accuracy for parts of speech; precision, recall and F1 of whole entities, as conlleval counts them; by
    class, by sentence length, and for words rare or unseen in training. Of a classifier: accuracy, recall and precision
    of each label, by length, and the expected calibration error of its probabilities. Of a translator: BLEU and chrF
    as sacreBLEU counts them, with signatures, against all references; by length and by the rarest word. Of a language
    model, on plain text: perplexity, bits per character, and how often the likeliest unit comes next.

    Example: nlpseq evaluate my-tagger my-test.conllu
    """
    from nlpseq.api import load
    from nlpseq.cli.explicit import must_not_be_given
    from nlpseq.corpora.pairs import PairFields
    from nlpseq.corpora.sources import Reading
    from nlpseq.corpora.tables import Fields

    pipeline = load(checkpoint, device=device.value, threads=threads)
    foreign = {name for name, tasks in _TASKS_OF.items() if pipeline.task not in tasks}
    must_not_be_given(context, foreign, f"of no use for {checkpoint}, a checkpoint for {pipeline.task}")
    reading = Reading(
        mirror=mirror,
        fields=Fields(text_column, tuple(label_column or ())),
        pair_fields=PairFields(source_column, target_column),
    )
    name = " ".join(data)
    if pipeline.task == "translate":
        _translator(pipeline.searching(beam_size=beam_size), checkpoint, data, reading, json, worst, lowercase)
        return
    if len(data) > 1:
        raise typer.BadParameter(f"a checkpoint for {pipeline.task} is scored on one file or corpus.")
    if pipeline.task == "tag":
        _tagger(pipeline, checkpoint, name, reading, json, confusions, worst)
    elif pipeline.task == "lm":
        _language_model(pipeline, checkpoint, name, reading, json, worst)
    else:
        _classifier(pipeline, checkpoint, name, reading, json, confusions, worst)


def _tagger(
    pipeline: TagPipeline, checkpoint: str, data: str, reading: Reading, json: bool, confusions: int, worst: int
) -> None:
    from nlpseq.cli import evaluation
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.sources import read_source
    from nlpseq.tasks import tagging_report
    from nlpseq.tasks.tagging_config import COLUMNS

    sentences = read_source(data, "dev", mirror=reading.mirror, tokenize=pipeline.tokenizer.words)
    report = tagging_report.report(pipeline.tagger, sentences, worst=worst)
    _must_share(report.columns or report.spans is not None, data, checkpoint, pipeline.tagger.labels)
    gold = {column: {label for one in sentences for label in one.columns.get(column, ())} for column in COLUMNS}
    _tell_unknown(gold, pipeline.tagger.labels, checkpoint, data)
    if json:
        typer.echo(evaluation.as_json(report))
        return
    tell(f"{checkpoint} on {data}: {report.sentences:,} sentences, {report.tokens:,} tokens")
    evaluation.show(report, confusions)


def _classifier(
    pipeline: SentimentPipeline, checkpoint: str, data: str, reading: Reading, json: bool, confusions: int, worst: int
) -> None:
    from nlpseq.cli import evaluation_texts
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.sources import read_text_source
    from nlpseq.corpora.tables import naming
    from nlpseq.corpora.texts import are_reviews
    from nlpseq.tasks import sentiment_report

    texts = read_text_source(data, "dev", mirror=reading.mirror, fields=reading.fields)
    if are_reviews(data):
        tell(f"Note: of a folder with train and test, these are all of train. {data}:test and {data}:dev are others.")
    report = sentiment_report.report(pipeline.classifier, texts, worst=worst)
    known = pipeline.classifier.labels
    _must_share(report.schemes, data, checkpoint, known, naming(texts, pipeline.classifier.main_scheme))
    settled = [one.settled() for one in texts]
    gold = {scheme: {labels[scheme] for labels in settled if scheme in labels} for scheme in report.schemes}
    _tell_unknown(gold, known, checkpoint, data)
    if json:
        typer.echo(evaluation_texts.as_json(report))
        return
    tell(f"{checkpoint} on {data}: {report.texts:,} texts, {report.tokens:,} tokens")
    evaluation_texts.show(report, confusions)


def _language_model(
    pipeline: GenerationPipeline, checkpoint: str, data: str, reading: Reading, json: bool, worst: int
) -> None:
    from nlpseq.cli import evaluation_language
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.plain import read_plain
    from nlpseq.tasks import language_report
    from nlpseq.tasks.language_model import LanguageModel

    lines = list(read_plain([data], "dev", mirror=reading.mirror))
    assert isinstance(pipeline.model, LanguageModel), "on torch, as `nlpseq.load` gives it"
    report = language_report.report(pipeline.model, lines, worst=worst)
    if json:
        typer.echo(evaluation_language.as_json(report))
        return
    tell(f"{checkpoint} on {data}: {report.lines:,} lines, {report.units:,} units, {report.characters:,} characters")
    evaluation_language.show(report)


def _translator(
    pipeline: TranslationPipeline,
    checkpoint: str,
    data: list[str],
    reading: Reading,
    json: bool,
    worst: int,
    lowercase: bool,
) -> None:
    from nlpseq.cli import evaluation_pairs
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.sources import read_references
    from nlpseq.tasks import translation_report
    from nlpseq.text.overlap import USUAL_TOKENIZER

    pairs = read_references(data, "dev", reading, pipeline.manifest.languages)
    report = translation_report.report(
        pipeline.translator, pairs, search=pipeline.search, lowercase=lowercase, worst=worst
    )
    if json:
        typer.echo(evaluation_pairs.as_json(report))
        return
    counts = f"{report.all.sentences:,} sentences, {report.references:,} references"
    held = f"; in {report.notes:,} the search interfered" if report.notes else ""
    usual = report.tokenizer == USUAL_TOKENIZER
    cut = "" if usual else f"; without spaces, BLEU cuts references as sacreBLEU's {report.tokenizer!r} does"
    tell(f"{checkpoint} on {' '.join(data)}: {counts}{held}{cut}")
    evaluation_pairs.show(report)


def _must_share(shared: object, data: str, checkpoint: str, labels: Iterable[str], hint: str = "") -> None:
    from nlpseq.errors import UsageError

    if not shared:
        raise UsageError(f"{data}: has none of the columns that {checkpoint} predicts ({', '.join(labels)}).{hint}")


def _tell_unknown(gold: Mapping[str, set[str]], known: Mapping[str, Vocabulary], checkpoint: str, data: str) -> None:
    """Says which labels of the data the checkpoint can never give; of names, their classes, and a map that helps."""
    from nlpseq.cli.tables import tell
    from nlpseq.corpora.sources import mapped_onto
    from nlpseq.errors import some

    for column in gold.keys() & known.keys():
        own, wanted = (
            {label[2:] if column == "ner" else label for label in labels if label != "O"}
            for labels in (known[column].symbols, gold[column])
        )
        if wanted - own:
            which = f"knows none of the {column} labels of the data" if not wanted & own else ""
            which = which or f"does not know some {column} labels of the data"
            maps = mapped_onto(data, own) if column == "ner" else []
            helps = f". With labels that it knows, the data are {' or '.join(maps)}." if maps else ""
            told = f"{some(sorted(wanted - own))} (it knows {some(sorted(own))}){helps}"
            tell(f"{checkpoint} {which}, and gets them wrong: {told}")
