"""Inputs that are JSON objects."""

from __future__ import annotations

import re

import msgspec

from nlpseq.cli.input_records import Record
from nlpseq.corpora.offsets import pieces_of, place
from nlpseq.records import TokenizedText

# An escaped pair of surrogates, a lone one, or any other escape, so that "\\ud800" is not taken for one.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)")


def record_of_object(piece: str, line: int, text_key: str) -> Record | None:
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
        heading = line == 1 and text_key in re.split("[,\t]", piece.strip())
        hint = ". It looks like the heading of a table: say --input-format csv, or tsv" if heading else ""
        raise ValueError(f"This is not a JSON object: {error}{hint}") from None
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
