"""What can be seen of a word by itself: its known form, its characters, its affixes, its shape."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from nlpseq.text.vocab import UNKNOWN, Vocabulary

_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"(.)\1{2,}", re.DOTALL)
_MARKS = str.maketrans(ascii_uppercase + ascii_lowercase + digits, 26 * "X" + 26 * "x" + 10 * "0")
AFFIXES = ("p1", "p2", "p3", "s1", "s2", "s3", "s4", "shape")
BEGIN, END = "\x02", "\x03"


def composed(word: str) -> str:
    """The word with each letter and its accents as one character, where there is one (Unicode's NFC)."""
    return word if word.isascii() else unicodedata.normalize("NFC", word)


def normal_form(word: str) -> str:
    """The form that is looked up: every digit becomes 0, so that 1987 and 2014 are one word."""
    return word if word.isalpha() else _DIGIT.sub("0", word)


def two_ends(word: str, limit: int) -> str:
    """The word, or of a longer one `limit` characters from its two ends."""
    half = limit // 2
    return word if len(word) <= limit else word[:half] + word[half - limit :]


def word_shape(word: str) -> str:
    """The shape of a word: upper, lower, digit and other marks, runs of more than two shortened ("Cisco" -> "Xxx")."""
    word = word[:64]
    return _shortened(word.translate(_MARKS) if word.isascii() else "".join(map(_mark, word)))


@lru_cache(maxsize=4096)  # there are far fewer shapes than words
def _shortened(marks: str) -> str:
    return _RUN.sub(r"\1\1", marks)


def _mark(c: str) -> str:
    return "X" if c.isupper() else "x" if c.islower() else "0" if c.isdigit() else "w" if c.isalpha() else c


def affixes(word: str) -> list[str]:
    """One feature a name of AFFIXES: lower-cased prefixes of 1 to 3, suffixes of 1 to 4 characters, and the shape."""
    low = normal_form(word).lower()
    return [
        "p1:" + low[:1], "p2:" + low[:2], "p3:" + low[:3], "s1:" + low[-1:], "s2:" + low[-2:], "s3:" + low[-3:],
        "s4:" + low[-4:], "shape:" + word_shape(word),
    ]  # fmt: skip


class WordVocabularies:
    """The vocabularies of forms, characters and affixes, made from the words of the training examples.

    Words are `composed` first, so that it does not matter how a text writes its accents.
    `counts[i]` is how often form id i was seen in training (0 for reserved ids and words known from vectors alone).
    """

    def __init__(self, forms: Vocabulary, characters: Vocabulary, affixes: Vocabulary, counts: list[int]) -> None:
        self.forms, self.characters, self.affixes, self.counts = forms, characters, affixes, counts

    @classmethod
    def from_words(
        cls, words: Mapping[str, int], *, min_count: int, numbers: int = 0, known: Iterable[str] = ()
    ) -> WordVocabularies:
        """Vocabularies of counted training words; `known` forms are added whatever their count, and so many of the most
        frequent words with digits, as they are written (`numbers`).
        """
        forms: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        pieces: Counter[str] = Counter()
        for given, count in words.items():
            word = composed(given)
            forms[normal_form(word)] += count
            for character in word:
                characters[character] += count
            pieces.update(dict.fromkeys(affixes(word), 1))
        frequent = Vocabulary.counted(forms, min_count=min_count).symbols
        own = _numbers(words, min_count, numbers)
        vocabulary = Vocabulary(dict.fromkeys((*frequent, *own, *(normal_form(composed(word)) for word in known))))
        counts = [0, 0, *(own.get(form) or forms.get(form, 0) for form in vocabulary.symbols)]
        marks = Vocabulary(
            (BEGIN, END, *(c for c in Vocabulary.counted(characters, min_count=2).symbols if c not in {BEGIN, END}))
        )
        return cls(vocabulary, marks, Vocabulary.counted(pieces, min_count=3), counts)

    def grown(self, words: Mapping[str, int], *, min_count: int, numbers: int) -> WordVocabularies:
        """These, and behind them the forms that `from_words` would have of other words; nothing else changes."""
        others = WordVocabularies.from_words(words, min_count=min_count, numbers=numbers)
        fresh = {form: others.counts[others.forms.id(form)] for form in others.forms.symbols if form not in self.forms}
        forms = Vocabulary((*self.forms.symbols, *fresh))
        return WordVocabularies(forms, self.characters, self.affixes, [*self.counts, *fresh.values()])

    def form_id(self, word: str) -> int:
        """The id of a word as it is written, or else of its form, or else of that in lower case; or else UNKNOWN."""
        own = composed(word)
        if own in self.forms:
            return self.forms.id(own)
        form = normal_form(own)
        if form in self.forms:
            return self.forms.id(form)
        return self.forms.id(form.lower())

    def character_ids(self, word: str, limit: int) -> list[int]:
        """Ids of a word's characters between marks of its ends; of a longer word, `limit` from its two ends."""
        return self.characters.ids((BEGIN, *two_ends(composed(word), limit), END))

    def affix_ids(self, word: str) -> list[int]:
        """Ids of a word's affixes, in the order of AFFIXES."""
        return self.affixes.ids(affixes(composed(word)))

    def frequent(self, word: str) -> bool:
        """Whether the word, in this case or lower-cased, was seen often enough in training for a vector of its own."""
        return self.counts[self.form_id(word)] > 0

    def means_something(self, token: str) -> bool:
        """Whether a token has a letter, or is a number or sign that is known, such as "10/10" or ":-)".

        Punctuation alone, as often as it may be repeated, is known to every model and means nothing by itself.
        """
        if any(map(str.isalpha, token)):
            return True
        one_mark = len(set(token)) == 1 and unicodedata.category(token[0]).startswith("P")
        return not one_mark and self.form_id(token) != UNKNOWN

    def to_plain(self) -> dict[str, Any]:
        """Plain values for the checkpoint's `text/words.json`."""
        return {
            "forms": self.forms.symbols,
            "characters": self.characters.symbols,
            "affixes": self.affixes.symbols,
            "counts": self.counts,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> WordVocabularies:
        """The inverse of `to_plain`."""
        return cls(
            Vocabulary(plain["forms"]),
            Vocabulary(plain["characters"]),
            Vocabulary(plain["affixes"]),
            list(plain["counts"]),
        )


def _numbers(words: Mapping[str, int], min_count: int, limit: int) -> dict[str, int]:
    """The most frequent of those words that have digits, with their counts."""
    if not limit:
        return {}
    counts: Counter[str] = Counter()
    for given, count in words.items():
        word = composed(given)
        if word != normal_form(word):
            counts[word] += count
    kept = Vocabulary.counted(counts, min_count=min_count).symbols[:limit]
    return {word: counts[word] for word in kept}
