"""Tagged files as they stand, for the linter: nothing is repaired, and what cannot be read is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from nlpseq.corpora.columns import Layout, settle
from nlpseq.corpora.conllu import FIELDS, Row, comments, entity_tags, parse_block, parse_row
from nlpseq.corpora.files import Line, blocks, read_lines
from nlpseq.corpora.jsonl import LABEL_COLUMNS, NEITHER, JsonSentence, placed, tags_of_spans
from nlpseq.corpora.offsets import pieces_of, place
from nlpseq.corpora.reading import format_of
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
    """Every sentence of a file, and a finding for each place that cannot be read. Never raises DataError.

    Raises UsageError for an unknown format, and columns named for one that has none.
    """
    try:
        name = format_of(path, format, columns)
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
        whole = True
        for line in block:
            if line[1].startswith("#"):
                continue
            try:
                rows.append(parse_row(line, path))
            except DataError as error:
                whole = False
                yield Finding(str(path), line[0], "error", "columns-uneven", error.what)
        if whole:
            yield from _block_findings(block, path)
        words = [row for row in rows if row.last is None and not row.empty]
        if words:
            yield _sentence_of_rows(words, block, path)


def _block_findings(block: list[Line], path: str | Path) -> Iterator[Finding]:
    """What the reader says of a block whose rows are sound one by one, and whether it takes another text for it."""
    try:
        parsed = parse_block(block, path)
    except DataError as error:
        yield Finding(str(path), error.line or block[0][0], "error", "sentence-refused", error.what)
        return
    given = parsed.notes.get("text")
    if parsed.words and given is not None and given != parsed.text:
        yield _text_differs(path, parsed.words[0].line, parsed.text)


def _text_differs(path: str | Path, line: int, text: str) -> Finding:
    what = f"The tokens do not spell the text; read is {text[:60]!r}."
    return Finding(str(path), line, "warning", "text-differs", what)


def _sentence_of_rows(words: list[Row], block: list[Line], path: str | Path) -> RawSentence:
    columns = {name: [row.fields[index] for row in words] for name, index in FIELDS.items()}
    columns = {name: values for name, values in columns.items() if set(values) != {"_"}}
    tags = entity_tags(words)
    if tags is not None:
        columns["ner"] = tags
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
            sentence = _sentence_of_columns(rows, layout, block, path)
            given = comments(block).get("text") if layout.comments else None
            text, _ = place(given, pieces_of(sentence.tokens))
            if given not in {None, text}:
                yield _text_differs(path, rows[0][0], text)
            yield sentence


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
        if record.tokens is None and record.text is None:
            yield Finding(str(path), number, "error", "json-invalid", NEITHER)
            continue
        bad = list(_span_findings(record, path, number))
        yield from bad
        tokens = list(record.tokens if record.tokens is not None else (record.text or "").split())
        columns = {n: list(getattr(record, n)) for n in LABEL_COLUMNS if getattr(record, n) is not None}
        for name, labels in list(columns.items()):
            if len(labels) != len(tokens):
                what = f'"{name}" has {len(labels)} labels for {len(tokens)} tokens.'
                yield Finding(str(path), number, "error", "columns-uneven", what)
                del columns[name]
        if record.tokens is not None and not any(finding.severity == "error" for finding in bad):
            yield from _placing_findings(record, record.tokens, path, number)
        if tokens:
            sent_id = None if record.sent_id is None else str(record.sent_id)
            yield RawSentence(str(path), [number] * len(tokens), tokens, columns, sent_id)


def _placing_findings(record: JsonSentence, tokens: tuple[str, ...], path: str | Path, line: int) -> Iterator[Finding]:
    """What is wrong with where given tokens lie in their text, and with the spans on them."""
    try:
        text, starts = placed(record, tokens, path, line)
        if record.ner is None:
            tags_of_spans(record, text, tokens, starts, False, path, line)
    except DataError as error:
        yield Finding(str(path), line, "error", "sentence-refused", error.what)
        return
    if record.text is not None and text != record.text:
        yield _text_differs(path, line, text)


def _span_findings(record: JsonSentence, path: str | Path, line: int) -> Iterator[Finding]:
    """What is wrong with the spans of a text, whatever tokenizer will cut it."""
    text, end = record.text or "", 0
    for span in sorted(record.labelled or (), key=lambda span: span.start):
        part = text[max(span.start, 0) : span.end]
        name = f"The span {span.start}-{span.end} {part!r} ({span.label})"
        if not 0 <= span.start < span.end <= len(text):
            what = f"The span {span.start}-{span.end} ({span.label}) does not lie in the text."
        elif span.start < end:
            what = f"{name} overlaps another."
        elif part != part.strip():
            what = f"{name} begins or ends with white space."
        elif not span.label:
            what = f"{name} has no label."
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
