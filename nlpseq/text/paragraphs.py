"""Text of any length into what is translated sentence by sentence, and what is kept as it was written.

Everything is linear in the text. Nothing is lost: the parts, joined, are the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise

from nlpseq.text.parts import NAMES, Kept, Part

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


def cut(part: Part) -> list[Part]:
    """The same stretch cut at its addresses: for a translator that does not leave names alone."""
    return _cut(part, part.text, whole=part.whole)


def halves(part: Part) -> list[Part]:
    """The same stretch cut at the space nearest to its middle, if there is one."""
    middle = len(part.text) // 2
    spaces = [match.end() for match in _SPACE.finditer(part.text)]
    at = min(spaces, key=lambda at: abs(at - middle), default=middle)
    return [*_cut(part, part.text[:at], whole=False), *_cut(part, part.text[at:], whole=False)]


def _cut(part: Part, text: str, *, whole: bool) -> list[Part]:
    return [piece._replace(as_written=part.as_written) for piece in _pieces(text, whole=whole)]


def short_parts(parts: Iterable[Part], fits: Callable[[str], bool]) -> list[Part]:
    """The parts, halved until what is asked of each fits."""
    found: list[Part] = []
    for part in parts:
        whole = not part.translated or len(part.text) == 1 or fits(part.asked)
        found += [part] if whole else short_parts(halves(part), fits)
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


def _with_names(sentence: str, *, whole: bool) -> list[Part]:
    """A sentence around a few addresses, as one part; nothing where it has none, or too many, or no words besides."""
    inside = sentence.strip()
    start = sentence.index(inside)
    found = list(_ADDRESS.finditer(inside))
    names = [name for name in NAMES if name not in sentence][: len(found)]
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
