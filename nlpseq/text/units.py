"""What a language model reads and writes: characters or subword pieces, as ids and back.

Words, the third kind of unit, are in `word_units.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from nlpseq.text.pieces import END as PIECE_END
from nlpseq.text.pieces import Pieces
from nlpseq.text.vocab import UNKNOWN, Vocabulary

CHARACTER_END = 2
RESERVED = 3  # ids of characters and of words that are no symbol: padding, unknown, end
_SPACE = "▁"  # how SentencePiece writes the space before a piece


class Begun(NamedTuple):
    """A text up to its last word, half a word behind it, and the ids of the words that this may become; or no half.

    What is a word besides, as "go" is and half of "going", has its own id among them and in `own`.
    """

    before: str
    half: str = ""
    ids: frozenset[int] = frozenset()
    own: int | None = None


class Units(Protocol):
    """A closed set of units. Ids 0 and 1 are padding and unknown."""

    @property
    def end(self) -> int:
        """The id that closes every line, and opens the first."""

    def __len__(self) -> int:
        """Number of ids, the reserved ones included."""

    def meet(self, lines: Iterable[str]) -> Units:
        """The units to read these lines with, and all that was met before: some are learnt of as they come."""

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without an end."""

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids spell; reserved ones are silent."""

    def begun(self, text: str) -> Begun:
        """Where a text ends, or may end, within a word that only one whole unit can complete, what it may become."""

    def to_plain(self) -> dict[str, Any]:
        """Plain values or bytes for the checkpoint's `text/`, by the file that holds them."""

    @property
    def silent(self) -> frozenset[int]:
        """Ids that are never written: padding and the like, but not `end`."""

    @property
    def opening(self) -> frozenset[int]:
        """Ids of units before which a word is complete, `end` among them."""

    def begins(self, line: bool) -> frozenset[int]:
        """Ids of units that may begin a word, at the beginning of a line or within it."""


class Characters:
    """The characters of the training text that were seen often enough; any other is unknown, and written as U+FFFD."""

    end = CHARACTER_END
    silent = frozenset({0, UNKNOWN})

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @classmethod
    def seen(cls, lines: Iterable[str], *, size: int, min_count: int) -> Characters:
        """The most frequent characters of a text: `size` ids at most, each seen `min_count` times or more."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(line)
        counts.setdefault(" ", min_count)  # without it no word would ever end
        kept = Vocabulary.counted(counts, min_count=min_count).symbols[: max(1, size - RESERVED)]
        return cls(Vocabulary(kept, reserved=RESERVED))

    def __len__(self) -> int:
        """Number of ids."""
        return len(self.vocabulary)

    def meet(self, lines: Iterable[str]) -> Characters:
        """Nothing has to be known before: all characters there are have their ids."""
        del lines
        return self

    def begun(self, text: str) -> Begun:
        """Units go on within words, so none is left to be completed at once."""
        return Begun(text)

    def to_plain(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"units": self.vocabulary.symbols}

    def ids(self, text: str) -> list[int]:
        """One id a character; white space of any kind is a space."""
        return self.vocabulary.ids([" " if character.isspace() else character for character in text])

    def text(self, ids: Sequence[int]) -> str:
        """The characters of ids."""
        known = (index for index in ids if index == UNKNOWN or index >= RESERVED)
        return "".join("\ufffd" if index == UNKNOWN else self.vocabulary.symbol(index) for index in known)

    @cached_property
    def opening(self) -> frozenset[int]:
        """All but letters, digits and what stands within words."""
        marks = [symbol for symbol in self.vocabulary.symbols if not (symbol.isalnum() or symbol in "'’-")]
        return frozenset({self.end, *self.vocabulary.ids(marks)})

    def begins(self, line: bool) -> frozenset[int]:
        """A space; at the beginning of a line whatever stands within words."""
        if line:
            return frozenset(range(RESERVED, len(self))) - self.opening
        return frozenset({self.vocabulary.id(" ")}) - self.silent  # there may be none


class PieceUnits:
    """The pieces of a SentencePiece model."""

    end = PIECE_END
    silent = frozenset({0, UNKNOWN, 2})

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces

    def __len__(self) -> int:
        """Number of ids."""
        return len(self.pieces)

    def meet(self, lines: Iterable[str]) -> PieceUnits:
        """Nothing has to be known before: all pieces there are have their ids."""
        del lines
        return self

    def begun(self, text: str) -> Begun:
        """Units go on within words, so none is left to be completed at once."""
        return Begun(text)

    def to_plain(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"pieces": self.pieces.model}

    def ids(self, text: str) -> list[int]:
        """The pieces of a text."""
        return self.pieces.ids(text)

    def text(self, ids: Sequence[int]) -> str:
        """What pieces spell."""
        return self.pieces.text(ids)

    @cached_property
    def opening(self) -> frozenset[int]:
        """Pieces with a space before them, and marks of punctuation."""
        names = self.pieces.names(range(len(self)))
        bare = (index for index, name in enumerate(names) if index > self.end and _opens(name))
        return frozenset({self.end, *bare})

    def begins(self, line: bool) -> frozenset[int]:
        """Pieces with a space before them, which a line begins with as well."""
        del line
        names = self.pieces.names(range(len(self)))
        return frozenset(index for index, name in enumerate(names) if name.startswith(_SPACE))


def _opens(name: str) -> bool:
    return name.startswith(_SPACE) or not (name[0].isalnum() or name[0] in "'’-<")
