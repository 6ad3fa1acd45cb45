"""Raw text into sentences of words, with the offset of each: spaCy's rules, a bounded time for any input.

spaCy's tokenizer decides on each stretch between white space by itself, so what it says of a stretch is remembered,
and a giant stretch, on which its rules can take quadratic time, never reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from nlpseq.errors import UsageError

GIANT = 256  # code points: longer stretches without white space are split by one linear pattern instead
MEMORY = 200_000  # stretches remembered
_STRETCH = re.compile(r"\S+")
_GIANT_PIECE = re.compile(r"\w+|[^\w\s]+")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*\Z", re.IGNORECASE)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_ENDS = frozenset({".", "!", "?", "…", "...", "。", "！", "？", "।", "!!", "??", "?!", "!?"})
_EITHER = frozenset({'"', "'"})  # these open after white space, and close without
_CLOSERS = frozenset({'"', "'", "”", "’", "''", ")", "]", "}", "»", "）", "」"})


@dataclass(frozen=True)
class Sentence:
    """Words of one sentence and the code-point offset of each into the text: `text[s : s + len(w)] == w`."""

    tokens: tuple[str, ...]
    starts: tuple[int, ...]


class Tokenizer:
    """Splits text as spaCy's blank pipeline of a language does, and into sentences of at most `limit` tokens.

    spaCy is loaded when it is first needed; that raises UsageError where it has no such language, or the language needs
    a package that is not installed.
    """

    def __init__(self, language: str = "en", limit: int = 250) -> None:
        self.language, self.limit = language, limit
        self._memory: dict[str, tuple[tuple[int, str], ...]] = {}

    @cached_property
    def nlp(self) -> Any:
        """The blank pipeline of the language."""
        import spacy

        try:
            return spacy.blank(self.language)
        except (ImportError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise UsageError(f"tokenizer.language: spaCy cannot tokenize {self.language!r}: {reason}") from None

    def words(self, text: str) -> tuple[list[str], list[int]]:
        """The words of `text`, in order, and the offset of each. White space belongs to no word."""
        tokens: list[str] = []
        starts: list[int] = []
        for match in _STRETCH.finditer(text):
            stretch, at = match.group(), match.start()
            for offset, piece in self._memory.get(stretch) or self._pieces(stretch):
                tokens.append(piece)
                starts.append(at + offset)
        return tokens, starts

    def sentences(self, text: str) -> list[Sentence]:
        """The sentences of `text`; none where it has no words."""
        tokens, starts = self.words(text)
        bounds = [*sentence_starts(text, tokens, starts, self.limit), len(tokens)]
        return [Sentence(tuple(tokens[a:b]), tuple(starts[a:b])) for a, b in pairwise(bounds) if a < b]

    def _pieces(self, stretch: str) -> tuple[tuple[int, str], ...]:
        if len(stretch) > GIANT:
            return _split_giant(stretch)
        whole = _HALF_PAIR.sub("\ufffd", stretch)  # spaCy encodes what it reads, and these have no encoding
        with self.nlp.memory_zone():
            found = [(token.idx, len(token.text)) for token in self.nlp.tokenizer(whole) if token.text]
        pieces = tuple((at, stretch[at : at + length]) for at, length in found)
        if len(self._memory) >= MEMORY:
            self._memory.clear()
        self._memory[stretch] = pieces
        return pieces


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
    ended = False
    for index in range(1, len(tokens)):
        previous, token = tokens[index - 1], tokens[index]
        gap = text[starts[index - 1] + len(previous) : starts[index]]
        ended = previous in _ENDS or (ended and previous in _CLOSERS)
        closes = ended and (not gap or (token in _CLOSERS and token not in _EITHER))
        stops = ended and not closes and not token[0].islower()
        if stops or gap.count("\n") > 1 or index - begins[-1] >= limit:
            begins.append(index)
            ended = False
    return begins
