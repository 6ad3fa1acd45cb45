"""Raw text into sentences of words, with the offset of each: spaCy's rules, a bounded time for any input.

spaCy's tokenizer decides on each stretch between white space by itself (but for some smileys), so what it says of a
stretch is remembered, and a giant stretch, on which its rules can take quadratic time, never reaches it. Where its
rules are at hand (see `rules.py`), spaCy itself is not needed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

from nlpseq.errors import UsageError
from nlpseq.text.rules import Rules, rules_from_spacy

GIANT = 256  # code points: longer stretches without white space are split by one linear pattern instead
MEMORY = 200_000  # stretches remembered from one text to the next
AT_ONCE = 10_000  # stretches that spaCy is asked about at once
BETWEEN = " a "
Memory = dict[str, tuple[tuple[int, str], ...]]  # stretches, and the offset in each and the text of its words
_STRETCH = re.compile(r"\S+")
_GIANT_PIECE = re.compile(r"\w+|[^\w\s]+")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*\Z", re.IGNORECASE)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_ENDS = frozenset({".", "!", "?", "…", "...", "。", "！", "？", "।", "!!", "??", "?!", "!?"})
_EITHER = frozenset({'"', "'"})  # these open after white space, and close without
_ASKING = threading.Lock()  # spaCy's memory zones are of a whole pipeline, so one thread asks at a time
_CLOSERS = frozenset({'"', "'", "”", "’", "''", ")", "]", "}", "»", "）", "」"})


@dataclass(frozen=True)
class Sentence:
    """Words of one sentence and the code-point offset of each into the text: `text[s : s + len(w)] == w`."""

    tokens: tuple[str, ...]
    starts: tuple[int, ...]


class Tokenizer:
    """Splits text as spaCy's blank pipeline of a language does, and into sentences of at most `limit` tokens.

    Without its `rules`, spaCy is asked, and loaded when it is needed; that raises UsageError where it has no such
    language, or the language needs a package that is not installed. Threads may share it; a copy of it, pickled or
    not, remembers nothing at first.
    """

    def __init__(self, language: str = "en", limit: int = 250, rules: Rules | None = None) -> None:
        self.language, self.limit, self.rules = language, limit, rules
        self._memory: Memory = {}  # it grows; when it is full another takes its place, and readers keep theirs

    def __reduce__(self) -> tuple[Any, ...]:
        """How to make one that remembers nothing."""
        return type(self), (self.language, self.limit, self.rules)

    @cached_property
    def nlp(self) -> Any:
        """The blank pipeline of the language."""
        import spacy

        try:
            return spacy.blank(self.language)
        except (ImportError, AttributeError) as error:
            reason = " ".join(str(error).split())
            if "[E048]" in reason:  # spaCy's own number of what it says of an unknown language
                raise UsageError(
                    f"tokenizer.language: spaCy has no rules for {self.language!r}. Take those for any language: "
                    "--language xx."
                ) from None
            raise UsageError(f"tokenizer.language: spaCy cannot tokenize {self.language!r}: {reason}") from None

    def words(self, text: str) -> tuple[list[str], list[int]]:
        """The words of `text`, in order, and the offset of each. White space belongs to no word."""
        tokens: list[str] = []
        starts: list[int] = []
        memory = self._memory
        stretches = _STRETCH.findall(text)
        new = [stretch for stretch in stretches if stretch not in memory]
        for start in range(0, len(new), AT_ONCE):
            self._learn(new[start : start + AT_ONCE], memory)
        end = 0
        for stretch in stretches:
            at = text.index(stretch, end)
            end = at + len(stretch)
            for offset, piece in memory.get(stretch) or _split_giant(stretch):
                tokens.append(piece)
                starts.append(at + offset)
        if len(memory) > MEMORY:
            self._memory = {}
        return tokens, starts

    def sentences(self, text: str) -> list[Sentence]:
        """The sentences of `text`; none where it has no words."""
        tokens, starts = self.words(text)
        bounds = [*sentence_starts(text, tokens, starts, self.limit), len(tokens)]
        return [Sentence(tuple(tokens[a:b]), tuple(starts[a:b])) for a, b in pairwise(bounds) if a < b]

    def _learn(self, stretches: Sequence[str], memory: Memory) -> None:
        """Remembers the words of stretches, the giant ones apart."""
        fresh = [stretch for stretch in dict.fromkeys(stretches) if len(stretch) <= GIANT]
        rules = self.rules
        if rules is None:
            memory |= self._as_spacy_does(fresh)
            return
        for stretch in fresh:
            pieces, at = [], 0
            for word in rules.split(stretch if stretch.isascii() else _HALF_PAIR.sub("\ufffd", stretch)):
                pieces.append((at, stretch[at : at + len(word)]))
                at += len(word)
            memory[stretch] = tuple(pieces)

    def _as_spacy_does(self, fresh: Sequence[str]) -> Memory:
        """Asks about all stretches at once: a call for each would cost five times as much.

        A word stands between each two: where brackets and smileys meet, spaCy looks across white space.
        """
        text = _HALF_PAIR.sub("\ufffd", BETWEEN.join(fresh))  # spaCy encodes what it reads; these have no encoding
        with _ASKING, self.nlp.memory_zone():
            found = [(token.idx, len(token.text)) for token in self.nlp.tokenizer(text) if token.text]
        result: Memory = {}
        start, place = 0, 0
        for stretch in fresh:
            end = start + len(stretch)
            pieces = []
            while place < len(found) and found[place][0] < end:
                at, length = found[place]
                if at >= start:
                    pieces.append((at - start, stretch[at - start : at - start + length]))
                place += 1
            result[stretch] = tuple(pieces)
            start = end + len(BETWEEN)
        return result


@cache
def rules_for(language: str) -> Rules | None:
    """The rules of the spaCy that is installed; None for a language whose tokenizer is more than rules.

    Raises UsageError as a Tokenizer does.
    """
    return rules_from_spacy(Tokenizer(language).nlp)


def _split_giant(stretch: str) -> tuple[tuple[int, str], ...]:
    if _ADDRESS.match(stretch):
        return ((0, stretch),)
    return tuple((match.start(), match.group()) for match in _GIANT_PIECE.finditer(stretch))


def sentence_starts(text: str, tokens: Sequence[str], starts: Sequence[int], limit: int) -> list[int]:
    """Indices of the tokens that begin a sentence.

    A sentence ends at a full stop, question or exclamation mark (and the quotes and brackets that close after it) when
    white space and no lower-case letter follows, at an empty line, and in any case after `limit` tokens.
    """
    begins = [0] if tokens else []
    in_lines = "\n" in text
    ended = False
    for index in range(1, len(tokens)):
        previous = tokens[index - 1]
        ended = previous in _ENDS or (ended and previous in _CLOSERS)
        if not (ended or in_lines) and index - begins[-1] < limit:
            continue
        token = tokens[index]
        gap = text[starts[index - 1] + len(previous) : starts[index]]
        closes = ended and (not gap or (token in _CLOSERS and token not in _EITHER))
        stops = ended and not closes and not token[0].islower()
        if stops or gap.count("\n") > 1 or index - begins[-1] >= limit:
            begins.append(index)
            ended = False
    return begins
