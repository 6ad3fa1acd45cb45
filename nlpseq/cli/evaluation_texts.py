"""What `evaluate` shows of a classifier: tables on a terminal, tab-separated lines in a pipe, or one JSON object."""

from __future__ import annotations

from typing import Any

import msgspec

from nlpseq.cli.tables import show as table
from nlpseq.tasks.sentiment import STARS
from nlpseq.tasks.sentiment_report import LENGTHS, SchemeReport, SentimentReport, slice_of

_SHOWN = 160  # code points of a text that are shown


def show(report: SentimentReport, confusions: int) -> None:
    """Writes every table of a report to stdout, with an empty line between them."""
    table(("scheme", "accuracy", "texts", "calibration error", "temperature", "share of n-grams"), _schemes(report))
    for scheme, part in report.schemes.items():
        print()
        table((scheme, "precision", "recall", "F1", "gold", "found"), _classes(part))
    print()
    table(("tokens", *report.schemes), _lengths(report))
    for scheme, part in report.schemes.items():
        common = part.all.confusions.most_common(confusions)
        if common:
            print()
            table((scheme, "taken for", "times"), [(gold, got, str(n)) for (gold, got), n in common])
    if report.errors:
        print()
        rows = [(f"{score:.0%}", gold, got, text[:_SHOWN]) for score, gold, got, text in report.errors]
        table(("sure", "gold", "found", "wrong, and surest of it"), rows)


def as_json(report: SentimentReport) -> str:
    """The scores of a report as one JSON object, per cent."""
    scores: dict[str, Any] = {"texts": report.texts, "tokens": report.tokens}
    for scheme, part in report.schemes.items():
        scores[scheme] = {
            "accuracy": round(part.all.percent, 3),
            "texts": part.all.total,
            "calibration_error": round(part.calibration.error, 3),
            "temperature": part.temperature,
            "ngram_share": part.ngram_share,
            "labels": {
                label: {"precision": round(c.precision, 3), "recall": round(c.recall, 3), "f1": round(c.f1, 3)}
                for label, c in sorted(part.classes.items())
            },
        }
        if scheme == STARS:
            scores[scheme]["mean_distance"] = round(part.distance / part.all.total, 4)
    return msgspec.json.encode(scores).decode()


def _schemes(report: SentimentReport) -> list[tuple[str, ...]]:
    return [(name, f"{p.all.percent:.2f}", f"{p.all.total:,}", *_settled(p)) for name, p in report.schemes.items()]


def _settled(part: SchemeReport) -> tuple[str, ...]:
    return tuple(f"{number:.2f}" for number in (part.calibration.error, part.temperature, part.ngram_share))


def _classes(part: SchemeReport) -> list[tuple[str, ...]]:
    return [
        (label, f"{c.precision:.2f}", f"{c.recall:.2f}", f"{c.f1:.2f}", str(c.gold), str(c.predicted))
        for label, c in sorted(part.classes.items())
    ]


def _lengths(report: SentimentReport) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in dict.fromkeys(slice_of(length) for length in (*LENGTHS, LENGTHS[-1] + 1)):
        cells = [f"{p.by_length[name].percent:.2f}" if name in p.by_length else "" for p in report.schemes.values()]
        if any(cells):
            rows.append((name, *cells))
    return rows
