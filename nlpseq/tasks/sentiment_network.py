"""The network of a text classifier: one encoder, states pooled over the text, and a linear layer for each scheme.

Axes: R windows, W positions of a window, B texts, D features of a word, H state features, P pooled features, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta
from torch import Tensor, nn

from nlpseq.config import EmbeddingConfig, EncoderConfig, Section
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.pooling import Pooling, PoolingKind
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.windows import Windowed
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies


class ClassifierConfig(Section, frozen=True):
    """From states to labels."""

    pooling: Annotated[
        tuple[PoolingKind, ...],
        Meta(
            min_length=1, description="how the states of a text become one vector: last, mean, max, attention, joined"
        ),
    ] = ("max", "attention")
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout on the pooled vector")] = 0.3
    label_smoothing: Annotated[float, Meta(ge=0, lt=1, description="probability spread over all labels")] = 0.05
    teacher_weight: Annotated[
        float, Meta(ge=0, le=1, description="part of the loss that compares with the teachers, where there are any")
    ] = 0.5


class ClassifierNetwork(nn.Module):
    """Embedding, encoder, pooling and heads; `schemes` names the heads in their order."""

    def __init__(
        self,
        embedding: EmbeddingConfig,
        encoder: EncoderConfig,
        settings: ClassifierConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
    ) -> None:
        super().__init__()
        self.schemes = tuple(labels)
        self.embedding = WordEmbedding(embedding, words)
        self.dropout = VariationalDropout(embedding.dropout)
        self.encoder = RecurrentEncoder(encoder, self.embedding.width)
        self.pooling = Pooling(settings.pooling, self.encoder.output_width, bidirectional=encoder.bidirectional)
        self.pooled_dropout = nn.Dropout(settings.dropout)
        width = self.pooling.output_width
        self.heads = nn.ModuleList(nn.Linear(width, len(vocabulary)) for vocabulary in labels.values())

    def logits(self, vectors_RWD: Tensor, texts: Windowed) -> dict[str, Tensor]:
        """Scores (B, K) of the labels of each scheme, from the word vectors of windows."""
        device = vectors_RWD.device
        states_RWH = self.encoder(self.dropout(vectors_RWD), texts.widths_R.to(device))
        pooled_BP = self.pooled_dropout(self.pooling(texts.whole(states_RWH), texts.lengths_B.to(device)))
        return {scheme: head(pooled_BP) for scheme, head in zip(self.schemes, self.heads, strict=True)}
