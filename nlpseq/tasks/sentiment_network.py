"""The network of a text classifier: one encoder, states pooled over the text, and a linear layer for each scheme.

Axes: R windows, W positions of a window, B texts, D features of a word, H state features, P pooled features, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from nlpseq.config import EmbeddingConfig, EncoderConfig
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.ngrams import NgramScores
from nlpseq.nn.pooling import Pooling
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.sentiment_config import ClassifierConfig
from nlpseq.tasks.windows import Windowed
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies


class ClassifierNetwork(nn.Module):
    """Embedding, encoder, pooling and heads; `schemes` names the heads in their order. With a `context`, the encoder
    reads the features of a language model behind the vectors of words. So many `runs` of words are weighed, too.
    """

    def __init__(
        self,
        embedding: EmbeddingConfig,
        encoder: EncoderConfig,
        settings: ClassifierConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
        context: ContextFeatures | None = None,
        *,
        runs: int = 0,
    ) -> None:
        super().__init__()
        self.schemes, self.sizes = tuple(labels), [len(vocabulary) for vocabulary in labels.values()]
        self.embedding = WordEmbedding(embedding, words)
        self.context = context
        self.dropout = VariationalDropout(embedding.dropout)
        self.encoder = RecurrentEncoder(encoder, self.embedding.width + (0 if context is None else context.width))
        self.pooling = Pooling(settings.pooling, self.encoder.output_width, bidirectional=encoder.bidirectional)
        self.pooled_dropout = nn.Dropout(settings.dropout)
        width = self.pooling.output_width
        self.heads = nn.ModuleList(nn.Linear(width, size) for size in self.sizes)
        self.ngrams = NgramScores(runs, sum(self.sizes), eight_bit=embedding.eight_bit) if runs else None

    def logits(self, vectors_RWD: Tensor, texts: Windowed) -> dict[str, Tensor]:
        """Scores (B, K) of the labels of each scheme, from what enters the encoder at the words of windows."""
        return self.judged(self.encoder(self.dropout(vectors_RWD), texts.widths_R.to(vectors_RWD.device)), texts)

    def judged(self, states_RWH: Tensor, texts: Windowed) -> dict[str, Tensor]:
        """The same, from the states of the encoder."""
        lengths_B = texts.lengths_B.to(states_RWH.device)
        pooled_BP = self.pooled_dropout(self.pooling(texts.whole(states_RWH), lengths_B))
        named = zip(self.schemes, self.heads, strict=True)
        return {scheme: head(pooled_BP.to(head.weight.dtype)) for scheme, head in named}

    def by_ngrams(self, places_N: Tensor, counts_B: Tensor) -> dict[str, Tensor]:
        """Scores (B, K) of the labels of each scheme, from the known runs of words that texts have."""
        assert self.ngrams is not None, "asked only where runs are weighed"
        scores = self.ngrams(places_N, counts_B).split(self.sizes, dim=1)
        return dict(zip(self.schemes, scores, strict=True))
