"""Any readable file -> tagged sentences: finds the format by the file's suffix, then by its content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlpseq.corpora.columns import read_columns
from nlpseq.corpora.conllu import read_conllu
from nlpseq.corpora.files import content_name, read_lines
from nlpseq.corpora.jsonl import Tokenize, read_jsonl
from nlpseq.corpora.labels import LabelMap
from nlpseq.errors import UsageError, did_you_mean
from nlpseq.records import TaggedSentence

READERS = {"conllu": read_conllu, "columns": read_columns, "jsonl": read_jsonl}

_SUFFIXES = {
    ".conllu": "conllu",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".iob2": "columns",
    ".iob": "columns",
    ".bio": "columns",
}
_CONLLU_ROW = re.compile(r"[0-9]+(-[0-9]+|\.[0-9]+)?(\t[^\t]+){9}")
_OBJECT = re.compile(r'\s*\{\s*(["}]|\Z)')  # of JSON, and not a bracket that is a token
_HEAD = 50  # lines looked at; a heading of more comments than this is in no corpus


def read_tagging(
    path: str | Path,
    *,
    format: str | None = None,
    label_map: LabelMap | None = None,
    columns: Sequence[str] | None = None,
    tokenize: Tokenize | None = None,
    snap: bool = False,
) -> Iterator[TaggedSentence]:
    """The sentences of a tagged file, streamed. Nothing is read before the first is asked for.

    `format` is one of READERS, found by suffix and content where None. `label_map` renames entity labels
    (to `O` drops them). `columns` names the columns of a file of columns. `tokenize` and `snap` are for texts
    with spans (see `read_jsonl`). Raises DataError with path and line, UsageError for wrong options.
    """
    name = format_of(path, format, columns)
    if name == "columns":
        yield from read_columns(path, columns=columns, label_map=label_map)
    elif name == "jsonl":
        yield from read_jsonl(path, label_map=label_map, tokenize=tokenize, snap=snap)
    else:
        yield from read_conllu(path, label_map=label_map)


def format_of(path: str | Path, format: str | None = None, columns: Sequence[str] | None = None) -> str:
    """The format that is given, or meant by naming `columns`, or else found; one of READERS.

    Raises UsageError where it is none, or has no columns to be named, and DataError where the file cannot be opened.
    """
    if columns and format not in {None, "columns"}:
        raise UsageError(f"Columns can be named for the format columns only, not for {format}.")
    return checked_format(format) if format else ("columns" if columns else detect_format(path))


def checked_format(name: str) -> str:
    """The name of a format. Raises UsageError for any other name."""
    if name not in READERS:
        raise UsageError(f"There is no format {name!r}. {did_you_mean(name, READERS)}")
    return name


def detect_format(path: str | Path) -> str:
    """`conllu`, `columns` or `jsonl`. Raises DataError where the file cannot be opened."""
    suffix = Path(content_name(path)).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    for number, text in read_lines(path):
        if _CONLLU_ROW.fullmatch(text):
            return "conllu"
        if _OBJECT.match(text):
            return "jsonl"
        if number == _HEAD or (text.strip() and not text.startswith("#")):
            break
    return "columns"
