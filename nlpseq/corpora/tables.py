"""Labelled texts in tables: CSV and TSV with a line of headings, and JSON Lines. The columns may be chosen."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nlpseq.corpora.files import read_lines
from nlpseq.errors import DataError, UsageError, some_columns
from nlpseq.records import LabelledText

TEXT_NAMES = ("text", "sentence", "review", "body", "content", "comment")
LABEL_NAMES = ("label", "polarity", "sentiment", "stars", "rating", "class", "category")
_WHOLE = re.compile(r"\.0+\Z")  # as tables of numbers write them
SCHEMES = {"sentiment": "polarity", "rating": "stars"}  # column -> scheme, where they differ
STARS = frozenset("12345")


class Fields(NamedTuple):
    """Which columns are the text and the labels; None, or none named: found by their usual names.

    A label column may name its scheme: `verdict=polarity`.
    """

    text: str | None = None
    labels: tuple[str, ...] = ()


USUAL_FIELDS = Fields()
NO_HEADINGS = " Where the first line is a text already, put a line of headings above it, such as text,label."


class Chosen(NamedTuple):
    """The column of the text, and the column of each scheme."""

    text: str
    labels: Mapping[str, str]  # scheme -> column

    @classmethod
    def among(cls, columns: Sequence[str], fields: Fields, path: str | Path, hint: str = "") -> Chosen:
        """What `fields` mean in a file with these columns.

        Raises UsageError where one of them is not there; `hint` is what there is to say besides.
        """
        text, pairs = _text_column(columns, fields), _label_columns(columns, fields)
        wanted = [*([text] if text else []), *(column for column, _ in pairs)]
        missing = [column for column in wanted if column not in columns]
        if text is None or not pairs or missing:
            sought = f"labels ({', '.join(LABEL_NAMES)})" if text else f"the text ({', '.join(TEXT_NAMES)})"
            what = f"no column {missing[0]!r}" if missing else f"no column known as {sought}"
            raise UsageError(
                f"{path}: has {what}; its columns are {some_columns(columns)}. "
                f"Name them with --text-column and --label-column.{hint}"
            )
        if twice := [column for column in wanted if columns.count(column) > 1]:
            raise UsageError(f"{path}: has several columns {twice[0]!r}. Give each a name of its own.")
        return cls(text, _by_scheme(pairs))

    @classmethod
    def of_object(cls, keys: Sequence[str], fields: Fields, path: str | Path, number: int) -> Chosen:
        """What `fields` mean in an object with these keys, which may lack labels. Raises DataError without a text."""
        text, pairs = _text_column(keys, fields), _label_columns(keys, fields)
        if text is None or text not in keys:
            sought = repr(text) if text else f"of a text ({', '.join(TEXT_NAMES)})"
            what = f"There is no key {sought}; the keys are {some_columns(keys)}. Name it with --text-column."
            raise DataError(what, path, number)
        return cls(text, _by_scheme([pair for pair in pairs if pair[0] in keys]))


def _text_column(columns: Sequence[str], fields: Fields) -> str | None:
    """The column that is named, or has one of the usual names; None where none has."""
    if fields.text:
        return _spelt(fields.text, columns)
    return next((_spelt(name, columns) for name in TEXT_NAMES if _spelt(name, columns) in columns), None)


def _label_columns(columns: Sequence[str], fields: Fields) -> list[tuple[str, str]]:
    """(column, scheme) of each label, as they are named, or else of those with usual names; no scheme: its own."""
    if fields.labels:
        named = [given.partition("=") for given in fields.labels]
        return [(_spelt(column, columns), scheme) for column, _, scheme in named]
    text = _text_column(columns, fields)
    usual = [_spelt(name, columns) for name in LABEL_NAMES]
    return [(column, "") for column in usual if column in columns and column != text]


def _spelt(name: str, columns: Sequence[str]) -> str:
    """The name as it is among the columns, whatever its case; as it was given where it is not there."""
    if name in columns:
        return name
    return next((column for column in columns if column.strip().lower() == name.strip().lower()), name)


def _by_scheme(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {scheme or SCHEMES.get(column.lower(), column.lower()): column for column, scheme in pairs}


def naming(examples: Iterable[LabelledText], scheme: str) -> str:
    """What there is to add where examples lack labels of a scheme: how others are taken for it, if they have any."""
    own = dict.fromkeys(name for example in examples for name in example.labels)
    if not own:
        return ""
    first = next(iter(own))
    column = next((column for column, name in SCHEMES.items() if name == first), None)
    other = f" (or {column}={scheme}, as the column is named)" if column else ""
    return f" Labels that there are: {', '.join(own)}; to take them for it, say --label-column {first}={scheme}{other}."


def read_table(path: str | Path, *, tabs: bool, fields: Fields = USUAL_FIELDS) -> Iterator[LabelledText]:
    """Yield the rows of a CSV file (quoted as spreadsheets do), or with `tabs` of a TSV file (no quoting at all).

    Raises DataError with path and line, UsageError where a column is not there.
    """
    chosen: Chosen | None = None
    headings: list[str] = []
    for number, row in table_rows(path, tabs=tabs):
        if chosen is None:
            headings = [cell.strip() for cell in row]
            _must_be_divided(headings, path, number, tabs=tabs)
            chosen = Chosen.among(headings, fields, path, NO_HEADINGS)
            continue
        if len(row) != len(headings):
            what = f"{len(row)} columns where the first line has {len(headings)}."
            raise DataError(what if tabs else f"{what} A text with commas stands in quotes.", path, number)
        yield example_of(dict(zip(headings, row, strict=True)), chosen, path, number)


def _must_be_divided(headings: Sequence[str], path: str | Path, number: int, *, tabs: bool) -> None:
    """Raises DataError where the only heading shows that something else divides the columns."""
    if what := misdivided(headings, tabs=tabs):
        raise DataError(what, path, number)


def misdivided(headings: Sequence[str], *, tabs: bool) -> str:
    """What is to be told where the only heading shows that something else divides the columns; else nothing."""
    other = next((mark for mark in ";|\t," if mark in headings[0]), None) if len(headings) == 1 else None
    if other is None:
        return ""
    ours, found = ("a tab" if tabs else "a comma"), ("a tab" if other == "\t" else repr(other))
    what = f"The columns seem to be divided by {found}, where {ours} is expected. Save it as CSV with commas"
    return f"{what}, or as TSV in a file named .tsv."


def table_rows(path: str | Path, *, tabs: bool) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row; empty lines are passed over. Raises DataError where quotes do not close."""
    lines = (line + "\n" for _, line in read_lines(path))
    if tabs:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    else:
        reader = csv.reader(lines, strict=True)
    first = 1
    try:
        for row in reader:
            if row:
                yield first, row
            first = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"This is no row of a table: {error}.", path, first) from error


def read_objects(path: str | Path, *, fields: Fields = USUAL_FIELDS) -> Iterator[LabelledText]:
    """Yield the objects of a JSON Lines file; one that lacks the key of a label has no such label.

    Raises DataError with path and line, also for one without a text, and at the end UsageError for keys that none had.
    """
    keys: dict[str, None] = {}
    for number, line in read_lines(path):
        if line.strip():
            values = parse_object(line, path, number)
            keys |= dict.fromkeys(values)
            yield example_of(values, Chosen.of_object(list(values), fields, path, number), path, number)
    if keys:
        Chosen.among(list(keys), fields, path)


def parse_object(line: str, path: str | Path, number: int) -> dict[str, Any]:
    """A line of JSON Lines. Raises DataError where it is no object."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError(f"This is not a JSON object: {error}.", path, number) from error


def example_of(values: Mapping[str, Any], chosen: Chosen, path: str | Path, number: int) -> LabelledText:
    """A row as an example; an empty label is none. In place of a label there may be an object, of numbers by label.

    Raises DataError where text or labels are no such thing.
    """
    text = values[chosen.text]
    if not isinstance(text, str):
        raise DataError(f"{chosen.text!r} is not a text.", path, number)
    labels: dict[str, str] = {}
    soft: dict[str, dict[str, float]] = {}
    for scheme, column in chosen.labels.items():
        value = values[column]
        if isinstance(value, dict):
            soft[scheme] = _shares(value, column, path, number)
            for label in soft[scheme]:
                _must_be_stars(scheme, label, column, path, number)
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, str | int | None):
            raise DataError(f"{column!r} is not a label but {value!r}.", path, number)
        label = "" if value is None else str(value).strip()
        if scheme == "stars":
            label = _WHOLE.sub("", label)
        if label:
            _must_be_stars(scheme, label, column, path, number)
            labels[scheme] = label
    return LabelledText(text=text, labels=labels, soft=soft, path=str(path), line=number)


def _must_be_stars(scheme: str, label: str, column: str, path: str | Path, number: int) -> None:
    """Raises DataError where the scheme is stars, and the label is none."""
    if scheme == "stars" and label not in STARS:
        what = f"{column!r} has {label!r}, where stars are 1 to 5. For other labels: --label-column {column}=NAME."
        raise DataError(what, path, number)


def _shares(value: Mapping[str, Any], column: str, path: str | Path, number: int) -> dict[str, float]:
    """What each label gets of 1. Raises DataError for what is no number, or less than nothing, and where all are 0."""
    for label, share in value.items():
        if not label or isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < math.inf:
            raise DataError(f"{column!r} gives {label!r} {share!r}, where a number of 0 or more is due.", path, number)
    total = sum(value.values())
    if not total:
        raise DataError(f"{column!r} is an object that gives nothing to any label.", path, number)
    return {label: share / total for label, share in value.items()}
