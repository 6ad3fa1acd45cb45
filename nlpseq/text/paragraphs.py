"""Text of any length into what is translated sentence by sentence, and what is kept as it was written.

Everything is linear in the text. Nothing is lost: the parts, joined, are the text.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from nlpseq.text.words import composed

LONGEST = 400  # code points of a sentence; what is longer is cut, at a mark or a space where there is one

# What is no language: kept as it is, wherever it stands.
_ADDRESS = re.compile(
    r"(?:https?://|www\.)(?:[^\s<>\"()]|\([^\s<>\"()]*\))*(?:[^\s<>\"'.,;:!?()\]}»”’]|\([^\s<>\"()]*\))(?<!['’]s)"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|(?<!\S)[!-~]{100,}(?!\S)",  # no word of any language: a key, say, or an encoded file
    re.IGNORECASE,
)
_PICTURES = re.compile(
    "[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
    "\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*"
    r"|\S\ufe0f\u20e3?|[0-9#*]\u20e3"  # signs and digits that are to be shown as pictures
)
_BREAK = "\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029"  # whatever some program takes for the end of a line, and tabs
_BREAKS = re.compile(f"[{_BREAK}]+")
_LINE = re.compile(f"[^{_BREAK}]+|[{_BREAK}]+")
_END = re.compile(r"(?<![.!?…])([.!?…]++)[\"'”’»)\]]*+(?=\s)|[。！？।]+[”’」』）]*")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_I = re.compile(r"\bi\b")
_BLACK = re.compile(r"\S|\Z")
_AFTER_COMMA = re.compile(r"(?![,;:]\s)\S|\Z")
_OPENING = re.compile(r"[\s\"'“‘«¿¡(\[—–-]*")
_LAST_WORD = re.compile(r"(\w+)\.\Z")
_CUT = re.compile(r"[,;:—–]\s|\s")
_FINAL_MARKS = re.compile(r"\s*[.!?…。！？।]+\Z")
# They have a full stop and no sentence ends there: titles, and words before a name or a number.
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st jr sr vs vol fig pp cf mme mlle mm sra srta hr nr str bzw ca dipl ing".split()  # noqa: SIM905
)


# Names and numbers that stand in for what has to stay while a sentence is translated: most languages leave them as they
# are.
_NAMES = ("Tom", "John", "Bob")
_NUMBERS = ("12", "25", "40", "36", "52")
_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,:/-]\d+)*")
_DIGITS = re.compile(r"\d+")
_SHORT = 2  # digits of a number that a translator may write as words
_TOKEN = re.compile(r"[\w\u0300-\u036f]+")
_UNUSED = "".join(chr(0xE000 + index) for index in range(len(_NAMES) + len(_NUMBERS)))  # characters of no language
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
            ((True, _NUMBERS), (False, _NAMES))
        }  # fmt: skip
        taken = {kept.name for kept in self.kept}
        kept = list(self.kept)
        for begin, end in spans:
            name = next((name for name in free[self.text[begin].isdigit()] if name not in taken), None)
            if name is None:
                return None
            kept.append(Kept(name, begin, end))
        return self._replace(kept=tuple(sorted(kept, key=lambda one: one.begin)))

    def cut(self) -> list[Part]:
        """The same stretch cut at its addresses: for a translator that does not leave names alone."""
        return self._cut(self.text, whole=self.whole)

    def halves(self) -> list[Part]:
        """The same stretch cut at the space nearest to its middle, if there is one."""
        middle = len(self.text) // 2
        spaces = [match.end() for match in _SPACE.finditer(self.text)]
        at = min(spaces, key=lambda at: abs(at - middle), default=middle)
        return [*self._cut(self.text[:at], whole=False), *self._cut(self.text[at:], whole=False)]

    def _cut(self, text: str, *, whole: bool) -> list[Part]:
        return [part._replace(as_written=self.as_written) for part in _pieces(text, whole=whole)]


def parts_of(text: str, *, as_written: bool = False) -> list[Part]:
    """The parts of a text: joined, they are the text.

    A sentence ends at its marks where white space and no lower-case letter follows, at a line break or a tab, and in
    any case at LONGEST and at pictures (emoji). White space around sentences is kept, and so is whatever has no letter.
    For addresses (of e-mail and of the web) names stand in. `as_written`: see Part.
    """
    parts: list[Part] = []
    for line in _LINE.findall(text):
        for sentence, whole in _sentences(line):
            for stretch, alone in _between_pictures(sentence):
                parts += _with_names(stretch, whole=whole and alone) or _pieces(stretch, whole=whole and alone)
    return [part._replace(as_written=True) for part in parts] if as_written else parts


def short_parts(parts: Iterable[Part], fits: Callable[[str], bool]) -> list[Part]:
    """The parts, halved until what is asked of each fits."""
    found: list[Part] = []
    for part in parts:
        whole = not part.translated or len(part.text) == 1 or fits(part.asked)
        found += [part] if whole else short_parts(part.halves(), fits)
    return found


def rejoined(parts: Sequence[Part], translations: Iterable[str]) -> str:
    """The text with its translated parts replaced, in order, by their translations."""
    found = iter(translations)
    return "".join(_fitted(part, next(found)) if part.translated else part.text for part in parts)


def _fitted(part: Part, translation: str) -> str:
    """A translation, on one line; that of a piece without a final mark does not get one."""
    restored = part.restored(translation)
    assert restored is not None, "a part whose addresses are lost is cut, and its pieces are translated"
    translation = _BREAKS.sub(" ", restored)
    if part.whole or _FINAL_MARKS.search(part.text):
        return translation
    return _FINAL_MARKS.sub("", translation) or translation


def _sentences(line: str) -> Iterator[tuple[str, bool]]:
    """The sentences of a line, with the white space behind each, and whether it is whole; see `_short`."""
    begin = 0
    for match in _END.finditer(line):
        if _ends(line, begin, match):
            black = _BLACK.search(line, match.end())
            after = black.start() if black else len(line)
            yield from _short(line[begin:after])
            begin = after
    yield from _short(line[begin:])


def _ends(line: str, begin: int, match: re.Match[str]) -> bool:
    """Whether a sentence is over at these marks."""
    opening = _OPENING.match(line, match.end())
    following = line[opening.end() : opening.end() + 1] if opening else ""
    if following.islower():
        return False
    word = _LAST_WORD.search(line, max(begin, match.start() - 12), match.start() + 1)
    if match[1] != "." or word is None:
        return True
    initial = len(word[1]) == 1 and word[1].isupper() and word[1] != "I"
    return not (initial or word[1].lower() in _ABBREVIATIONS)


def _short(sentence: str) -> Iterator[tuple[str, bool]]:
    """A whole sentence, or pieces of one that is too long, none longer than LONGEST but for an address."""
    if len(sentence) <= LONGEST:
        if sentence:
            yield sentence, True
        return
    addresses = deque(match.span() for match in _ADDRESS.finditer(sentence))
    begin = 0
    while begin < len(sentence):
        end = len(sentence)
        if end - begin > LONGEST:
            cuts = [match.end() for match in _CUT.finditer(sentence, begin + LONGEST // 2, begin + LONGEST)]
            end = cuts[-1] if cuts else begin + LONGEST
        while addresses and addresses[0][1] <= end:
            addresses.popleft()
        if addresses and addresses[0][0] < end:  # the cut is within this one
            end = addresses[0][0] if addresses[0][0] > begin else addresses[0][1]
        yield sentence[begin:end], False
        begin = end


def _between_pictures(sentence: str) -> Iterator[tuple[str, bool]]:
    """A sentence cut around its pictures, but for those of addresses, and whether a stretch has all of its words."""
    if sentence.isascii() or not _PICTURES.search(sentence):
        yield sentence, True
        return
    addresses = [match.span() for match in _ADDRESS.finditer(sentence)]
    pictures = [match.span() for match in _PICTURES.finditer(sentence)]
    outside = [span for span in pictures if not any(begin <= span[0] < end for begin, end in addresses)]
    cuts = sorted({0, len(sentence), *chain.from_iterable(outside)})
    stretches = [sentence[begin:end] for begin, end in pairwise(cuts)]
    alone = sum(any(map(str.isalpha, stretch)) for stretch in stretches) == 1
    for stretch in stretches:
        yield stretch, alone


def _quiet(text: str) -> str:
    """A text in capitals as it would be written otherwise: the first letter and `I` are left."""
    first = next(index for index, character in enumerate(text) if character.isalpha() or character in _UNUSED)
    return _I.sub("I", text[: first + 1] + text[first + 1 :].lower())


def _with_names(sentence: str, *, whole: bool) -> list[Part]:
    """A sentence around a few addresses, as one part; nothing where it has none, or too many, or no words besides."""
    inside = sentence.strip()
    start = sentence.index(inside)
    found = list(_ADDRESS.finditer(inside))
    names = [name for name in _NAMES if name not in sentence][: len(found)]
    if not found or len(names) < len(found) or not any(map(str.isalpha, _ADDRESS.sub("", sentence))):
        return []
    kept = tuple(Kept(name, *match.span()) for name, match in zip(names, found, strict=True))
    parts = [
        Part(sentence[:start], translated=False),
        Part(inside, translated=True, whole=whole, kept=kept),
        Part(sentence[start + len(inside) :], translated=False),
    ]
    return [part for part in parts if part.text]


def _pieces(sentence: str, *, whole: bool) -> Iterator[Part]:
    """A sentence, or a piece of one, cut at its addresses."""
    found = list(_ADDRESS.finditer(sentence))
    at = 0
    for match in found:
        yield from _stripped(sentence[at : match.start()], whole=False)
        yield Part(match[0], translated=False)
        at = match.end()
    yield from _stripped(sentence[at:], whole=whole and not found)


def _has_numbers(found: Sequence[str], numbers: Sequence[Sequence[str]]) -> bool:
    """Whether runs of digits are those of these numbers, given as groups of digits; see `Part.lost`."""
    digits = "".join(map("".join, numbers))
    if sorted("".join(found)) != sorted(digits):
        short = all(len("".join(groups)) <= _SHORT for groups in numbers)
        return short and not Counter(found) - Counter([*chain.from_iterable(numbers), *map("".join, numbers)])
    there = f" {' '.join(found)} "
    return all(f" {' '.join(groups)} " in there or f" {''.join(groups)} " in there for groups in numbers)


def _stripped(text: str, *, whole: bool) -> Iterator[Part]:
    """A stretch without addresses: the white space around it, and what is to be translated, if there is a letter.

    To a piece of a sentence the comma before it does not belong, either.
    """
    black = _BLACK.search(text) if whole else _AFTER_COMMA.search(text)
    start = black.start() if black else len(text)
    inside = text[start:].rstrip()
    if not any(map(str.isalpha, inside)):
        if text:
            yield Part(text, translated=False)
        return
    if start:
        yield Part(text[:start], translated=False)
    yield Part(inside, translated=True, whole=whole)
    if start + len(inside) < len(text):
        yield Part(text[start + len(inside) :], translated=False)
