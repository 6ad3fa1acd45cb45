"""What `evaluate` shows of a language model: tables on a terminal, tab-separated in a pipe, or one JSON object."""

from __future__ import annotations

import msgspec

from nlpseq.cli.tables import show as table
from nlpseq.tasks.language_report import LanguageReport

_SHOWN = 160  # code points of a line that are shown


def show(report: LanguageReport) -> None:
    """Writes every table of a report to stdout, with an empty line between them."""
    table(("score", "value"), [(name.replace("_", " "), f"{value:.3f}") for name, value in _scores(report).items()])
    if report.surprising:
        print()
        rows = [(f"{bits:.2f}", line[:_SHOWN]) for bits, line in report.surprising]
        table(("bits per character", "of the most surprising lines"), rows)


def as_json(report: LanguageReport) -> str:
    """The scores of a report as one JSON object."""
    counts = {"lines": report.lines, "units": report.units, "characters": report.characters}
    scores = {name: round(value, 4) for name, value in _scores(report).items()}
    return msgspec.json.encode({**counts, **scores}).decode()


def _scores(report: LanguageReport) -> dict[str, float]:
    return {**report.scores, "accuracy": report.accuracy, "unknown": report.unknown}
