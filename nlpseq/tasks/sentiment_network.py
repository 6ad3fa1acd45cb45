"""The network of a text classifier: one encoder, states pooled over the text, and a linear layer for each scheme.

Axes: R windows, W positions of a window, B texts, D features of a word, H state features, P pooled features, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from nlpseq.config import EmbeddingConfig, EncoderConfig
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.pooling import Pooling
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.sentiment_config import ClassifierConfig
from nlpseq.tasks.windows import Windowed
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies


class ClassifierNetwork(nn.Module):
    """Embedding, encoder, pooling and heads; `schemes` names the heads in their order. With a `context`, the encoder
    reads the features of a language model behind the vectors of words.
    """

    def __init__(
        self,
        embedding: EmbeddingConfig,
        encoder: EncoderConfig,
        settings: ClassifierConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
        context: ContextFeatures | None = None,
    ) -> None:
        super().__init__()
        self.schemes = tuple(labels)
        self.embedding = WordEmbedding(embedding, words)
        self.context = context
        self.dropout = VariationalDropout(embedding.dropout)
        self.encoder = RecurrentEncoder(encoder, self.embedding.width + (0 if context is None else context.width))
        self.pooling = Pooling(settings.pooling, self.encoder.output_width, bidirectional=encoder.bidirectional)
        self.pooled_dropout = nn.Dropout(settings.dropout)
        width = self.pooling.output_width
        self.heads = nn.ModuleList(nn.Linear(width, len(vocabulary)) for vocabulary in labels.values())

    def logits(self, vectors_RWD: Tensor, texts: Windowed) -> dict[str, Tensor]:
        """Scores (B, K) of the labels of each scheme, from what enters the encoder at the words of windows."""
        return self.judged(self.encoder(self.dropout(vectors_RWD), texts.widths_R.to(vectors_RWD.device)), texts)

    def judged(self, states_RWH: Tensor, texts: Windowed) -> dict[str, Tensor]:
        """The same, from the states of the encoder."""
        lengths_B = texts.lengths_B.to(states_RWH.device)
        pooled_BP = self.pooled_dropout(self.pooling(texts.whole(states_RWH), lengths_B))
        named = zip(self.schemes, self.heads, strict=True)
        return {scheme: head(pooled_BP.to(head.weight.dtype)) for scheme, head in named}
