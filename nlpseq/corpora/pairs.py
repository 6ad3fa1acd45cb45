"""Sentences with their translations: parallel text files, tables of pairs and JSON Lines, streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from nlpseq.corpora.directions import Direction, alike, direction_among, direction_of, in_direction, language_of
from nlpseq.corpora.files import content_name, read_lines
from nlpseq.corpora.tables import parse_object, table_rows
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import SentencePair

PAIR_FORMATS = ("lines", "tsv", "csv", "jsonl")
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_HEADINGS = (("source", "target"), ("src", "tgt"))
_PLURAL = "targets"  # the key of several translations


class ApartError(DataError):
    """Parallel files that have not the same number of lines."""


class PairFields(NamedTuple):
    """The columns (by heading, or by number from 1) or keys of the two sides; None: found by their usual names."""

    source: str | None = None
    target: str | None = None


USUAL_PAIR_FIELDS = PairFields()


def read_pairs(
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    fields: PairFields = USUAL_PAIR_FIELDS,
    direction: Direction | None = None,
) -> Iterator[SentencePair]:
    """The pairs of one file, or of parallel files: the sources, then one file or more of their translations.

    Lines that are empty on every side are passed over. Raises DataError with path and line, also where files run apart
    or one side alone is empty; UsageError for columns that are not there, and suffixes of other languages.
    """
    for pair in raw_pairs(paths, format=format, fields=fields, direction=direction):
        targets = tuple(target for target in pair.targets if target)
        if pair.source and targets:
            yield SentencePair(source=pair.source, targets=targets, path=pair.path, line=pair.line)
        elif pair.source or targets:
            side = "translation" if pair.source else "source"
            what = f"The {side} is empty here. `nlpseq corpora lint --pairs` lists all such lines; remove or fill them."
            raise DataError(what, pair.path, pair.line)


def raw_pairs(
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    fields: PairFields = USUAL_PAIR_FIELDS,
    direction: Direction | None = None,
) -> Iterator[SentencePair]:
    """As `read_pairs`, but a side may be empty. White space around a side does not belong to it."""
    kinds = {path: format or detect_pair_format(path, direction or ()) for path in paths}
    for path, kind in kinds.items():
        if kind not in PAIR_FORMATS:
            raise UsageError(f"There is no format {kind!r} of pairs. {did_you_mean(kind, PAIR_FORMATS)}")
        if kind != "lines" and len(paths) > 1:
            raise UsageError(f"{path}: a {kind} file holds both sides; no other file can go with it.")
    kind = kinds[paths[0]]
    if kind == "lines":
        return _parallel(in_direction(paths, direction))
    if kind == "jsonl":
        return _objects(paths[0], fields, direction)
    return _rows(paths[0], fields, direction, tabs=kind == "tsv")


def detect_pair_format(path: str | Path, languages: Sequence[str] = ()) -> str:
    """One of PAIR_FORMATS, by the suffix (that of a language, or of `languages`, too), then by the first line.

    Raises DataError where the file cannot be opened.
    """
    suffix = Path(content_name(path)).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    language = language_of(path, languages)
    if language and (language in languages or not re.search("[-_]", language)):  # `en-fr` may name both sides
        return "lines"
    line = next((text for _, text in read_lines(path) if text.strip()), "")
    if line.lstrip().startswith("{"):
        return "jsonl"
    return "tsv" if "\t" in line else "lines"


def grouped(paths: Sequence[str], languages: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Files as they belong together: parallel text files by twos, others alone; `languages` are known as suffixes.

    Raises UsageError where a parallel file has no partner, DataError where a file cannot be opened.
    """
    groups: list[tuple[str, ...]] = []
    waiting: str | None = None
    for path in paths:
        parallel = detect_pair_format(path, languages) == "lines"
        if waiting is not None and not parallel:
            break
        if not parallel:
            groups.append((path,))
        elif waiting is None:
            waiting = path
        else:
            groups.append((waiting, path))
            waiting = None
    if waiting is not None:
        raise UsageError(
            f"{waiting}: is one side of parallel text; name the file of its translations behind it, as in mine.en "
            "mine.fr. (A file of both sides has a tab between them, or is CSV or JSON Lines.)"
        )
    return groups


def _parallel(paths: Sequence[str | Path]) -> Iterator[SentencePair]:
    """Line by line from all files at once. Raises DataError where one of them ends before the others."""
    with ExitStack() as stack:
        files = [read_lines(path) for path in paths]
        for file in files:
            stack.callback(file.close)  # type: ignore[attr-defined]
        for number, lines in enumerate(zip_longest(*files), 1):
            if None in lines:
                shorter, longer = paths[lines.index(None)], paths[next(i for i, line in enumerate(lines) if line)]
                what = f"The file ends with line {number - 1}, and {longer} goes on: the two run apart."
                what = f"{what} `nlpseq corpora lint --pairs` says where that is likely to begin."
                raise ApartError(what, shorter, number)
            source, *targets = (line[1].strip() for line in lines)
            yield SentencePair(source=source, targets=tuple(targets), path=str(paths[0]), line=number)


def _rows(path: str | Path, fields: PairFields, direction: Direction | None, *, tabs: bool) -> Iterator[SentencePair]:
    """Pairs of a table: CSV, or with `tabs` a tab between the sides and no quoting. Further columns are passed over."""
    rows = _cells(path, tabs=tabs)
    first = next(rows, None)
    if first is None:
        return
    (source, target), has_headings = _columns([cell.strip() for cell in first[1]], fields, direction, path)
    for number, cells in rows if has_headings else chain([first], rows):
        if len(cells) <= max(source, target):
            mark = "a tab" if tabs else "a comma"
            what = f"{len(cells)} columns where {max(source, target) + 1} are due; sides are divided by {mark}."
            raise DataError(what, path, number)
        yield SentencePair(source=cells[source].strip(), targets=(cells[target].strip(),), path=str(path), line=number)


def _cells(path: str | Path, *, tabs: bool) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row in which there is anything."""
    rows = ((number, text.split("\t")) for number, text in read_lines(path)) if tabs else table_rows(path, tabs=False)
    return (row for row in rows if any(cell.strip() for cell in row[1]))


def _columns(
    headings: list[str], fields: PairFields, direction: Direction | None, path: str | Path
) -> tuple[tuple[int, int], bool]:
    """Where the two sides stand in a row, from 0, and whether the first line is one of headings. Raises UsageError."""
    found = _found(headings, direction, path) if fields == USUAL_PAIR_FIELDS else None
    if fields == USUAL_PAIR_FIELDS:
        return found or (0, 1), found is not None
    given = _both(headings, fields, path)
    if all(name.isdecimal() and int(name) > 0 for name in given):
        return (int(given[0]) - 1, int(given[1]) - 1), _found(headings, None, path) is not None
    missing = [name for name in given if name not in headings]
    if missing:
        raise UsageError(f"{path}: has no column {missing[0]!r}; its first line has {', '.join(headings)}.")
    return (headings.index(given[0]), headings.index(given[1])), True


def _found(headings: list[str], direction: Direction | None, path: str | Path) -> tuple[int, int] | None:
    """Where the two sides stand, as headings that are known name them; None for what are no such headings.

    Raises UsageError where they are other languages than those of the direction.
    """
    lower = [heading.lower() for heading in headings]
    for names in (*_HEADINGS, *([direction] if direction else [])):
        if set(names) <= set(lower):
            return lower.index(names[0]), lower.index(names[1])
    spoken = direction_among(headings)
    if spoken is None:
        return None
    places = headings.index(spoken.source), headings.index(spoken.target)
    if direction and all(map(alike, direction, spoken.reverse)):
        return places[::-1]
    if direction:
        direction.must_be(spoken, str(path))
    return places


def named_direction(paths: Sequence[str | Path], fields: PairFields = USUAL_PAIR_FIELDS) -> Direction | None:
    """The direction that files of one group name, by suffixes, or by headings or keys of the sides that are languages.

    Raises as reading the first pair does.
    """
    kind = detect_pair_format(paths[0])
    if kind == "lines":
        return direction_of(paths)
    sides = _named_keys(paths[0], fields) if kind == "jsonl" else _named_columns(paths[0], fields, tabs=kind == "tsv")
    spoken = direction_among(sides)
    return Direction(*(name.lower() if name.isupper() else name for name in spoken)) if spoken else None


def _named_keys(path: str | Path, fields: PairFields) -> Sequence[str]:
    for number, line in read_lines(path):
        if line.strip():
            return _keys(_sides(parse_object(line, path, number)), fields, None, path, number)
    return ()


def _named_columns(path: str | Path, fields: PairFields, *, tabs: bool) -> Sequence[str]:
    for _, cells in _cells(path, tabs=tabs):
        headings = [cell.strip() for cell in cells]
        places, has_headings = _columns(headings, fields, None, path)
        return [headings[place] for place in places if has_headings and place < len(headings)]
    return ()


def _both(headings: list[str], fields: PairFields, path: str | Path) -> tuple[str, str]:
    """The two columns as they were named; where one was, and there are two, the other besides. Raises UsageError."""
    if fields.source and fields.target:
        return fields.source, fields.target
    named = fields.source or fields.target or ""
    names = ["1", "2"] if named.isdecimal() else headings
    others = [name for name in names if name != named]
    if len(headings) != 2 or len(others) != 1:
        raise UsageError(f"{path}: name both --source-column and --target-column; there are {len(headings)} columns.")
    return (named, others[0]) if fields.source else (others[0], named)


def _objects(path: str | Path, fields: PairFields, direction: Direction | None) -> Iterator[SentencePair]:
    """JSON Lines. Raises DataError where a side is no text."""
    keys: tuple[str, str] | None = None
    for number, line in read_lines(path):
        if not line.strip():
            continue
        values = _sides(parse_object(line, path, number))
        if keys is None or not set(keys) <= set(values):
            keys = _keys(values, fields, direction, path, number)
        source, targets = values[keys[0]], values[keys[1]]
        targets = [targets] if isinstance(targets, str) else targets
        texts = isinstance(source, str) and isinstance(targets, list) and all(isinstance(t, str) for t in targets)
        if not texts:
            raise DataError(f"{keys[0]!r} is not a text, or {keys[1]!r} neither one nor a list of them.", path, number)
        stripped = tuple(target.strip() for target in targets)
        yield SentencePair(source=source.strip(), targets=stripped, path=str(path), line=number)


def _sides(values: dict[str, Any]) -> dict[str, Any]:
    """The object, or the one below `translation`, as other toolkits nest them."""
    inner = values.get("translation")
    return inner if isinstance(inner, dict) else values


def _keys(
    values: dict[str, Any], fields: PairFields, direction: Direction | None, path: str | Path, number: int
) -> tuple[str, str]:
    """The keys of the two sides. Raises DataError where they are not there, or there is a choice."""
    if fields != USUAL_PAIR_FIELDS:
        pairs = [(fields.source or "source", fields.target or "target")]
    else:
        two = direction_among([key for key in values if isinstance(values[key], str)])
        wanted = direction or two
        spoken = [(wanted.source, wanted.target)] if wanted else []
        pairs = [*_HEADINGS, *((source, _PLURAL) for source, _ in _HEADINGS), *spoken]
    for source, target in pairs:
        if source in values and target in values:
            return source, target
    raise DataError(
        f"The keys of the two sides are not found; there are {', '.join(values) or 'none'}. Name them with "
        "--source-column and --target-column, or in a training the languages with --from and --to.",
        path,
        number,
    )
