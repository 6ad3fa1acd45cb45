"""A stretch of a text that is translated by itself, or kept, and what of it has to stay in the translation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from nlpseq.text.words import composed

# Names and numbers that stand in for what has to stay while a sentence is translated: most languages leave them as they
# are.
NAMES = ("Tom", "John", "Bob")
_NUMBERS = ("12", "25", "40", "36", "52")
_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,:/-]\d+)*")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_I = re.compile(r"\bi\b")
_SHORT = 2  # digits of a number that a translator may write as words
_TOKEN = re.compile(r"[\w\u0300-\u036f]+")
_UNUSED = "".join(chr(0xE000 + index) for index in range(len(NAMES) + len(_NUMBERS)))  # characters of no language
_LOUD = 5  # letters of a sentence, all capitals, from which on it is no abbreviation


class Kept(NamedTuple):
    """A stretch `text[begin:end]` of a part that stays as it is, and the name or number that stands in for it."""

    name: str
    begin: int
    end: int


class Part(NamedTuple):
    """A stretch of a text. What is not to be `translated` is kept. `whole` says that it is a sentence, not a piece.

    `kept` are addresses and the like in it, in their order. `as_written` keeps its capitals when it is asked for: for a
    translator that knows no small letters.
    """

    text: str
    translated: bool
    whole: bool = True
    kept: tuple[Kept, ...] = ()
    as_written: bool = False

    @property
    def loud(self) -> bool:
        """Whether it is a sentence in capitals throughout, which corpora hardly have; whatever is kept is in.

        It has several words, or is an exclamation: one word may be an abbreviation, and one among letters that are
        neither capital nor small, as of Chinese, does not make it one.
        """
        text = self._with([""] * len(self.kept))
        if self.as_written or not text.isupper():
            return False
        words = _WORD.findall(text)
        letters = "".join(words)
        return len(letters) >= _LOUD and (len(words) > 1 or text.endswith("!")) and all(map(str.isupper, letters))

    @property
    def asked(self) -> str:
        """What is given to the translator: names in the place of what is kept, small letters in that of capitals."""
        if not self.loud:
            return composed(self._with([kept.name for kept in self.kept]))
        text = composed(_quiet(self._with(list(_UNUSED[: len(self.kept)]))))
        names = {ord(mark): kept.name for mark, kept in zip(_UNUSED, self.kept, strict=False)}
        return text.translate(names)

    def _with(self, instead: Sequence[str]) -> str:
        """The text with something else in the place of each stretch that is kept."""
        text = self.text
        for kept, other in zip(reversed(self.kept), reversed(instead), strict=True):
            text = text[: kept.begin] + other + text[kept.end :]
        return text

    def restored(self, translation: str) -> str | None:
        """A translation of what was asked with what is kept; None where one of the names is not in it just once."""
        shown = translation.upper() if self.loud else translation
        if not self.kept:
            return shown
        there = {kept.name.upper() if self.loud else kept.name: self.text[kept.begin : kept.end] for kept in self.kept}
        names, digits = ([name for name in there if name.isdigit() == number] for number in (False, True))
        ways = [rf"(?<!\w)(?:{'|'.join(names)})(?!\w)"] if names else []
        ways += [rf"(?<!\d)(?:{'|'.join(digits)})(?!\d)"] if digits else []
        pattern = re.compile("|".join(ways))
        if sorted(pattern.findall(shown)) != sorted(there):
            return None
        return pattern.sub(lambda found: there[found[0]], shown)

    def lost(self, translation: str, unspelt: Callable[[str], bool]) -> list[tuple[int, int]]:
        """Where the part has numbers that a translation has not, and names that are `unspelt` in a translator's pieces
        and not in the translation; nothing where it has them all. What is kept is not looked at.

        Numbers are there where the translation has their digits and no others, each number's groups side by side, or as
        one, however it parts them. One of two digits may be written as a word.
        """
        numbers = [match.span() for match in _NUMBER.finditer(self.text) if not self._keeps(*match.span())]
        own = [_DIGITS.findall(self.text[begin:end]) for begin, end in numbers]
        wrong = not _has_numbers(_DIGITS.findall(translation), own)
        names = [] if self.text.isascii() else [match.span() for match in _TOKEN.finditer(self.text)]
        names = [span for span in names if self.text[span[0]].isupper() and not self._keeps(*span)]
        strange = [(begin, end) for begin, end in names if unspelt(composed(self.text[begin:end]))]
        said = translation.casefold()
        missing = any(composed(self.text[begin:end]).casefold() not in said for begin, end in strange)
        kept = strange if missing else []
        apart = [one for one in numbers if wrong and not any(begin <= one[0] < end for begin, end in kept)]
        return sorted({*apart, *kept})

    def _keeps(self, begin: int, end: int) -> bool:
        return any(one.begin < end and begin < one.end for one in self.kept)

    def keeping(self, spans: Sequence[tuple[int, int]]) -> Part | None:
        """The same part that keeps these stretches too; None where there are more than can be stood in for."""
        free = {
            kind: iter([name for name in names if name not in self.text]) for kind, names in
            ((True, _NUMBERS), (False, NAMES))
        }  # fmt: skip
        taken = {kept.name for kept in self.kept}
        kept = list(self.kept)
        for begin, end in spans:
            name = next((name for name in free[self.text[begin].isdigit()] if name not in taken), None)
            if name is None:
                return None
            kept.append(Kept(name, begin, end))
        return self._replace(kept=tuple(sorted(kept, key=lambda one: one.begin)))


def _quiet(text: str) -> str:
    """A text in capitals as it would be written otherwise: the first letter and `I` are left."""
    first = next(index for index, character in enumerate(text) if character.isalpha() or character in _UNUSED)
    return _I.sub("I", text[: first + 1] + text[first + 1 :].lower())


def _has_numbers(found: Sequence[str], numbers: Sequence[Sequence[str]]) -> bool:
    """Whether runs of digits are those of these numbers, given as groups of digits; see `Part.lost`."""
    digits = "".join(map("".join, numbers))
    if sorted("".join(found)) != sorted(digits):
        short = all(len("".join(groups)) <= _SHORT for groups in numbers)
        return short and not Counter(found) - Counter([*chain.from_iterable(numbers), *map("".join, numbers)])
    there = f" {' '.join(found)} "
    return all(f" {' '.join(groups)} " in there or f" {''.join(groups)} " in there for groups in numbers)
