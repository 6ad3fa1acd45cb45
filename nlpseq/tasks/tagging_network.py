"""The network of a tagger: one encoder, and for each column a linear layer with a softmax or a CRF.

Axes: B sentences, T positions, D features of a word, H state features, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import torch
from torch import Tensor, nn

from nlpseq.config import EmbeddingConfig, EncoderConfig
from nlpseq.nn.crf import LinearChainCRF
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.tagging_config import HeadsConfig
from nlpseq.text.tags import can_follow
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

NO_LABEL = -1


class TaggingNetwork(nn.Module):
    """Embedding, encoder and heads. A head is named by its column. With a `context`, the encoder reads the features of
    a language model behind the vectors of words.
    """

    def __init__(
        self,
        embedding: EmbeddingConfig,
        encoder: EncoderConfig,
        heads: HeadsConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
        context: ContextFeatures | None = None,
    ) -> None:
        super().__init__()
        self.settings = heads
        self.embedding = WordEmbedding(embedding, words)
        self.context = context
        self.dropout = VariationalDropout(embedding.dropout)
        self.encoder = RecurrentEncoder(encoder, self.embedding.width + (0 if context is None else context.width))
        widths = dict.fromkeys(labels, self.encoder.output_width)
        self.ner_encoder: RecurrentEncoder | None = None
        if heads.ner_width and "ner" in labels:
            one_layer = msgspec.structs.replace(encoder, layers=1, width=heads.ner_width)
            self.ner_encoder = RecurrentEncoder(one_layer, self.encoder.output_width)
            widths["ner"] = self.ner_encoder.output_width
        self.heads = nn.ModuleDict({column: nn.Linear(widths[column], len(v)) for column, v in labels.items()})
        chains = {c: v for c, v in labels.items() if getattr(heads, c) == "crf"}
        self.chains = nn.ModuleDict({c: LinearChainCRF(*_allowed(c, v)) for c, v in chains.items()})

    def emissions(self, vectors_BTD: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """Scores (B, T, K) of the labels of each column, from what enters the encoder."""
        return self.labelled(self.encoder(self.dropout(vectors_BTD), lengths_B), lengths_B)

    def labelled(self, states_BTH: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """The same, from the states of the encoder."""
        own = {} if self.ner_encoder is None else {"ner": self.ner_encoder(states_BTH, lengths_B)}
        return {column: head(own.get(column, states_BTH)) for column, head in self.heads.items()}

    def encoder_heads(self) -> dict[str, nn.Linear]:
        """The heads, where all of them read the encoder's own states; else none."""
        own = self.ner_encoder is None
        return {column: head for column, head in self.heads.items() if own and isinstance(head, nn.Linear)}

    def loss(self, column: str, emissions_BTK: Tensor, labels_BT: Tensor) -> Tensor:
        """Negative log-likelihood (B,) of labels (nats, weighted); NO_LABEL stands at padded positions."""
        if column in self.chains:
            loss_B = self._chain(column).loss(emissions_BTK, labels_BT.clamp(min=0), labels_BT != NO_LABEL)
        else:
            loss_N = nn.functional.cross_entropy(
                emissions_BTK.flatten(0, 1),
                labels_BT.flatten(),
                ignore_index=NO_LABEL,
                reduction="none",
                label_smoothing=self.settings.label_smoothing,
            )
            loss_B = loss_N.view(labels_BT.shape).sum(1)
        return self._weight(column) * loss_B

    def teacher_loss(self, column: str, emissions_BTK: Tensor, soft_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """Cross-entropy (B,) between teachers' marginals and one's own (nats, weighted; Hinton et al. 2015)."""
        log_BTK = self.log_marginals(column, emissions_BTK, mask_BT)
        return -self._weight(column) * ((soft_BTK * log_BTK).sum(2) * mask_BT).sum(1)

    def log_marginals(self, column: str, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """log p(label of a position = k), (B, T, K)."""
        if column in self.chains:
            return self._chain(column).log_marginals(emissions_BTK, mask_BT)
        return emissions_BTK.log_softmax(2)

    def best(self, column: str, emissions_BTK: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted labels (B, T) and the marginal probability of each."""
        if column in self.chains:
            probabilities_BTK = self._chain(column).marginals(emissions_BTK, mask_BT)
            best_BT = self._chain(column).decode(emissions_BTK, mask_BT)
        else:
            probabilities_BT, best_BT = emissions_BTK.softmax(2).max(2)
            return best_BT, probabilities_BT
        return best_BT, probabilities_BTK.gather(2, best_BT.unsqueeze(2)).squeeze(2)

    def _chain(self, column: str) -> LinearChainCRF:
        chain = self.chains[column]
        assert isinstance(chain, LinearChainCRF)
        return chain

    def _weight(self, column: str) -> float:
        return self.settings.ner_weight if column == "ner" else 1.0


def _allowed(column: str, labels: Vocabulary) -> tuple[Tensor, Tensor]:
    """Which label may follow which, and which may come first: all, but in NER only what IOB2 allows."""
    follow = can_follow if column == "ner" else lambda *_: True
    pairs = [[follow(previous, tag) for tag in labels.symbols] for previous in labels.symbols]
    return torch.tensor(pairs), torch.tensor([follow(None, tag) for tag in labels.symbols])
