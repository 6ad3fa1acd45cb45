"""One input of a predicting command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nlpseq.records import TokenizedText


class Record(NamedTuple):
    """One input: a text, its tokens, or both; or, with `error`, why there is none (`value` is then empty).

    `line` is where it begins in its source, from 1, or with `error` where that is. `extra` is what came with it, to be
    passed through.
    """

    value: str | tuple[str, ...] | TokenizedText
    line: int
    extra: Mapping[str, object] = {}
    error: str = ""


def not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    """What is told of bytes that are no text."""
    where = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
    return f"This is not UTF-8: {where}. A file in Latin-1 is converted by: iconv -f LATIN1 -t UTF-8 OLD > NEW."
