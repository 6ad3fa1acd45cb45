"""What `evaluate` shows: tables on a terminal, tab-separated lines in a pipe, or one JSON object."""

from __future__ import annotations

from typing import Any

import msgspec

from nlpseq.cli.tables import show as table
from nlpseq.tasks.tagging_report import LENGTHS, ColumnReport, SpanReport, TaggingReport
from nlpseq.text.metrics import SpanCounts


def show(report: TaggingReport, confusions: int) -> None:
    """Writes every table of a report to stdout, with an empty line between them."""
    if report.columns:
        table(("column", "accuracy", "tokens", "on rare words", "of them"), _accuracies(report.columns))
    if report.spans:
        print()
        table(("entity", "precision", "recall", "F1", "gold", "found"), _classes(report.spans))
        print()
        table(("recall of entities", "%", "of"), _recalls(report.spans))
    print()
    table(("sentence length", *_names(report)), _lengths(report))
    for column, part in report.columns.items():
        common = part.all.confusions.most_common(confusions)
        if common:
            print()
            table((column, "taken for", "times"), [(gold, got, str(n)) for (gold, got), n in common])
    if report.errors:
        print()
        table(("wrong", "in", "one of the worst sentences"), _worst(report))


def as_json(report: TaggingReport) -> str:
    """The scores of a report as one JSON object, per cent."""
    scores: dict[str, Any] = {"sentences": report.sentences, "tokens": report.tokens}
    for column, part in report.columns.items():
        scores[column] = {
            "accuracy": round(part.all.percent, 3),
            "accuracy_rare": round(part.rare.percent, 3),
            "rare": part.rare.total,
        }
    if report.spans:
        classes = {label: _numbers(counts) for label, counts in sorted(report.spans.all.classes.items())}
        scores["ner"] = {**_numbers(report.spans.all.total), "classes": classes}
    return msgspec.json.encode(scores).decode()


def _numbers(counts: SpanCounts) -> dict[str, float]:
    return {
        "precision": round(counts.precision, 3),
        "recall": round(counts.recall, 3),
        "f1": round(counts.f1, 3),
        "gold": counts.gold,
    }


def _accuracies(columns: dict[str, ColumnReport]) -> list[tuple[str, ...]]:
    return [
        (name, f"{p.all.percent:.2f}", f"{p.all.total:,}", f"{p.rare.percent:.2f}", f"{p.rare.total:,}")
        for name, p in columns.items()
    ]


def _classes(spans: SpanReport) -> list[tuple[str, ...]]:
    rows = [*sorted(spans.all.classes.items()), ("all", spans.all.total)]
    return [
        (label, f"{c.precision:.2f}", f"{c.recall:.2f}", f"{c.f1:.2f}", str(c.gold), str(c.predicted))
        for label, c in rows
    ]


def _recalls(spans: SpanReport) -> list[tuple[str, ...]]:
    rows = (("of frequent words", spans.known), ("with a rare or unseen word", spans.rare))
    return [(name, f"{100 * right / total:.2f}", str(total)) for name, (right, total) in rows if total]


def _names(report: TaggingReport) -> list[str]:
    return [*report.columns, *(["ner F1"] if report.spans else [])]


def _lengths(report: TaggingReport) -> list[tuple[str, ...]]:
    lows = (1, *(high + 1 for high in LENGTHS))
    names = [f"{low}-{high}" for low, high in zip(lows, (*LENGTHS, ""), strict=True)]
    rows: list[tuple[str, ...]] = []
    for name in names:
        cells = [f"{p.by_length[name].percent:.2f}" if name in p.by_length else "" for p in report.columns.values()]
        if report.spans:
            cells.append(f"{report.spans.by_length[name].total.f1:.2f}" if name in report.spans.by_length else "")
        if any(cells):
            rows.append((name, *cells))
    return rows


def _worst(report: TaggingReport) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for wrong, example, labelled in report.errors:
        shown = []
        for index, token in enumerate(example.tokens):
            marks = [
                f"{gold[index]}→{labelled.labels[column][index]}"
                for column, gold in example.columns.items()
                if column in labelled.labels and gold[index] != labelled.labels[column][index]
            ]
            shown.append(f"{token}[{' '.join(marks)}]" if marks else token)
        rows.append((str(wrong), str(len(example.tokens)), " ".join(shown)))
    return rows
