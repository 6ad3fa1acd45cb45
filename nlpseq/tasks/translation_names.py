"""Names and numbers that a translation copies, exchanged on both sides of a training pair.

A corpus has few names, each many times; a translator learns those by heart and spells others wrong. With another one at
each reading, what remains to be learnt is to copy.
"""

from __future__ import annotations

import random
import re
from collections import Counter

from nlpseq.errors import DataError
from nlpseq.tasks.mentions import named_file, read_names
from nlpseq.tasks.translation_config import AugmentConfig

_NAME = re.compile(r"\b[^\W\d_]{3,}\b")
_NUMBER = re.compile(r"(?<![\w.,])[1-9]\d+(?!\w|[.,]\d)")  # of two digits or more: those of one decide about plurals
_COPIED = re.compile(f"{_NAME.pattern}|{_NUMBER.pattern}")
_VOWELS = frozenset("aeiouyhàáâãäåæèéêëìíîïòóôõöøœùúûü")  # and h: before some of them words are elided
_SELDOM = 20  # a name is written as a common word not even once for so many times


class Copied:
    """Which words are names, learnt from training pairs, and what stands in for them.

    Raises DataError where a list of names is missing or has none of a single capitalised word.
    """

    def __init__(self, config: AugmentConfig) -> None:
        self._seen: Counter[str] = Counter()
        self._others: dict[bool, list[str]] = {True: [], False: []}  # by whether a vowel begins
        for place in config.names:
            for words in read_names(named_file(place)):
                if len(words) == 1 and _capitalised(words[0]):
                    self._others[_vowel(words[0])].append(words[0])
        if not all(self._others.values()):
            raise DataError(
                "The lists of augment.names have too few single capitalised words; some have to begin with a vowel, "
                "others with a consonant."
            )

    def learn(self, source: str, target: str) -> None:
        """Counts how the words of a pair are written."""
        self._seen.update(_NAME.findall(source))
        self._seen.update(_NAME.findall(target))

    def replace(self, source: str, target: str, seed: int) -> tuple[str, str]:
        """The pair with every name and number that both sides have changed; the same seed gives the same ones."""
        generator = random.Random(seed)
        changes: dict[str, str] = {}
        for pattern, other in ((_NAME, self._name), (_NUMBER, _number)):
            there = set(pattern.findall(target))
            for word in dict.fromkeys(pattern.findall(source)):
                if word in there and (pattern is _NUMBER or self._is_name(word)):
                    changes[word] = other(word, generator)
        return _changed(source, changes), _changed(target, changes)

    def _is_name(self, word: str) -> bool:
        return _capitalised(word) and self._seen[word.lower()] * _SELDOM <= self._seen[word]

    def _name(self, word: str, generator: random.Random) -> str:
        """A listed name, or one that is made up of the halves of two; it begins with a vowel as `word` does, or not."""
        others = self._others[_vowel(word)]
        first = generator.choice(others)
        if generator.random() < 0.5:
            return first
        last = generator.choice(self._others[generator.random() < 0.5])
        return first[: (len(first) + 1) // 2 + 1] + last[len(last) // 2 :]


def _number(word: str, generator: random.Random) -> str:
    """A number of as many digits."""
    return str(generator.randrange(10 ** (len(word) - 1), 10 ** len(word)))


def _changed(text: str, changes: dict[str, str]) -> str:
    return _COPIED.sub(lambda found: changes.get(found[0], found[0]), text) if changes else text


def _capitalised(word: str) -> bool:
    return word.isalpha() and word[0].isupper() and word[1:].islower()


def _vowel(word: str) -> bool:
    return word[0].lower() in _VOWELS
