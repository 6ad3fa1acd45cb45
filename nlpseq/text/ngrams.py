"""Runs of one to a few words of a text (n-grams) as numbers, and those of many texts that tell labels apart.

A run is known by a hash of 31 bits, so that none has to be stored as text: of a million that are not among 150,000
that are kept, some 70 are taken for one of these. Case does not count. No torch here.

Axes: N runs of all texts, B texts, M words of all texts, V runs that are known, K labels, P pairs of a run and a label.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np

from nlpseq.text.words import composed

Array = np.ndarray[Any, Any]
BITS = 31
REMEMBERED = 100_000  # words whose hashes are, at most
TEXTS = 1000  # that are counted at once
MOST, ROOM = 12_000_000, 2_000_000  # pairs whose counts are kept at once, and that are met before they are merged
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
    """The pairs (P,) of a run and a label that are met, rising, and in how many texts (P,) each is. A pair is the run,
    times the number of `labels`, plus the label.

    Each text comes with the labels that it has, each once. Where there are more than MOST pairs, the runs that every
    label so far has once at most are forgotten (after Manku & Motwani 2002).
    """
    parts = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    fresh = 0
    for part in _parts(labelled):
        pairs_N = _pairs(*ngrams.of([words for words, _ in part]), [own for _, own in part], labels)
        parts.append(_summed(pairs_N, np.ones(len(pairs_N), dtype=np.int64)))
        fresh += len(parts[-1][0])
        if fresh > min(len(parts[0][0]) + ROOM, MOST):  # seldom: each time all are sorted
            parts, fresh = [_without_rare(*_together(parts), labels)], 0
    return _without_rare(*_together(parts), labels)


def telling(pairs_P: Array, counts_P: Array, groups: Sequence[int], limit: int) -> tuple[Array, Array]:
    """So many runs (V,), rising, that tell labels apart, and how often they were met with each label (V, K).

    Labels come in `groups` of such sizes, of each of which the best runs are taken in turn. The better, the greater G²
    (Dunning 1993, section 4): how far the counts are from those of a run that tells nothing. None was met once alone.
    """
    labels = sum(groups)
    runs_V, of_P = np.unique(pairs_P // labels, return_inverse=True)
    label_P = pairs_P % labels
    best_V = np.full(len(runs_V), len(runs_V))
    for start, size in zip(accumulate(groups, initial=0), groups, strict=False):
        own_P = (label_P >= start) & (label_P < start + size)
        told_V, total_V = _told(of_P[own_P], label_P[own_P], counts_P[own_P], len(runs_V))
        order_M = np.argsort(-told_V, kind="stable")
        order_M = order_M[total_V[order_M] > 1]
        best_V[order_M] = np.minimum(best_V[order_M], np.arange(len(order_M)))
    order_V = np.argsort(best_V, kind="stable")
    kept = np.sort(order_V[best_V[order_V] < len(runs_V)][:limit])
    place_V = np.full(len(runs_V), -1)
    place_V[kept] = np.arange(len(kept))
    counts_VK = np.zeros((len(kept), labels), dtype=np.int64)
    kept_P = place_V[of_P] >= 0
    counts_VK[place_V[of_P[kept_P]], label_P[kept_P]] = counts_P[kept_P]
    return runs_V[kept].astype(np.int32), counts_VK


def _told(of_P: Array, label_P: Array, counts_P: Array, runs: int) -> tuple[Array, Array]:
    """Half of G² of each run (V,), and how often it was met."""
    total_V, total_K = np.bincount(of_P, counts_P, runs), np.bincount(label_P, counts_P)
    share_P = total_K[label_P] / max(1.0, total_K.sum())
    return np.bincount(of_P, counts_P * np.log(counts_P / (total_V[of_P] * share_P)), runs), total_V


def _parts(
    labelled: Iterable[tuple[Sequence[str], Sequence[int]]],
) -> Iterator[list[tuple[Sequence[str], Sequence[int]]]]:
    rest = iter(labelled)
    while part := list(islice(rest, TEXTS)):
        yield part


def _pairs(runs_N: Array, of_N: Array, labels_of: Sequence[Sequence[int]], labels: int) -> Array:
    """Each run of each text with each label of the text."""
    sizes_B = np.array([len(own) for own in labels_of], dtype=np.int64)
    flat = np.array([label for own in labels_of for label in own], dtype=np.int64)
    times_N = sizes_B[of_N]
    within = np.arange(times_N.sum()) - np.repeat(np.cumsum(times_N) - times_N, times_N)
    label = flat[np.repeat((np.cumsum(sizes_B) - sizes_B)[of_N], times_N) + within]
    pairs: Array = np.repeat(runs_N.astype(np.int64), times_N) * labels + label
    return pairs


def _together(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    pairs, counts = zip(*parts, strict=True)
    return _summed(np.concatenate(pairs), np.concatenate(counts))


def _without_rare(pairs_P: Array, counts_P: Array, labels: int) -> tuple[Array, Array]:
    """Without the runs that no label has twice, where there are too many pairs."""
    if len(pairs_P) <= MOST:
        return pairs_P, counts_P
    runs_V, of_P = np.unique(pairs_P // labels, return_inverse=True)
    often_V = np.bincount(of_P, counts_P > 1, len(runs_V)) > 0
    return pairs_P[often_V[of_P]], counts_P[often_V[of_P]]


def _summed(pairs_N: Array, counts_N: Array) -> tuple[Array, Array]:
    """Each pair once, and the sum of its counts."""
    order_N = np.argsort(pairs_N, kind="stable")
    sorted_N = pairs_N[order_N]
    starts_P = np.flatnonzero(np.diff(sorted_N, prepend=-1))
    return sorted_N[starts_P], np.add.reduceat(counts_N[order_N], starts_P) if len(starts_P) else counts_N


def _short(runs_M: Array) -> Array:
    """The upper bits of each hash, which depend on all the others."""
    upper_M: Array = (runs_M ^ (runs_M << np.uint64(29))) >> np.uint64(64 - BITS)
    return upper_M.astype(np.int64)


def _hash(word: str) -> int:
    return zlib.crc32(composed(word).lower().encode("utf-8", "surrogatepass")) * _SPREAD & _FULL
