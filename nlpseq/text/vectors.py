"""Pre-trained word vectors in the text format of word2vec, GloVe and fastText: a word and its numbers on each line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nlpseq.corpora.files import read_lines
from nlpseq.errors import DataError
from nlpseq.text.words import composed, normal_form

Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


def read_vectors(path: str | Path, *, limit: int) -> dict[str, Vector]:
    """The vectors of the first `limit` words of a file (gz and xz are read in place), by normal form; float32 (D,).

    A first line of two whole numbers (word2vec, fastText) is passed over. Of several words with one normal form the
    first, which is the most frequent one, counts. A word may have spaces in it, unless it is the first. Raises
    DataError with the line for numbers that are none or infinite, or are more or fewer than before.
    """
    vectors: dict[str, Vector] = {}
    width = 0
    for number, line in _rows(path):
        if len(vectors) >= limit:
            break
        word, *cells = line.split(" ")
        if width and len(cells) > width and not _is_number(cells[-width - 1]):
            word, *cells = line.rsplit(" ", width)
        try:
            with np.errstate(over="ignore"):  # which makes them infinite
                vector = np.array(cells, dtype=np.float32)
        except ValueError:
            raise DataError(f"{word!r} is followed by something that is no number.", path, number) from None
        width = width or len(vector)
        if len(vector) != width or not width:
            raise DataError(f"{word!r} has {len(vector)} numbers, where the words before have {width}.", path, number)
        if not np.isfinite(vector).all():
            raise DataError(f"{word!r} has a number that is infinite, or none.", path, number)
        vectors.setdefault(normal_form(composed(word)), vector)
    if not vectors:
        raise DataError("It holds no vector.", path)
    return vectors


def _rows(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines that begin with a word."""
    for number, line in read_lines(path):
        word, *cells = line.rstrip().split(" ")
        header = number == 1 and len(cells) == 1 and word.isdigit() and cells[0].isdigit()
        if word and not header:
            yield number, line.rstrip()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
