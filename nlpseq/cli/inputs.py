"""Inputs as records, one at a time: from arguments, a file or stdin, in any of the input formats.

Lines are bytes until one record is made of them, so a line that is not UTF-8 is one record's failure.
"""

from __future__ import annotations

import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO, NamedTuple, cast

import msgspec

from nlpseq.corpora.conllu import parse_block
from nlpseq.corpora.offsets import pieces_of, place
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TokenizedText

# An escaped pair of surrogates, a lone one, or any other escape, so that "\\ud800" is not taken for one.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)")

Lines = Iterable[tuple[int, bytes]]  # numbered from 1, without their ends


class Record(NamedTuple):
    """One input: a text, its tokens, or both; or, with `error`, why there is none (`value` is then empty).

    `line` is where it begins in its source, from 1; `extra` is what came with it, to be passed through.
    """

    value: str | tuple[str, ...] | TokenizedText
    line: int
    extra: Mapping[str, object] = {}
    error: str = ""


def nothing_given(texts: Sequence[str] | None, source: str | None) -> bool:
    """Whether there is no input but a person at a keyboard, who did not ask to type."""
    return not texts and source is None and (sys.stdin is None or sys.stdin.isatty())


def is_interactive(texts: Sequence[str] | None, source: str | None) -> bool:
    """Whether inputs are typed as we go, so that each is to be answered before the next."""
    return not texts and source in {None, "-"} and sys.stdin is not None and sys.stdin.isatty()


def read(
    texts: Sequence[str] | None, source: str | None, input_format: str = "lines", text_key: str = "text"
) -> Iterator[Record]:
    """The records of TEXT arguments, of the file `source`, or of stdin: lazily, but the file is opened now.

    Raises UsageError where both are given or the file cannot be opened.
    """
    if texts and source is not None:
        raise UsageError("TEXT and -i were both given. Give the inputs one way.")
    if texts and input_format == "conllu":
        raise UsageError("CoNLL-U cannot be read from TEXT arguments. Give a file with -i, or a pipe.")
    lines = _arguments(texts) if texts else _lines(source or "-")
    if input_format == "conllu":
        lines = _blocks(lines)
    parse = partial(_object, text_key=text_key) if input_format == "jsonl" else _PARSERS[input_format]
    return _records(lines, parse)


def _arguments(texts: Sequence[str]) -> Lines:
    return enumerate(map(os.fsencode, texts), 1)  # the very bytes that the shell gave


def _lines(source: str) -> Lines:
    if source == "-" and sys.stdin is None:
        raise UsageError("There is no stdin to read. Give TEXT, or a file with -i.")
    try:
        handle = sys.stdin.buffer if source == "-" else _open(source)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}.") from None
    return _numbered(handle, "stdin" if source == "-" else source)


def _open(path: str) -> BinaryIO:
    if path.endswith(".gz"):
        import gzip

        return cast(BinaryIO, gzip.open(path))
    return open(path, "rb")  # noqa: PTH123 - closed by _numbered; a file name is given as typed


def _numbered(handle: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """Lines without their ends and without the file's byte order mark."""
    number = 0
    try:
        with handle:
            for number, raw in enumerate(handle, 1):
                line = raw.removesuffix(b"\n").removesuffix(b"\r")
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"The file cannot be read further: {error}.", name, number) from None


def _blocks(lines: Lines) -> Iterator[tuple[int, bytes]]:
    """What stands between empty lines, as one piece with the number of its first line."""
    block: list[bytes] = []
    first = 0
    for number, raw in lines:
        if raw.strip():
            first = first if block else number
            block.append(raw)
        elif block:
            yield first, b"\n".join(block)
            block = []
    if block:
        yield first, b"\n".join(block)


def _records(pieces: Lines, parse: Callable[[str, int], Record | None]) -> Iterator[Record]:
    """What `parse` makes of each piece, or a record that says why it cannot; nothing where it gives None."""
    for line, raw in pieces:
        record: Record | None
        try:
            record = parse(raw.decode(), line)
        except UnicodeDecodeError as error:
            where = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
            record = Record("", line, error=f"This is not UTF-8: {where}.")
        except DataError as error:  # of one sentence in CoNLL-U
            record = Record("", line, error=f"In line {error.line}: {error.what}")
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


def _object(piece: str, line: int, text_key: str) -> Record | None:
    """An object with tokens that are strings, with the text that they spell, or a text; nothing for an empty line.

    Where the tokens do not spell the text, the text is theirs, joined by spaces. What is passed through stays as
    it was written.
    """
    if not piece.strip():
        return None
    piece = _ESCAPE.sub(lambda match: "\\ufffd" if match[1] else match[0], piece)  # half an emoji, cut elsewhere
    try:
        fields = msgspec.json.decode(piece, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"This is not a JSON object: {error}") from None
    extra = {key: value for key, value in fields.items() if key not in {text_key, "tokens"}}
    if "tokens" in fields:
        try:
            return Record(_tokenized(fields["tokens"], fields.get(text_key)), line, extra)
        except msgspec.ValidationError:
            if text_key not in fields:
                raise ValueError('"tokens" is not a list of strings') from None
    if text_key not in fields:
        raise ValueError(f'The object has no key "{text_key}". Name the key of the text with --text-key')
    try:
        return Record(msgspec.json.decode(fields[text_key], type=str), line, extra)
    except msgspec.ValidationError:
        raise ValueError(f'"{text_key}" is not a string') from None


def _tokenized(tokens: msgspec.Raw, text: msgspec.Raw | None) -> tuple[str, ...] | TokenizedText:
    """The tokens, and where they are in the text, if one is given. Raises msgspec.ValidationError."""
    words = msgspec.json.decode(tokens, type=tuple[str, ...])
    given = None if text is None else msgspec.json.decode(text)
    if not isinstance(given, str):
        return words
    text_of_words, starts = place(given, pieces_of(words))
    return TokenizedText(text_of_words, words, starts)


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
