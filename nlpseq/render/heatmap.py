"""Attention drawn with blocks: a row for each target piece, a column for each source piece, which is read downwards.

Shades say it all, so that it is the same without colours. What is wider than the terminal goes on below.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from nlpseq.records import Attention
from nlpseq.render.colours import FAINT, HEAT
from nlpseq.render.safe import one_line, visible

SHADES = " ░▒▓█"  # of weights up to 0.1, 0.3, 0.5, 0.7 and 1
BOUNDS = (0.1, 0.3, 0.5, 0.7)
CELL = 2  # columns of the terminal for a source piece
LABEL = 16  # at most, for a piece


def shade(weight: float) -> str:
    """The block that stands for a weight."""
    return SHADES[sum(weight >= bound for bound in BOUNDS)]


def heat_map(attention: Attention, width: int) -> Iterator[Text]:
    """The lines of the map, none wider than `width` where that is 20 or more."""
    targets = [_label(piece) for piece in attention.target]
    margin = max(map(cell_len, targets), default=0) + 1
    step = max(1, (width - margin) // CELL)
    for start in range(0, len(attention.source), step):
        if start:
            yield Text()
        sources = [_label(piece) for piece in attention.source[start : start + step]]
        yield from _headings(sources, margin)
        for target, row in zip(targets, attention.weights, strict=True):
            line = Text(set_cell_size(target.rjust(margin - 1), margin))
            line.append("".join(shade(weight) * CELL for weight in row[start : start + step]), HEAT)
            yield line


def _headings(pieces: list[str], margin: int) -> Iterator[Text]:
    """Source pieces from top to bottom, their ends in one line."""
    height = max(map(len, pieces), default=0)
    for level in range(height):
        letters = (piece.rjust(height)[level] for piece in pieces)
        yield Text(" " * margin + "".join(set_cell_size(letter, CELL) for letter in letters).rstrip(), FAINT)


def _label(piece: str) -> str:
    text = visible(one_line(piece))
    return text if cell_len(text) <= LABEL else set_cell_size(text, LABEL - 1) + "…"
