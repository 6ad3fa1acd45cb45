"""A language model on NumPy: the twin of `tasks/language_model.py` and `tasks/language_network.py`, to write with.

Axes: B sequences, T positions, D features of a unit, H state features, V units, C units of a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from nlpseq.light.arrays import Array, log_softmax
from nlpseq.light.embedding import VectorCache, WordEmbedding
from nlpseq.light.linear import Linear
from nlpseq.light.recurrent import CellState, RecurrentCell
from nlpseq.light.weights import NotLight, Table, Weights
from nlpseq.tasks.language_config import ADAPTIVE_CUTS, LanguageModelConfig, read_units
from nlpseq.text.units import Units
from nlpseq.text.word_rows import WordRows
from nlpseq.text.word_units import WordUnits
from nlpseq.writing.memory import must_be_numbers

SHRINKING = 4  # of the adaptive softmax: by how much the states of each rarer cluster are narrower


class LightWords(WordUnits[WordRows]):
    """Words, of which nothing is remembered but the words."""

    def _no_rows(self) -> WordRows:
        return WordRows()


class WordVectors:
    """The vectors of words that stand in rows."""

    def __init__(self, weights: Weights, config: LanguageModelConfig, units: LightWords) -> None:
        self.embedding = WordEmbedding(weights, "embedding", config.embedding, units.words)
        self.cache, self.width, self.forms = VectorCache(self.embedding), self.embedding.width, self.embedding.forms

    def of(self, ids_B: Sequence[int], units: Units) -> Array:
        """(B, D)."""
        assert isinstance(units, LightWords)
        names = units.table.names
        (rows,), vectors_RD = self.cache.meet([[names[index] for index in ids_B]])
        found_BD: Array = vectors_RD[rows]
        return found_BD


class UnitVectors:
    """A vector for each character or piece."""

    def __init__(self, weights: Weights, config: LanguageModelConfig, units: Units) -> None:
        self.width = config.embedding.width
        self.forms = Table(weights.stored("embedding.forms.weight", len(units), self.width), None)

    def of(self, ids_B: Sequence[int], units: Units) -> Array:
        """(B, D)."""
        del units
        return self.forms[np.array(ids_B)]


class FullSoftmax:
    """The distribution over V units by weights of its own, or by the vectors of the embedding."""

    def __init__(self, weight_VH: Array, bias_V: Array) -> None:
        self.weight_VH, self.bias_V = weight_VH, bias_V

    def __call__(self, states_BH: Array) -> Array:
        """log p (B, V)."""
        return log_softmax(states_BH @ self.weight_VH.T + self.bias_V)


class AdaptiveSoftmax:
    """The distribution over V units, the rarer ones by way of clusters (Grave et al. 2017, section 4)."""

    def __init__(self, weights: Weights, width: int, size: int) -> None:
        cuts = [*([cut for cut in ADAPTIVE_CUTS if cut < size - 1] or [max(1, size // 2)]), size]
        self.frequent, sizes = cuts[0], [after - before for before, after in pairwise(cuts)]
        name = "softmax.adaptive"
        self.head = Linear(weights, f"{name}.head", width, self.frequent + len(sizes))
        self.tails = []
        for number, rest in enumerate(sizes):
            narrow = width // SHRINKING ** (number + 1)
            down = Linear(weights, f"{name}.tail.{number}.0", width, narrow, bias=False)
            self.tails.append((down, Linear(weights, f"{name}.tail.{number}.1", narrow, rest, bias=False)))

    def __call__(self, states_BH: Array) -> Array:
        """log p (B, V)."""
        head_BC = log_softmax(self.head(states_BH))
        parts = [head_BC[:, : self.frequent]]
        for place, (down, out) in enumerate(self.tails, self.frequent):
            parts.append(log_softmax(out(down(states_BH))) + head_BC[:, place, None])
        return np.concatenate(parts, axis=1)


class LightMemory:
    """What was read of B sequences: log p (B, V) of what follows, and the state of each layer. See `writing.memory`."""

    def __init__(self, model: LightLanguageModel, log_BV: Array, states: Sequence[CellState]) -> None:
        self.model, self.log_BV, self.states = model, log_BV, states

    def then(self, ids: Sequence[int]) -> LightMemory:
        """After one more unit of each sequence."""
        return self.model.read_on(self.model.vectors.of(ids, self.model.units)[:, None], self.states)

    def of(self, rows: Sequence[int]) -> LightMemory:
        """Of some of the sequences, in this order."""
        return LightMemory(self.model, self.log_BV[rows], [layer.of(rows) for layer in self.states])

    def beside(self, others: Sequence[LightMemory]) -> LightMemory:
        """Of these sequences and those of others."""
        everyone = [self, *others]
        states = [CellState.joined(same) for same in zip(*(one.states for one in everyone), strict=True)]
        return LightMemory(self.model, np.concatenate([one.log_BV for one in everyone]), states)


class LightLanguageModel:
    """A language model that reads forwards: its settings, its units and its network."""

    config_type: ClassVar[Any] = LanguageModelConfig

    def __init__(self, weights: Weights, config: LanguageModelConfig, units: Units) -> None:
        if isinstance(units, LightWords) and units.tokenizer.rules is None:
            raise NotLight("spaCy is needed to tokenise, whose import brings torch")
        self.config, self.units = config, units
        encoder, kind = config.encoder, config.text.softmax_kind()
        self.vectors: WordVectors | UnitVectors
        rows: Sequence[int] = range(len(units))
        if isinstance(units, LightWords):
            self.vectors, rows = WordVectors(weights, config, units), units.forms
        else:
            self.vectors = UnitVectors(weights, config, units)
        last = config.embedding.width if kind == "tied" else encoder.width
        widths = [self.vectors.width, *[encoder.width] * (encoder.layers - 1), last]
        directions = ("forwards", "backwards") if encoder.bidirectional else ("forwards",)
        self.layers, *_ = (  # what reads backwards is looked at, and not kept
            [
                RecurrentCell(weights, f"{direction}.layers.{number}", encoder.cell, width, own)
                for number, (width, own) in enumerate(pairwise(widths))
            ]
            for direction in directions
        )
        self.softmax: FullSoftmax | AdaptiveSoftmax
        if kind == "adaptive":
            self.softmax = AdaptiveSoftmax(weights, last, len(units))
            return
        if kind == "full":
            weight_VH = weights.matrix("softmax.weight", len(units), last)
        elif self.vectors.forms is None:
            raise NotLight("a tied softmax without vectors of words, which torch refuses")
        else:
            weight_VH = self.vectors.forms[np.array(rows)]
        self.softmax = FullSoftmax(weight_VH, weights.matrix("softmax.bias", len(units)))

    @staticmethod
    def read_plain(config: LanguageModelConfig, plain: Mapping[str, Any]) -> tuple[Units]:
        """The units of a checkpoint."""
        return (read_units(config, plain, LightWords),)

    def read(self, ids: Sequence[int], units: Units) -> LightMemory:
        """What is remembered of one text from the beginning of a line, given as ids of such units."""
        vectors_TD = self.vectors.of([units.end, *ids], units)
        return self.read_on(vectors_TD[None], [layer.zeros(1) for layer in self.layers])

    def read_on(self, vectors_BTD: Array, before: Sequence[CellState]) -> LightMemory:
        """After more vectors of each sequence. Raises NlpseqError where states have become too large for numbers."""
        states_BTH, after = vectors_BTD, []
        with np.errstate(over="ignore", invalid="ignore"):
            for layer, state in zip(self.layers, before, strict=True):
                states_BTH, end = layer.run(states_BTH, state)
                after.append(end)
            log_BV = self.softmax(states_BTH[:, -1])
        log_BV[:, sorted(self.units.silent)] = -np.inf
        return LightMemory(self, must_be_numbers(log_BV), after)
