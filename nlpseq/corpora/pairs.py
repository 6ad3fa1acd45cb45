"""Sentences with their translations: parallel text files, tab-separated pairs and JSON Lines, streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from nlpseq.corpora.directions import Direction, in_direction, is_language, language_of
from nlpseq.corpora.files import content_name, read_lines
from nlpseq.corpora.tables import parse_object
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import SentencePair

PAIR_FORMATS = ("lines", "tsv", "jsonl")
_SUFFIXES = {".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
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
    kind = format or ("lines" if len(paths) > 1 else detect_pair_format(paths[0], direction or ()))
    if kind not in PAIR_FORMATS:
        raise UsageError(f"There is no format {kind!r} of pairs. {did_you_mean(kind, PAIR_FORMATS)}")
    if kind == "lines":
        return _parallel(in_direction(paths, direction))
    if len(paths) > 1:
        raise UsageError(f"A {kind} file holds both sides; {paths[1]} cannot go with {paths[0]}.")
    read = _tab_separated if kind == "tsv" else _objects
    return read(paths[0], fields, direction)


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
            "mine.fr. (A file of both sides has a tab between them, or is JSON Lines.)"
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


def _tab_separated(path: str | Path, fields: PairFields, direction: Direction | None) -> Iterator[SentencePair]:
    """Pairs with a tab between the sides; further columns are passed over. There is no quoting."""
    lines = read_lines(path)
    first = next(lines, None)
    if first is None:
        return
    headings = [cell.strip() for cell in first[1].split("\t")]
    (source, target), has_headings = _columns(headings, fields, direction, path)
    for number, text in lines if has_headings else chain([first], lines):
        cells = text.split("\t")
        if not text.strip():
            continue
        if len(cells) <= max(source, target):
            what = f"{len(cells)} columns where {max(source, target) + 1} are due; sides are divided by a tab."
            raise DataError(what, path, number)
        yield SentencePair(source=cells[source].strip(), targets=(cells[target].strip(),), path=str(path), line=number)


def _columns(
    headings: list[str], fields: PairFields, direction: Direction | None, path: str | Path
) -> tuple[tuple[int, int], bool]:
    """Where the two sides stand in a row, from 0, and whether the first line is one of headings. Raises UsageError."""
    lower = [heading.lower() for heading in headings]
    for names in (*_HEADINGS, *([direction] if direction else [])):
        if fields == USUAL_PAIR_FIELDS and set(names) <= set(lower):
            return (lower.index(names[0]), lower.index(names[1])), True
    if fields == USUAL_PAIR_FIELDS:
        return (0, 1), False
    given = _both(headings, fields, path)
    if all(name.isdecimal() and int(name) > 0 for name in given):
        return (int(given[0]) - 1, int(given[1]) - 1), False
    missing = [name for name in given if name not in headings]
    if missing:
        raise UsageError(f"{path}: has no column {missing[0]!r}; its first line has {', '.join(headings)}.")
    return (headings.index(given[0]), headings.index(given[1])), True


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
        values = parse_object(line, path, number)
        if isinstance(inner := values.get("translation"), dict):  # as other toolkits nest them
            values = inner
        if keys is None or not set(keys) <= set(values):
            keys = _keys(values, fields, direction, path, number)
        source, targets = values[keys[0]], values[keys[1]]
        targets = [targets] if isinstance(targets, str) else targets
        texts = isinstance(source, str) and isinstance(targets, list) and all(isinstance(t, str) for t in targets)
        if not texts:
            raise DataError(f"{keys[0]!r} is not a text, or {keys[1]!r} neither one nor a list of them.", path, number)
        stripped = tuple(target.strip() for target in targets)
        yield SentencePair(source=source.strip(), targets=stripped, path=str(path), line=number)


def _keys(
    values: dict[str, Any], fields: PairFields, direction: Direction | None, path: str | Path, number: int
) -> tuple[str, str]:
    """The keys of the two sides. Raises DataError where they are not there, or there is a choice."""
    if fields != USUAL_PAIR_FIELDS:
        pairs = [(fields.source or "source", fields.target or "target")]
    else:
        languages = [key for key in values if is_language(key) and isinstance(values[key], str)]
        two = [(languages[0], languages[1])] if len(languages) == 2 else []
        spoken = [(direction.source, direction.target)] if direction else two
        pairs = [*_HEADINGS, *((source, _PLURAL) for source, _ in _HEADINGS), *spoken]
    for source, target in pairs:
        if source in values and target in values:
            return source, target
    raise DataError(
        f"The keys of the two sides are not found; there are {', '.join(values) or 'none'}. Name them with "
        "--source-column and --target-column, or the languages with --from and --to.",
        path,
        number,
    )
