"""Inputs that stand in a column of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from nlpseq.cli.input_records import Record, not_utf8
from nlpseq.corpora import files
from nlpseq.errors import UsageError, some_columns

Lines = Iterable[files.RawLine]


class _Decoded:
    """Lines as text, for a reader of tables; what is none raises ValueError, and the next line comes after it."""

    def __init__(self, lines: Lines) -> None:
        self._lines = iter(lines)
        self.number = 0  # of the last one

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> str:
        self.number, raw = next(self._lines)
        if raw is None:
            raise ValueError(f"This is longer than {files.LONGEST // 2**20} MiB. Is it text?")
        try:
            return raw.decode() + "\n"
        except UnicodeDecodeError as error:
            raise ValueError(not_utf8(raw, error)) from None


def records_of_table(lines: Lines, column: str, *, tabs: bool) -> Iterator[Record]:
    """The texts of a column of CSV, or with `tabs` of TSV, which has no quotes; the others are passed through.

    Raises UsageError where the headings have no such column, or one twice.
    """
    decoded = _Decoded(lines)
    if tabs:
        reader = csv.reader(decoded, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    else:
        reader = csv.reader(decoded, strict=True)
    headings: list[str] = []
    place, first = 0, 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, ValueError) as error:
            what = f"This is no row of a table: {error}." if isinstance(error, csv.Error) else str(error)
            if not headings:
                raise UsageError(f"The line of headings, {first}: {what}") from None
            yield Record("", first, error=what)
            row = []
        if row and not headings:
            headings = [cell.strip() for cell in row]
            _must_differ(headings)
            place = _column_of(column, headings, tabs=tabs)
        elif row and len(row) != len(headings):
            what = f"{len(row)} columns where the first line has {len(headings)}."
            yield Record("", first, error=what if tabs else f"{what} A text with commas stands in quotes.")
        elif row:
            extra = {name: cell for index, (name, cell) in enumerate(zip(headings, row, strict=True)) if index != place}
            yield Record(row[place], first, extra)
        first = decoded.number + 1


def _must_differ(headings: Sequence[str]) -> None:
    """Raises UsageError: of two columns with one heading, one alone could be passed through."""
    if twice := [heading for index, heading in enumerate(headings) if heading in headings[:index]]:
        raise UsageError(f"The table has several columns {twice[0]!r}. Give each a heading of its own.")


def _column_of(name: str, headings: Sequence[str], *, tabs: bool) -> int:
    if name in headings:
        return headings.index(name)
    lower = [heading.lower() for heading in headings]
    if name.lower() in lower:
        return lower.index(name.lower())
    from nlpseq.corpora.tables import misdivided

    if what := misdivided(headings, tabs=tabs):
        raise UsageError(f"The table has no column {name!r}. {what}")
    shown = some_columns(headings)
    raise UsageError(
        f"The table has no column {name!r}; its columns are {shown}. Name that of the texts with --text-key."
    )
