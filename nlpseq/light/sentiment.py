"""A text classifier on NumPy: the twin of `tasks/sentiment.py` and `tasks/sentiment_network.py`, for predictions.

Axes: R windows, W positions of a window, B texts, T positions of a text, D features of a word, H state features,
N texts of all batches, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nlpseq.light.arrays import Array, pad, softmax
from nlpseq.light.embedding import VectorCache, WordEmbedding
from nlpseq.light.linear import Linear
from nlpseq.light.ngrams import NgramScores
from nlpseq.light.pooling import Pooling
from nlpseq.light.recurrent import RecurrentEncoder
from nlpseq.light.weights import NotLight, Weights
from nlpseq.tasks.sentiment_config import NOTHING, Parts, SentimentConfig, read_plain
from nlpseq.text.lengths import cut_in_windows, length_groups
from nlpseq.text.ngrams import Ngrams, found
from nlpseq.text.tokenizer import Tokenizer

INFERENCE_TOKENS = 2048  # padded tokens of one batch


class ClassifierNetwork:
    """Embedding, encoder, pooling and heads."""

    def __init__(self, weights: Weights, config: SentimentConfig, parts: Parts) -> None:
        words, labels = parts.words, parts.labels
        self.embedding = WordEmbedding(weights, "embedding", config.embedding, words)
        self.encoder = RecurrentEncoder(weights, "encoder", config.encoder, self.embedding.width)
        width, two_ways = self.encoder.output_width, config.encoder.bidirectional
        self.pooling = Pooling(weights, "pooling", config.classifier.pooling, width, bidirectional=two_ways)
        self.heads = {
            scheme: Linear(weights, f"heads.{number}", self.pooling.output_width, len(vocabulary))
            for number, (scheme, vocabulary) in enumerate(labels.items())
        }

        self.ngrams: NgramScores | None = None
        self.sizes = [len(vocabulary) for vocabulary in labels.values()]
        if parts.weighed and config.classifier.ngrams:
            shape = parts.weighed.runs, sum(self.sizes)
            self.ngrams = NgramScores(weights, "ngrams", *shape, eight_bit=config.embedding.eight_bit)

    def logits(self, vectors_RWD: Array, widths_R: Array, places_BT: Array, lengths_B: Array) -> dict[str, Array]:
        """Scores (B, K) of the labels of each scheme, from the word vectors of windows.

        `places_BT` says at which flat position of (R, W) the state of each position of each text is found.
        """
        states_RWH = self.encoder(vectors_RWD, widths_R)
        states_BTH = states_RWH.reshape(-1, states_RWH.shape[2])[places_BT]
        pooled_BP = self.pooling(states_BTH, lengths_B)
        return {scheme: head(pooled_BP) for scheme, head in self.heads.items()}

    def by_ngrams(self, places_N: Array, counts_B: Array) -> dict[str, Array]:
        """Scores (B, K) of the labels of each scheme, from the known runs of words that texts have."""
        assert self.ngrams is not None, "asked only where runs are weighed"
        cuts = np.cumsum(self.sizes)[:-1]
        return dict(zip(self.heads, np.split(self.ngrams(places_N, counts_B), cuts, axis=1), strict=True))


class LightClassifier:
    """A text classifier: its settings, its vocabularies, its network and the temperature of each head."""

    config_type: ClassVar[Any] = SentimentConfig

    def __init__(
        self,
        weights: Weights,
        config: SentimentConfig,
        *plain: Any,
    ) -> None:
        parts = Parts(*plain)
        if parts.rules is None:
            raise NotLight("spaCy is needed to tokenise, whose import brings torch")
        self.config, self.words, self.labels, self.temperatures = config, parts.words, parts.labels, parts.temperatures
        self.network = ClassifierNetwork(weights, config, parts)
        self.tokenizer = Tokenizer(config.tokenizer.language, rules=parts.rules)
        self.ngrams, self.shares = Ngrams(config.classifier.ngrams), parts.weighed.shares if parts.weighed else {}

    @staticmethod
    def read_plain(config: SentimentConfig, plain: Mapping[str, Any]) -> tuple[Any, ...]:
        """What a checkpoint has beside the weights. Raises as `sentiment_config.read_plain`."""
        del config
        return read_plain(plain)

    def vector_cache(self) -> VectorCache:
        """A fresh memory of word vectors, for predictions."""
        return VectorCache(self.network.embedding)

    def probabilities(self, texts: Sequence[Sequence[str]], cache: VectorCache | None = None) -> Mapping[str, Array]:
        """Calibrated probabilities (N, K) of the labels, by scheme, for N tokenised texts, in their order."""
        logits = self.logits(texts, cache)
        return {s: softmax(logits_NK / np.float32(self.temperatures[s])) for s, logits_NK in logits.items()}

    def logits(self, texts: Sequence[Sequence[str]], cache: VectorCache | None = None) -> dict[str, Array]:
        """Scores (N, K), by scheme, for N tokenised texts; they are read in batches by length."""
        cache = cache or self.vector_cache()
        texts = [text or NOTHING for text in texts]
        met = cache.meet(texts)
        result = {s: np.zeros((len(texts), len(v)), dtype=np.float32) for s, v in self.labels.items()}
        for group in length_groups([len(row) for row in met.rows], INFERENCE_TOKENS):
            for scheme, logits_BK in self._batch([met.rows[index] for index in group], met.vectors_RD).items():
                result[scheme][group] = logits_BK
        if self.network.ngrams is not None:
            places = found(self.network.ngrams.known_V, *self.ngrams.of(texts), len(texts))
            for scheme, logits_NK in self.network.by_ngrams(*places).items():
                result[scheme] += np.float32(self.shares[scheme]) * logits_NK
        return result

    def _batch(self, texts: Sequence[Sequence[int]], vectors_RD: Array) -> dict[str, Array]:
        settings = self.config.windows
        windows, places = cut_in_windows(texts, settings.size, settings.overlap)
        widths_R, lengths_B = (np.array([len(row) for row in one]) for one in (windows, texts))
        return self.network.logits(vectors_RD[pad(windows)], widths_R, pad(places), lengths_B)
