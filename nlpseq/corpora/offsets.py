"""Where tokens lie in their text: found in a given text, or in one spelled from the tokens themselves.

Offsets are code points, and `text[start : start + len(token)] == token` holds for whatever is returned.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """A stretch of text and the words in it: nearly always one word, which is the stretch itself.

    "don't" is a piece of two words, "do" and "n't". A word need not be in it: French "du" is "de", "le".
    """

    surface: str
    words: tuple[str, ...]
    space_after: bool = True


def pieces_of(tokens: Sequence[str]) -> list[Piece]:
    """One piece for each token, with a space after it."""
    return [Piece(token, (token,)) for token in tokens]


def place(text: str | None, pieces: Sequence[Piece]) -> tuple[str, tuple[int, ...]]:
    """(text, starts): of the text given where the pieces spell it, else of a text spelled from the pieces."""
    starts = None if text is None else align(text, pieces)
    if text is None or starts is None:
        return spell(pieces)
    return text, starts


def align(text: str, pieces: Sequence[Piece]) -> tuple[int, ...] | None:
    """The start of every word in `text`, or None where more is in it than pieces and white space."""
    starts: list[int] = []
    at = 0
    for piece in pieces:
        while not text.startswith(piece.surface, at) and at < len(text) and text[at].isspace():
            at += 1
        inside = _words_inside(piece)
        if inside is None or not text.startswith(piece.surface, at):
            return None
        starts += [at + start for start in inside]
        at += len(piece.surface)
    return None if text[at:].strip() else tuple(starts)


def spell(pieces: Sequence[Piece]) -> tuple[str, tuple[int, ...]]:
    """(text, starts) of a text made of the pieces; words that are not in their surface stand in its place."""
    text, starts = "", []
    for index, piece in enumerate(pieces):
        inside = _words_inside(piece)
        surface = piece.surface if inside is not None else " ".join(piece.words)
        starts += [len(text) + start for start in inside or _joined_starts(piece.words)]
        text += surface
        if piece.space_after and index + 1 < len(pieces):
            text += " "
    return text, tuple(starts)


def tokens_touched(starts: Sequence[int], ends: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """(first token, one past the last) of those with a character in `start`..`end`; empty where none has."""
    return bisect_right(ends, start), bisect_left(starts, end)


def _words_inside(piece: Piece) -> list[int] | None:
    """The start of each word within the surface, from left to right; None where one is not there."""
    starts: list[int] = []
    at = 0
    for word in piece.words:
        start = piece.surface.find(word, at)
        if start < 0:
            return None
        starts.append(start)
        at = start + len(word)
    return starts


def _joined_starts(words: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    return starts
