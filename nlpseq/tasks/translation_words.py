"""The words of the training text, by which a word that a translator made up is known, and spelt as in the source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from nlpseq.config import SearchConfig
from nlpseq.text.pieces import Pieces

MOST = 100_000  # words of a side that are kept
ALIKE = 0.5  # of the letters of two spellings of a name, by difflib's ratio
SHORTEST = 3  # letters of a name that is looked for
_WORD = re.compile(r"[^\W\d_]+")


class KnownWords:
    """The words of each side of the training text, whatever their case; as one string each until they are asked for."""

    def __init__(self, source: str = "", target: str = "") -> None:
        self._given = (source, target)
        self._learnt: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._sets: list[frozenset[str]] = []

    def learn(self, source: str, target: str) -> None:
        """Counts the words of a training pair."""
        self._sets = []
        for counts, text in zip(self._learnt, (source, target), strict=True):
            counts.update(_WORD.findall(text.casefold()))

    def to_plain(self) -> dict[str, Any]:
        """The words, by name; nothing where there are none."""
        names = ("source_words", "target_words")
        return {name: "\n".join(sorted(words)) for name, words in zip(names, self._known(), strict=True) if words}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> KnownWords:
        """The inverse of `to_plain`."""
        return cls(plain.get("source_words", ""), plain.get("target_words", ""))

    def _known(self) -> list[frozenset[str]]:
        if not self._sets:
            self._sets = [
                frozenset(given.split()) | {word for word, _ in counts.most_common(MOST)}
                for given, counts in zip(self._given, self._learnt, strict=True)
            ]
        return self._sets

    def speller(self, pieces: Pieces, source: str, search: SearchConfig) -> Callable[[Sequence[int]], str]:
        """What spells the ids of a translation of `source`."""

        def spelt(ids: Sequence[int]) -> str:
            text = pieces.text(ids)
            return self.respelt(source, text) if search.respell_names else text

        return spelt

    def respelt(self, source: str, translation: str) -> str:
        """The translation, with what it made up of a name spelt as in the source.

        A name is a capitalised word of the source that the translation lacks, and that no source of the training text
        has, or else a target, too. What is made up is a capitalised word that no target has, and that is like it.
        """
        said = _WORD.findall(translation)
        lost = [name for name in _names(_WORD.findall(source)) if not any(word.startswith(name) for word in said)]
        if not lost:
            return translation
        sources, targets = self._known()
        lost = [name for name in lost if name.casefold() not in sources or name.casefold() in targets]
        made_up = [word for word in _names(said) if targets and word.casefold() not in targets]
        alike = sorted(((_likeness(name, word), name, word) for name in lost for word in made_up), reverse=True)
        changes: dict[str, str] = {}
        for ratio, name, word in alike:
            if ratio >= ALIKE and word not in changes and name not in changes.values():
                changes[word] = name
        return _WORD.sub(lambda found: changes.get(found[0], found[0]), translation)


def _names(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word[0].isupper() and len(word) >= SHORTEST]


def _likeness(name: str, word: str) -> float:
    return SequenceMatcher(None, name.casefold(), word.casefold(), autojunk=False).ratio()
