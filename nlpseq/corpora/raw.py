"""Tagged files as they stand, for the linter: nothing is repaired, and what cannot be read is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from nlpseq.corpora.columns import Layout, settle
from nlpseq.corpora.conllu import FIELDS, MISC, Row, comments, parse_row
from nlpseq.corpora.files import Line, blocks, read_lines
from nlpseq.corpora.jsonl import LABEL_COLUMNS, JsonSentence
from nlpseq.corpora.reading import checked_format, detect_format
from nlpseq.errors import DataError

Severity = Literal["error", "warning", "note"]


class Finding(NamedTuple):
    """One thing that the linter says of a file. `line` counts from 1; 0 stands for the file as a whole."""

    path: str
    line: int
    severity: Severity
    code: str
    message: str


@dataclass
class RawSentence:
    """Tokens with the line of each, and label columns of the same length, all as the file has them."""

    path: str
    lines: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    sent_id: str | None = None


def read_raw(
    path: str | Path, *, format: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[RawSentence | Finding]:
    """Every sentence of a file, and a finding for each place that cannot be read. Never raises DataError."""
    try:
        name = checked_format(format) if format else ("columns" if columns else detect_format(path))
        if name == "jsonl":
            yield from _raw_jsonl(path)
        elif name == "conllu":
            yield from _raw_conllu(path)
        else:
            yield from _raw_columns(path, columns)
    except DataError as error:
        yield Finding(str(path), error.line or 0, "error", "file-unreadable", error.what)


def _raw_conllu(path: str | Path) -> Iterator[RawSentence | Finding]:
    for block in blocks(read_lines(path)):
        rows: list[Row] = []
        for line in block:
            if line[1].startswith("#"):
                continue
            try:
                rows.append(parse_row(line, path))
            except DataError as error:
                yield Finding(str(path), line[0], "error", "columns-uneven", error.what)
        words = [row for row in rows if row.last is None and not row.empty]
        if words:
            yield _sentence_of_rows(words, block, path)


def _sentence_of_rows(words: list[Row], block: list[Line], path: str | Path) -> RawSentence:
    columns = {name: [row.fields[index] for row in words] for name, index in FIELDS.items()}
    columns = {name: values for name, values in columns.items() if set(values) != {"_"}}
    if any("NER=" in row.fields[MISC] for row in words):
        columns["ner"] = [row.misc.get("NER", "O") for row in words]
    lines, tokens = [row.line for row in words], [row.fields[1] for row in words]
    return RawSentence(str(path), lines, tokens, columns, comments(block).get("sent_id"))


def _raw_columns(path: str | Path, names: Sequence[str] | None) -> Iterator[RawSentence | Finding]:
    layout, lines = settle(read_lines(path), names, path)
    for block in blocks(lines):
        rows: list[tuple[int, list[str]]] = []
        for number, text in block:
            if layout.passes_over(text):
                continue
            try:
                rows.append((number, layout.split((number, text), path)))
            except DataError as error:
                yield Finding(str(path), number, "error", "columns-uneven", error.what)
        if rows:
            yield _sentence_of_columns(rows, layout, block, path)


def _sentence_of_columns(
    rows: list[tuple[int, list[str]]], layout: Layout, block: list[Line], path: str | Path
) -> RawSentence:
    columns = {name: [parts[index] for _, parts in rows] for name, index in layout.kept.items()}
    sent_id = comments(block).get("sent_id") if layout.comments else None
    return RawSentence(str(path), [number for number, _ in rows], columns.pop("token"), columns, sent_id)


def _raw_jsonl(path: str | Path) -> Iterator[RawSentence | Finding]:
    decoder = msgspec.json.Decoder(JsonSentence)
    for number, text in read_lines(path):
        if not text.strip():
            continue
        try:
            record = decoder.decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            yield Finding(str(path), number, "error", "json-invalid", f"{error}.")
            continue
        yield from _span_findings(record, path, number)
        tokens = list(record.tokens if record.tokens is not None else (record.text or "").split())
        columns = {name: list(getattr(record, name) or ()) for name in LABEL_COLUMNS if getattr(record, name)}
        for name, labels in list(columns.items()):
            if len(labels) != len(tokens):
                what = f'"{name}" has {len(labels)} labels for {len(tokens)} tokens.'
                yield Finding(str(path), number, "error", "columns-uneven", what)
                del columns[name]
        if tokens:
            yield RawSentence(str(path), [number] * len(tokens), tokens, columns, record.sent_id)


def _span_findings(record: JsonSentence, path: str | Path, line: int) -> Iterator[Finding]:
    """What is wrong with the spans of a text, whatever tokenizer will cut it."""
    text, end = record.text or "", 0
    for span in sorted((record.entities or ()) + (record.spans or ()), key=lambda span: span.start):
        part = text[max(span.start, 0) : span.end]
        name = f"The span {span.start}-{span.end} {part!r} ({span.label})"
        if not 0 <= span.start < span.end <= len(text):
            what = f"The span {span.start}-{span.end} ({span.label}) does not lie in the text."
        elif span.start < end:
            what = f"{name} overlaps another."
        elif part != part.strip():
            what = f"{name} begins or ends with white space."
        else:
            what = ""
        end = max(end, span.end)
        if what:
            yield Finding(str(path), line, "error", "span-bad", what)
        elif _within_word(text, span.start) or _within_word(text, span.end):
            what = f"{name} begins or ends within a word; `corpora convert --snap` widens it."
            yield Finding(str(path), line, "warning", "span-inside", what)


def _within_word(text: str, place: int) -> bool:
    """Whether there are letters on both sides: no tokenizer is likely to cut there."""
    return text[place - 1 : place].isalpha() and text[place : place + 1].isalpha()
