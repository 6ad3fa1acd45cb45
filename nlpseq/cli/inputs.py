"""Inputs as records, one at a time: from arguments, a file or stdin, in any of the input formats.

Lines are bytes until one record is made of them, so a line that is not UTF-8 is one record's failure. So is one
that is too long, whose rest is passed over: what comes after it is answered, and memory stays bounded.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from nlpseq.cli.input_objects import record_of_object
from nlpseq.cli.input_records import Record, not_utf8
from nlpseq.cli.input_tables import records_of_table
from nlpseq.corpora import files
from nlpseq.corpora.conllu import parse_block
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TokenizedText

_TABLES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv"}
Lines = Iterable[files.RawLine]
OF_A_FILE = frozenset({"input_format", "text_key"})  # options that mean nothing without one


def named(texts: list[str] | None, source: str | None) -> tuple[list[str] | None, str | None]:
    """The same, but that `-` alone in the place of a text stands for stdin, as it does for most programs."""
    return (None, "-") if texts == ["-"] and source is None else (texts, source)


def nothing_given(texts: Sequence[str] | None, source: str | None) -> bool:
    """Whether there is no input but a person at a keyboard, who did not ask to type."""
    return not texts and source is None and (sys.stdin is None or sys.stdin.isatty())


def is_interactive(texts: Sequence[str] | None, source: str | None) -> bool:
    """Whether inputs are typed as we go, so that each is to be answered before the next."""
    return not texts and source in {None, "-"} and sys.stdin is not None and sys.stdin.isatty()


def known_size(texts: Sequence[str] | None, source: str | None) -> int:
    """Bytes of the input, about, as far as can be told without reading it: of arguments and ordinary files, else 0."""
    if texts:
        return sum(map(len, texts))
    try:
        status = os.fstat(sys.stdin.fileno()) if source in {None, "-"} else Path(source or "").stat()
    except (OSError, ValueError, AttributeError):  # `read` will tell
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def read(
    texts: Sequence[str] | None, source: str | None, input_format: str = "auto", text_key: str | None = None
) -> Iterator[Record]:
    """The records of TEXT arguments, of the file `source`, or of stdin: lazily, but the file is opened now.

    Raises UsageError where both are given or the file cannot be opened.
    """
    if texts and source is not None:
        raise UsageError("TEXT and -i were both given. Give the inputs one way.")
    input_format = chosen(input_format, source, text_key)
    if texts and input_format in {"conllu", "csv", "tsv"}:
        name = {"conllu": "CoNLL-U", "csv": "A table", "tsv": "A table"}[input_format]
        raise UsageError(f"{name} cannot be read from TEXT arguments. Give a file with -i, or a pipe.")
    lines = _arguments(texts) if texts else _lines(source or "-")
    if input_format == "conllu":
        lines = _blocks(lines)
    if input_format in {"csv", "tsv"}:
        return records_of_table(lines, text_key or "text", tabs=input_format == "tsv")
    parse = (
        partial(record_of_object, text_key=text_key or "text") if input_format == "jsonl" else _PARSERS[input_format]
    )
    return _records(lines, parse)


def chosen(input_format: str, source: str | None, text_key: str | None) -> str:
    """The format that is meant by "auto": where a key is named, a table if the file is named so, else JSON Lines; else
    by the name of the file, else lines.

    Raises UsageError for a key in a format that has none.
    """
    if text_key is not None and input_format not in {"auto", "jsonl", "csv", "tsv"}:
        raise UsageError(
            f"--text-key {text_key}: names a key of JSON Lines, or a column of a table, and --input-format "
            f"{input_format} has none. Leave one of them out, or say --input-format jsonl, csv or tsv."
        )
    if input_format != "auto":
        return input_format
    suffix = Path(files.content_name(source or "-")).suffix.lower()
    if text_key is not None:
        return _TABLES.get(suffix, "jsonl")
    return {".jsonl": "jsonl", ".ndjson": "jsonl", ".conllu": "conllu"}.get(suffix, "lines")


def doubts(texts: Sequence[str] | None, source: str | None, input_format: str, text_key: str | None) -> Iterator[str]:
    """What is to be told of inputs that are most likely not what was meant: words without quotes, the name of a file, a
    table as lines.
    """
    if texts and (name := next(filter(_is_file, texts), None)):
        yield f"Note: {name} is taken for a text, and there is a file of that name: -i {name} reads it."
    elif texts and len(texts) > 1 and not any(len(text.split()) > 1 for text in texts):
        yield f"Note: these are {len(texts)} texts. A text of several words stands in quotes."
    table = source is not None and Path(files.content_name(source)).suffix.lower() in _TABLES
    if table and input_format == "auto" and chosen(input_format, source, text_key) == "lines":
        yield (
            f"Note: each line of {source} is one text, with whatever columns it has. Name the column of the texts with "
            "--text-key, or say --input-format lines."
        )


def _is_file(text: str) -> bool:
    """Whether a text, of one word with a full stop in it, is the name of a file."""
    try:
        return "." in text and len(text.split()) == 1 and Path(text).is_file()
    except (OSError, ValueError):
        return False


def _arguments(texts: Sequence[str]) -> Lines:
    return enumerate(map(os.fsencode, texts), 1)  # the very bytes that the shell gave


def _lines(source: str) -> Lines:
    if source == "-" and sys.stdin is None:
        raise UsageError("There is no stdin to read. Give TEXT, or a file with -i.")
    try:
        stream = sys.stdin.buffer if source == "-" else files.open_unpacked(source)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}.") from None
    return _read(stream, "stdin" if source == "-" else source)


def _read(stream: IO[bytes], name: str) -> Iterator[files.RawLine]:
    with closing(stream):
        yield from files.raw_lines(stream, name)


def _blocks(lines: Lines) -> Iterator[files.RawLine]:
    """What stands between empty lines, as one piece with the number of its first line; None if it is too long."""
    block, first = bytearray(), 0
    for number, raw in lines:
        if raw is None or raw.strip():
            first = first or number
            if len(block) <= files.LONGEST:  # beyond, it is only waited for its end
                block += b" " * files.LONGEST if raw is None else raw
                block += b"\n"
        elif first:
            yield first, _piece(block)
            block, first = bytearray(), 0
    if first:
        yield first, _piece(block)


def _piece(block: bytearray) -> bytes | None:
    return None if len(block) > files.LONGEST else bytes(block).removesuffix(b"\n")


def _records(pieces: Lines, parse: Callable[[str, int], Record | None]) -> Iterator[Record]:
    """What `parse` makes of each piece, or a record that says why it cannot; nothing where it gives None."""
    for line, raw in pieces:
        record: Record | None
        if raw is None:
            yield Record("", line, error=f"This is longer than {files.LONGEST // 2**20} MiB. Is it text?")
            continue
        try:
            record = parse(raw.decode(), line)
        except UnicodeDecodeError as error:
            record = Record("", line, error=not_utf8(raw, error))
        except DataError as error:  # of one sentence in CoNLL-U
            record = Record("", error.line or line, error=error.what)
        except ValueError as error:  # msgspec's own among them
            record = Record("", line, error=f"{error}".rstrip(".") + ".")
        if record is not None:
            yield record


def _text(piece: str, line: int) -> Record:
    """One text per line; an empty line is an empty text."""
    return Record(piece, line)


def _tokens(piece: str, line: int) -> Record:
    """Tokens with white space between them."""
    return Record(tuple(piece.split()), line)


def _sentence(piece: str, line: int) -> Record:
    """A CoNLL-U sentence: its words, in its own text where they spell it; `sent_id` is passed through."""
    parsed = parse_block(list(enumerate(piece.split("\n"), line)), "")
    words = tuple(row.fields[1] for row in parsed.words)
    extra = {} if parsed.sent_id is None else {"sent_id": parsed.sent_id}
    return Record(TokenizedText(parsed.text, words, parsed.starts), line, extra)


_PARSERS: Mapping[str, Callable[[str, int], Record]] = {
    "lines": _text,
    "tokens": _tokens,
    "conllu": _sentence,
}


def first_texts(source: str, input_format: str, text_key: str | None, count: int) -> list[str]:
    """The first texts of a file, or of stdin; of tokens, joined by spaces. Raises DataError where one is unreadable."""
    result: list[str] = []
    for record in islice(read(None, source, input_format, text_key), count):
        if record.error:
            raise DataError(record.error, "stdin" if source == "-" else source, record.line)
        value = record.value
        text = value.text if isinstance(value, TokenizedText) else value
        result.append(text if isinstance(text, str) else " ".join(text))
    return result
