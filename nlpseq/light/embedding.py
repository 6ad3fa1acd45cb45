"""Words into vectors on NumPy: the twin of `nn/embedding.py`, `nn/characters.py` and of the cache in `tasks/words.py`.

Axes: U distinct words, C character positions, E character width, F character features, A affix slots, D features.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nlpseq.config import KERNELS, EmbeddingConfig
from nlpseq.light.arrays import Array, pad
from nlpseq.light.recurrent import RecurrentLayer, last_states
from nlpseq.light.weights import Weights
from nlpseq.text.words import WordVocabularies

LIMIT = 20_000  # words that are remembered
FRESH = 256  # words whose vectors are computed at once


class WordEmbedding:
    """Joins a vector of the word's form with what its characters and affixes say; `width` is D."""

    def __init__(self, weights: Weights, name: str, config: EmbeddingConfig, words: WordVocabularies) -> None:
        self.words, self.word_length = words, config.word_length
        self.one_hot = config.words == "one_hot"
        sizes = len(words.forms), len(words.characters), len(words.affixes)
        tables = partial(weights.table, eight_bit=config.eight_bit)
        self.forms = tables(f"{name}.forms.weight", sizes[0], config.width) if config.words == "learnt" else None
        kinds: dict[str, type[CharacterCNN | CharacterLSTM]] = {"cnn": CharacterCNN, "lstm": CharacterLSTM}
        kind = kinds.get(config.characters)
        shape = config.character_width, config.character_features
        self.characters = kind(weights, f"{name}.characters", sizes[1], *shape) if kind else None
        width = config.affix_width
        self.affixes = tables(f"{name}.affixes.weight", sizes[2], width) if width else None
        self.width = (
            (config.width if self.forms is not None else sizes[0] if self.one_hot else 0)
            + (self.characters.width if self.characters else 0)
            + config.affix_width
        )

    def of_words(self, words: Sequence[str]) -> Array:
        """Vectors (U, D) of words wherever they stand."""
        parts: list[Array] = []
        if self.forms is not None or self.one_hot:
            forms_U = np.array([self.words.form_id(word) for word in words])
            parts.append(_unit_vectors(forms_U, len(self.words.forms)) if self.forms is None else self.forms[forms_U])
        if self.characters is not None:
            parts.append(self.characters(pad([self.words.character_ids(word, self.word_length) for word in words])))
        if self.affixes is not None:
            affixes_UA = np.array([self.words.affix_ids(word) for word in words])
            parts.append(self.affixes[affixes_UA].sum(1))
        return np.concatenate(parts, axis=1)


class Met(NamedTuple):
    """Words of sentences as rows of vectors (R, D), of which there may be more; they stay as they are."""

    rows: list[list[int]]
    vectors_RD: Array


class VectorCache:
    """Vectors of the words met so far, one row a word; all are forgotten when there are more than LIMIT.

    Threads may share it; a copy of it, pickled or not, begins with nothing.
    """

    def __init__(self, embedding: WordEmbedding) -> None:
        self.embedding = embedding
        self._rows: dict[str, int] = {}
        self._vectors_RD = np.empty((0, embedding.width), dtype=np.float32)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """How to make one that has met no word yet."""
        return VectorCache, (self.embedding,)

    def meet(self, sentences: Sequence[Sequence[str]]) -> Met:
        """The row of each word of each sentence; words not met before are computed first."""
        with self._lock:
            if len(self._rows) > LIMIT:
                self._rows, self._vectors_RD = {}, np.empty_like(self._vectors_RD[:0])
            known = self._rows
            fresh = list({word: None for sentence in sentences for word in sentence if word not in known})
            if fresh:
                first, after = len(known), len(known) + len(fresh)
                self._make_room(first, after)
                for start in range(0, len(fresh), FRESH):
                    part_UD = self.embedding.of_words(fresh[start : start + FRESH])
                    self._vectors_RD[first + start : first + start + len(part_UD)] = part_UD
                known.update(zip(fresh, range(first, after), strict=True))
            return Met([[known[word] for word in sentence] for sentence in sentences], self._vectors_RD)

    def _make_room(self, used: int, wanted: int) -> None:
        """For so many rows, and as many again: a text that is written brings one new word after another."""
        if wanted > len(self._vectors_RD):
            grown_RD = np.empty((2 * wanted, self.embedding.width), dtype=np.float32)
            grown_RD[:used] = self._vectors_RD[:used]
            self._vectors_RD = grown_RD


class CharacterCNN:
    """Convolutions of several widths, each maximised over the word."""

    def __init__(self, weights: Weights, name: str, symbols: int, width: int, features: int) -> None:
        self.width = features
        self.embedding = weights.matrix(f"{name}.embedding.weight", symbols, width)
        shares = [features // len(KERNELS) + (i < features % len(KERNELS)) for i in range(len(KERNELS))]
        self.convolutions = [
            (
                weights.matrix(f"{name}.convolutions.{n}.weight", share, width, kernel),
                weights.matrix(f"{name}.convolutions.{n}.bias", share),
            )
            for n, (share, kernel) in enumerate(zip(shares, KERNELS, strict=True))
        ]

    def __call__(self, characters_UC: Array) -> Array:
        """(U, C) int64, padded with 0 -> (U, F)."""
        inside_UC1 = (characters_UC != 0)[:, :, None]
        embedded_UCE = self.embedding[characters_UC]
        pooled = []
        for weight_FEK, bias_F in self.convolutions:
            found_UCF = _convolved(embedded_UCE, weight_FEK) + bias_F
            pooled.append(np.where(inside_UC1, found_UCF, np.float32(-np.inf)).max(1))
        features_UF: Array = np.maximum(np.concatenate(pooled, axis=1), 0)
        return features_UF


class CharacterLSTM:
    """The last states of a bidirectional LSTM over the characters."""

    def __init__(self, weights: Weights, name: str, symbols: int, width: int, features: int) -> None:
        self.width = features // 2 * 2
        self.embedding = weights.matrix(f"{name}.embedding.weight", symbols, width)
        self.layer = RecurrentLayer(weights, f"{name}.layer", "lstm", width, features // 2, bidirectional=True)

    def __call__(self, characters_UC: Array) -> Array:
        """(U, C) int64, padded with 0 -> (U, F)."""
        lengths_U = (characters_UC != 0).sum(1)
        states_UCF = self.layer(self.embedding[characters_UC], lengths_U)
        return last_states(states_UCF, lengths_U, bidirectional=True)


def _convolved(inputs_UCE: Array, weight_FEK: Array) -> Array:
    """A convolution as wide as its kernel, half of it of zeros before each word: (U, C, F)."""
    kernel, length = weight_FEK.shape[2], inputs_UCE.shape[1]
    padded_UXE = np.pad(inputs_UCE, ((0, 0), (kernel // 2, kernel // 2), (0, 0)))
    total_UCF = np.zeros((len(inputs_UCE), length, len(weight_FEK)), dtype=np.float32)
    for place in range(kernel):
        total_UCF += padded_UXE[:, place : place + length] @ weight_FEK[:, :, place].T
    return total_UCF


def _unit_vectors(ids_U: Array, size: int) -> Array:
    """One dimension an id: (U, V)."""
    vectors_UV = np.zeros((len(ids_U), size), dtype=np.float32)
    vectors_UV[np.arange(len(ids_U)), ids_U] = 1
    return vectors_UV
