"""Ways to split text into the pieces of a SentencePiece model, drawn at random by the chance that is given.

SentencePiece can draw them too, but its seeds are taken once a thread (0.2.1) or have something of the process in them
(0.2.3): no training could be repeated, or be resumed to the end that it would have had. No piece reaches over a space,
so every word is drawn by itself, and what is known of a word is kept.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple

from nlpseq.text.pieces import PieceKind, Pieces

KEPT = 50_000  # words whose ways are kept
UNKNOWN = 10.0  # nats that a character without a piece is less likely than the rarest piece, as in SentencePiece
_WORD = re.compile("▁?[^▁]+|▁")


class _Ways(NamedTuple):
    """Of each place in a word: the pieces that end there, as where they begin and their ids, and the chances of these,
    summed up.
    """

    before: list[list[tuple[int, list[int]]]]
    sums: list[list[float]]


class PieceDraws:
    """Draws of one model: of `unigram` from p(pieces)^alpha (Kudo 2018, section 3.3), over all ways to split a word; of
    `bpe` each merge is left out with the chance alpha (Provilkov et al. 2020).
    """

    def __init__(self, pieces: Pieces, kind: PieceKind, alpha: float) -> None:
        self.pieces, self.kind, self.alpha = pieces, kind, alpha
        self._known = pieces.scored()
        self._longest = max(map(len, self._known), default=1)
        self._rarest = min((score for _, score in self._known.values()), default=0.0)
        self._ways: dict[str, _Ways] = {}

    def ids(self, text: str, chance: Random) -> list[int]:
        """The ids of a text, without begin or end, split in a way that is drawn."""
        words = _WORD.findall(self.pieces.normalised(text))
        split = self._drawn if self.kind == "unigram" else self._merged
        return [index for word in words for index in split(word, chance)]

    def _drawn(self, word: str, chance: Random) -> list[int]:
        ways = self._ways.get(word)
        if ways is None:
            if len(self._ways) >= KEPT:
                self._ways = {}
            ways = self._ways[word] = self._ways_of(word)
        found: list[list[int]] = []
        place = len(word)
        while place:
            sums = ways.sums[place]
            which = min(bisect_right(sums, chance.random() * sums[-1]), len(sums) - 1)
            place, ids = ways.before[place][which]
            found.append(ids)
        return [index for ids in reversed(found) for index in ids]

    def _ways_of(self, word: str) -> _Ways:
        """The forward sums of the lattice of a word, in nats, as chances at each place."""
        before: list[list[tuple[int, list[int]]]] = [[]]
        sums: list[list[float]] = [[]]
        reached = [0.0]
        for end in range(1, len(word) + 1):
            ending: list[tuple[int, list[int]]] = []
            nats: list[float] = []
            for begin in range(max(0, end - self._longest), end):
                if known := self._known.get(word[begin:end]):
                    ending.append((begin, [known[0]]))
                    nats.append(reached[begin] + self.alpha * known[1])
                elif begin == end - 1:
                    ending.append((begin, self.pieces.byte_ids(word[begin])))
                    nats.append(reached[begin] + self.alpha * (self._rarest - UNKNOWN))
            most = max(nats)
            chances = [math.exp(each - most) for each in nats]
            before.append(ending)
            sums.append(list(accumulate(chances)))
            reached.append(most + math.log(sums[-1][-1]))
        return _Ways(before, sums)

    def _merged(self, word: str, chance: Random) -> list[int]:
        """Merges of neighbours, the likeliest first, from the left; one left out may come back by a neighbour."""
        parts, end = list(word), len(word)
        after, before = list(range(1, end + 1)), list(range(-1, end - 1))
        waiting: list[tuple[float, int, int, str]] = []

        def consider(left: int) -> None:
            right = after[left]
            if right < end and (known := self._known.get(parts[left] + parts[right])):
                heappush(waiting, (-known[1], left, right, parts[left] + parts[right]))

        for left in range(end):
            consider(left)
        while waiting:
            _, left, right, piece = heappop(waiting)
            here = parts[left] and after[left] == right and parts[left] + parts[right] == piece
            if not here or chance.random() < self.alpha:
                continue
            parts[left], parts[right], after[left] = piece, "", after[right]
            if after[right] < end:
                before[after[right]] = left
            consider(left)
            if before[left] >= 0:
                consider(before[left])
        return [index for part in parts if part for index in self._ids_of(part)]

    def _ids_of(self, part: str) -> list[int]:
        known = self._known.get(part)
        return [known[0]] if known else self.pieces.byte_ids(part)
