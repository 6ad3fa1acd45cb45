"""What `evaluate` shows of a translator: tables on a terminal, tab-separated lines in a pipe, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nlpseq.cli.tables import show as table
from nlpseq.tasks.translation_report import Slice, TranslationReport

_SHOWN = 120  # code points of a sentence that are shown


def show(report: TranslationReport) -> None:
    """Writes every table of a report to stdout, with an empty line between them."""
    scores = (("BLEU", report.all.bleu), ("chrF", report.all.chrf))
    table(("score", "per cent", "signature"), [(name, f"{one.percent:.2f}", one.signature) for name, one in scores])
    for title, slices in (("words", report.by_length), ("rarest word", report.by_rarity)):
        print()
        table((title, "BLEU", "chrF", "sentences"), [_row(name, part) for name, part in slices.items()])
    if report.errors:
        print()
        table(("chrF", "source", "reference", "translation"), [_error(*row) for row in report.errors])


def as_json(report: TranslationReport) -> str:
    """The scores of a report as one JSON object, per cent."""
    scores: dict[str, Any] = {
        "sentences": report.all.sentences,
        "references": report.references,
        "bleu": {"score": round(report.all.bleu.percent, 3), "signature": report.all.bleu.signature},
        "chrf": {"score": round(report.all.chrf.percent, 3), "signature": report.all.chrf.signature},
        "by_length": _slices(report.by_length),
        "by_rarest_word": _slices(report.by_rarity),
        "search_interfered": report.notes,
    }
    return msgspec.json.encode(scores).decode()


def _slices(slices: Mapping[str, Slice]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "sentences": part.sentences,
            "bleu": round(part.bleu.percent, 3),
            "chrf": round(part.chrf.percent, 3),
        }
        for name, part in slices.items()
    }


def _row(name: str, part: Slice) -> tuple[str, ...]:
    return name, f"{part.bleu.percent:.2f}", f"{part.chrf.percent:.2f}", f"{part.sentences:,}"


def _error(score: float, *sentences: str) -> tuple[str, ...]:
    return f"{score:.1f}", *(sentence[:_SHOWN] for sentence in sentences)
