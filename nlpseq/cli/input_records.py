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
