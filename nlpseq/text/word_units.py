"""Words as the units of a language model: any word can be read, and those of a closed vocabulary be written."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Generic, Self, TypeVar

from nlpseq.text.rules import plain_rules
from nlpseq.text.spelling import spelt
from nlpseq.text.tokenizer import Tokenizer
from nlpseq.text.units import RESERVED, Begun
from nlpseq.text.vocab import UNKNOWN, Vocabulary
from nlpseq.text.word_rows import WordRows
from nlpseq.text.words import WordVocabularies

END = "\n"  # the word that ends a line
TABLE_LIMIT = 250_000  # words of the training text that are read as themselves; rarer ones are unknown in training
_LAST_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*\Z")
MET_LIMIT = 100_000  # further words that are remembered in prediction
_MEETING = threading.RLock()

R = TypeVar("R", bound=WordRows)


class WordUnits(Generic[R]):
    """The `size` most frequent words of the training text, by frequency, and a table of all that have been met.

    Ids below `len` are of the vocabulary, and the only ones that are foretold: what is above stands for unknown there.
    The same ids are rows of `table`; what else stands in a row is for those to say who make vectors of them.
    """

    end = RESERVED - 1
    silent = frozenset({0, UNKNOWN})

    def __init__(self, tokenizer: Tokenizer, vocabulary: Vocabulary, words: WordVocabularies, word_length: int) -> None:
        self.tokenizer, self.vocabulary, self.words = tokenizer, vocabulary, words
        self.word_length = word_length
        self._kept = 0  # rows that are never forgotten

    @classmethod
    def seen(
        cls,
        lines: Iterable[str],
        tokenizer: Tokenizer,
        *,
        size: int,
        min_count: int,
        numbers: int = 0,
        word_length: int,
        known: Iterable[str] = (),
        tied: bool = False,
    ) -> Self:
        """The words of a text. A form has a vector where it was seen `min_count` times, or is among the `known`; with
        `tied` where it can be written, too.

        Characters and affixes are those of such words: what is left of a large text is mostly names and misprints, and
        would make up most of the model.
        """
        counts: Counter[str] = Counter({END: 0})
        for line in lines:
            counts.update(tokenizer.words(line)[0])
            counts[END] += 1
        ranked = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if word != END]
        kept = ranked[: max(1, size - RESERVED)]
        least = max(min_count, counts[kept[-1]]) if len(ranked) > len(kept) else min_count
        frequent = {word: count for word, count in counts.items() if count >= least}
        forms = [*known, END, *kept] if tied else known
        words = WordVocabularies.from_words(frequent, min_count=least, numbers=numbers, known=forms)
        units = cls(tokenizer, Vocabulary(kept, reserved=RESERVED), words, word_length)
        units.table.add(ranked[:TABLE_LIMIT])
        units._kept = len(units.table)
        return units

    @cached_property
    def table(self) -> R:
        """What the words that have been met are made of: row 1 stands for any that has not, row 2 for the end."""
        table = self._no_rows()
        table.add(("", END, *self.vocabulary.symbols))
        self._kept = len(table)
        return table

    def _no_rows(self) -> R:
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of ids that can be written, the reserved ones included."""
        return len(self.vocabulary)

    @cached_property
    def forms(self) -> list[int]:
        """The vector of each id that can be written, as a number of the embedding's."""
        return [0, UNKNOWN, *map(self.words.form_id, (END, *self.vocabulary.symbols))]

    def meet(self, lines: Iterable[str]) -> Self:
        """Lets the words of these lines be read as themselves; of other such words, not too many are remembered.

        What is returned remembers them, whatever is met or forgotten later.
        """
        met = [word for line in lines for word in self.tokenizer.words(line)[0]]
        with _MEETING:
            if len(self.table) > self._kept + MET_LIMIT:
                self.table = self.table.first(self._kept)
            self.table.add(met)
            return copy(self)

    def ids(self, text: str) -> list[int]:
        """The rows of a text's words; UNKNOWN for those that have not been met."""
        return [self.table.rows.get(word, UNKNOWN) for word in self.tokenizer.words(text)[0]]

    def text(self, ids: Sequence[int]) -> str:
        """The words of ids as English spells them."""
        names = self.table.names
        return spelt([names[index] for index in ids if index >= RESERVED])

    @cached_property
    def opening(self) -> frozenset[int]:
        """Every unit begins a word."""
        return frozenset(range(len(self)))

    def begun(self, text: str) -> Begun:
        """A last word is half of those that begin with it, if any other does."""
        found = _LAST_WORD.search(text)
        if found is None:
            return Begun(text)
        ids = frozenset(self.vocabulary.id(word) for word in self.vocabulary.symbols if word.startswith(found[0]))
        own = self.vocabulary.id(found[0]) if found[0] in self.vocabulary else None
        return Begun(text[: found.start()], found[0], ids, own) if ids - {own} else Begun(text)

    def begins(self, line: bool) -> frozenset[int]:
        """Every word of the vocabulary."""
        del line
        return frozenset(range(RESERVED, len(self)))

    def to_plain(self) -> dict[str, Any]:
        """Plain values for the checkpoint's `text/`."""
        return {
            "words": self.words.to_plain(),
            "units": self.vocabulary.symbols,
            **plain_rules(self.tokenizer.rules),
        }
