"""Words that have been met, one row a word."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Self

_GROWING = threading.RLock()  # a lock of its own could not be pickled with the rows


class WordRows:
    """The distinct words met so far; row 0 is padding. `rows` has the row of each word, `names` the word of each row.

    Threads may share it; rows stay what they are.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.names = [""]

    def __len__(self) -> int:
        """Number of rows, the padding row included."""
        return len(self.rows) + 1

    def add(self, words: Iterable[str]) -> None:
        """Appends a row for each word that has none."""
        with _GROWING:
            for word in words:
                if word not in self.rows:
                    row = len(self.rows) + 1
                    self.names[row:] = [word]
                    self.rows[word] = row  # last: should it end before, the word has not been met

    def first(self, count: int) -> Self:
        """The first `count` rows alone."""
        result = self._empty()
        result.names = self.names[:count]
        result.rows = {word: row for row, word in enumerate(result.names) if row}
        return result

    def _empty(self) -> Self:
        return type(self)()
