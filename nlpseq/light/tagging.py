"""A tagger on NumPy: the twin of `tasks/tagging.py` and `tasks/tagging_network.py`, for predictions.

Axes: B sentences, T positions, D features of a word, H state features, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np

from nlpseq.light.arrays import Array, mask_of, pad, softmax
from nlpseq.light.crf import LinearChainCRF
from nlpseq.light.embedding import VectorCache, WordEmbedding
from nlpseq.light.linear import Linear
from nlpseq.light.recurrent import RecurrentEncoder
from nlpseq.light.weights import NotLight, Weights
from nlpseq.tasks.tagging_answers import Labelled
from nlpseq.tasks.tagging_config import TaggingConfig, read_plain
from nlpseq.text.lengths import length_groups
from nlpseq.text.rules import Rules
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

INFERENCE_TOKENS = 1024  # padded tokens of one batch


class TaggingNetwork:
    """Embedding, encoder and heads. A head is named by its column."""

    def __init__(
        self, weights: Weights, config: TaggingConfig, words: WordVocabularies, labels: Mapping[str, Vocabulary]
    ) -> None:
        self.embedding = WordEmbedding(weights, "embedding", config.embedding, words)
        self.encoder = RecurrentEncoder(weights, "encoder", config.encoder, self.embedding.width)
        widths = dict.fromkeys(labels, self.encoder.output_width)
        self.ner_encoder: RecurrentEncoder | None = None
        if config.heads.ner_width and "ner" in labels:
            one_layer = msgspec.structs.replace(config.encoder, layers=1, width=config.heads.ner_width)
            self.ner_encoder = RecurrentEncoder(weights, "ner_encoder", one_layer, self.encoder.output_width)
            widths["ner"] = self.ner_encoder.output_width
        self.heads = {c: Linear(weights, f"heads.{c}", widths[c], len(v)) for c, v in labels.items()}
        chains = [c for c in labels if getattr(config.heads, c) == "crf"]
        self.chains = {c: LinearChainCRF(weights, f"chains.{c}", len(labels[c])) for c in chains}

    def emissions(self, vectors_BTD: Array, lengths_B: Array) -> dict[str, Array]:
        """Scores (B, T, K) of the labels of each column, from word vectors."""
        states_BTH = self.encoder(vectors_BTD, lengths_B)
        states = dict.fromkeys(self.heads, states_BTH)
        if self.ner_encoder is not None:
            states["ner"] = self.ner_encoder(states_BTH, lengths_B)
        return {column: head(states[column]) for column, head in self.heads.items()}

    def best(self, column: str, emissions_BTK: Array, mask_BT: Array) -> tuple[Array, Array]:
        """The predicted labels (B, T) and the marginal probability of each."""
        if column in self.chains:
            probabilities_BTK = self.chains[column].marginals(emissions_BTK, mask_BT)
            best_BT = self.chains[column].decode(emissions_BTK, mask_BT)
        else:
            probabilities_BTK = softmax(emissions_BTK)
            best_BT = probabilities_BTK.argmax(2)
        return best_BT, np.take_along_axis(probabilities_BTK, best_BT[:, :, None], 2).squeeze(2)


class LightTagger:
    """A tagger: its settings, its vocabularies and its network."""

    config_type: ClassVar[Any] = TaggingConfig

    def __init__(
        self,
        weights: Weights,
        config: TaggingConfig,
        words: WordVocabularies,
        labels: dict[str, Vocabulary],
        rules: Rules | None,
    ) -> None:
        if rules is None:
            raise NotLight("spaCy is needed to tokenise, whose import brings torch")
        self.config, self.labels, self.rules = config, labels, rules
        self.network = TaggingNetwork(weights, config, words, labels)

    @staticmethod
    def read_plain(config: TaggingConfig, plain: Mapping[str, Any]) -> tuple[Any, ...]:
        """What a checkpoint has beside the weights. Raises as `tagging_config.read_plain`."""
        del config
        return read_plain(plain)

    def vector_cache(self) -> VectorCache:
        """A fresh memory of word vectors, for `predict`."""
        return VectorCache(self.network.embedding)

    def predict(self, sentences: Sequence[Sequence[str]], cache: VectorCache | None = None) -> list[Labelled]:
        """Labels of tokenised sentences, in their order; they are read in batches by length. Empty ones are allowed."""
        nothing = Labelled({c: [] for c in self.labels}, {c: [] for c in self.labels})
        result = [nothing] * len(sentences)
        cache = cache or self.vector_cache()
        rows, vectors_RD = cache.meet(sentences)
        filled = [index for index, row in enumerate(rows) if row]
        for group in length_groups([len(rows[index]) for index in filled], INFERENCE_TOKENS):
            indices = [filled[place] for place in group]
            for index, labelled in zip(indices, self._batch([rows[i] for i in indices], vectors_RD), strict=True):
                result[index] = labelled
        return result

    def _batch(self, rows: Sequence[Sequence[int]], vectors_RD: Array) -> list[Labelled]:
        lengths = [len(row) for row in rows]
        vectors_BTD, lengths_B = vectors_RD[pad(rows)], np.array(lengths)
        mask_BT = mask_of(lengths_B, vectors_BTD.shape[1])
        found = [Labelled({}, {}) for _ in rows]
        for column, emissions_BTK in self.network.emissions(vectors_BTD, lengths_B).items():
            best_BT, probabilities_BT = self.network.best(column, emissions_BTK, mask_BT)
            symbols = self.labels[column].symbols
            for labelled, length, best, probabilities in zip(
                found, lengths, best_BT.tolist(), probabilities_BT.tolist(), strict=True
            ):
                labelled.labels[column] = [symbols[k] for k in best[:length]]
                labelled.probabilities[column] = probabilities[:length]
        return found
