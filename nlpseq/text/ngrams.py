"""Runs of one to a few words of a text (n-grams) as numbers, and those of many texts that tell labels apart.

A run is known by a hash of 31 bits, so that none has to be stored as text: of a million that are not among 150,000
that are kept, some 70 are taken for one of these. Case does not count. No torch here.

Axes: N runs of all texts, B texts, M words of all texts, V runs that are known, K labels.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from nlpseq.text.words import composed

Array = np.ndarray[Any, Any]
BITS = 31
REMEMBERED = 100_000  # words whose hashes are, at most
TEXTS = 1000  # that are counted at once
MOST, ROOM = 6_000_000, 1_000_000  # runs whose counts are kept at once, and those that are met before they are merged
_SPREAD, _ROUND = 0x9E3779B97F4A7C15, np.uint64(0xFF51AFD7ED558CCD)  # odd, and half of their bits set
_FULL = (1 << 64) - 1


class Ngrams:
    """The runs of one to `longest` words of texts. It remembers the words that it met."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._words: dict[str, int] = {}

    def of(self, texts: Sequence[Sequence[str]]) -> tuple[Array, Array]:
        """The runs (N,) int32 of all texts, one text after the other, and the text (N,) that each is of.

        Those of a text rise, and none comes twice.
        """
        lengths_B = np.array([len(text) for text in texts], dtype=np.int64)
        words_M, of_M = self._hashed(texts), np.repeat(np.arange(len(texts)), lengths_B)
        keys, runs_M = [], words_M
        for length in range(1, self.longest + 1):
            if length > 1:
                runs_M = (runs_M[:-1] * np.uint64(31) + words_M[length - 1 :]) * _ROUND
            first_M = of_M[: len(runs_M)]
            whole_M = first_M == of_M[length - 1 :]
            keys.append((first_M[whole_M] << BITS) + _short(runs_M[whole_M]))
        keys_N = np.unique(np.concatenate(keys))
        return (keys_N & ((1 << BITS) - 1)).astype(np.int32), keys_N >> BITS

    def _hashed(self, texts: Sequence[Sequence[str]]) -> Array:
        if len(self._words) > REMEMBERED:
            self._words = {}
        known = self._words  # of this call: threads that begin anew meanwhile have another
        for text in texts:
            for word in text:
                if word not in known:
                    known[word] = _hash(word)
        return np.array([known[word] for text in texts for word in text], dtype=np.uint64)


def found(known_V: Array, runs_N: Array, of_N: Array, texts: int) -> tuple[Array, Array]:
    """The places among known runs (rising) of those that texts have, and how many each text (B,) has of these."""
    places_N = np.searchsorted(known_V, runs_N)
    places_N[places_N == len(known_V)] = 0
    met_N = known_V[places_N] == runs_N
    return places_N[met_N], np.bincount(of_N[met_N], minlength=texts)


def counted(
    ngrams: Ngrams, labelled: Iterable[tuple[Sequence[str], Sequence[int]]], labels: int
) -> tuple[Array, Array]:
    """The runs (V,) of texts, rising, and how many texts (V, K) of each of the `labels` labels have them.

    Each text comes with the labels that it has. Where there are more than MOST runs, those that were met once so far
    are forgotten (after Manku & Motwani 2002).
    """
    parts = [(np.zeros(0, dtype=np.int32), np.zeros((0, labels), dtype=np.int32))]
    fresh = 0
    for part in _parts(labelled):
        runs_N, of_N = ngrams.of([words for words, _ in part])
        has_BK = np.zeros((len(part), labels), dtype=np.int32)
        for place, (_, own) in enumerate(part):
            has_BK[place, list(own)] = 1
        parts.append(_summed(runs_N, has_BK[of_N]))
        fresh += len(parts[-1][0])
        if fresh > min(len(parts[0][0]) + ROOM, MOST):  # seldom: each time all are sorted
            parts, fresh = [_without_rare(*_together(parts))], 0
    return _without_rare(*_together(parts))


def telling(counts_VK: Array, groups: Sequence[slice], limit: int) -> Array:
    """The places, rising, of so many runs that tell labels apart: the best of each group of labels in turn.

    The better, the greater G² (Dunning 1993, section 4): how far the counts are from those of a run that tells nothing.
    None was met once alone.
    """
    best_V = np.full(len(counts_VK), len(counts_VK))
    for group in groups:
        own_VS = counts_VK[:, group].astype(np.float64)
        total_V = own_VS.sum(1)
        share_S = own_VS.sum(0) / max(own_VS.sum(), 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            told_V = np.nan_to_num(own_VS * np.log(own_VS / (total_V[:, None] * share_S))).sum(1)
        order_M = np.argsort(-told_V, kind="stable")
        order_M = order_M[total_V[order_M] > 1]
        best_V[order_M] = np.minimum(best_V[order_M], np.arange(len(order_M)))
    order_V = np.argsort(best_V, kind="stable")
    kept: Array = np.sort(order_V[best_V[order_V] < len(counts_VK)][:limit])
    return kept


def _parts(
    labelled: Iterable[tuple[Sequence[str], Sequence[int]]],
) -> Iterator[list[tuple[Sequence[str], Sequence[int]]]]:
    rest = iter(labelled)
    while part := list(islice(rest, TEXTS)):
        yield part


def _together(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    runs, counts = zip(*parts, strict=True)
    return _summed(np.concatenate(runs), np.concatenate(counts))


def _without_rare(runs_V: Array, counts_VK: Array) -> tuple[Array, Array]:
    """Without those that were met once, where there are too many."""
    often_V = counts_VK.sum(1) > 1 if len(runs_V) > MOST else np.ones(len(runs_V), dtype=bool)
    return runs_V[often_V], counts_VK[often_V]


def _summed(runs_N: Array, counts_NK: Array) -> tuple[Array, Array]:
    """Each run once, and the sum of its counts."""
    order_N = np.argsort(runs_N, kind="stable")
    sorted_N = runs_N[order_N]
    starts_V = np.flatnonzero(np.diff(sorted_N, prepend=-1))
    return sorted_N[starts_V], np.add.reduceat(counts_NK[order_N], starts_V)


def _short(runs_M: Array) -> Array:
    """The upper bits of each hash, which depend on all the others."""
    upper_M: Array = (runs_M ^ (runs_M << np.uint64(29))) >> np.uint64(64 - BITS)
    return upper_M.astype(np.int64)


def _hash(word: str) -> int:
    return zlib.crc32(composed(word).lower().encode("utf-8", "surrogatepass")) * _SPREAD & _FULL
