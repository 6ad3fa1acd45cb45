"""The network of a language model: embedding, recurrent layers for each direction, and a softmax over the units.

The recipe is that of AWD-LSTM (Merity, Keskar & Socher 2018), for any cell. Axes: B streams, T positions, D features of
a unit, H state features, N positions of a batch in a row, V units.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nlpseq.errors import UsageError
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.fused import State
from nlpseq.nn.softmax import sampled_cross_entropy, smoothed_cross_entropy
from nlpseq.nn.stack import RecurrentStack
from nlpseq.tasks.language_config import ADAPTIVE_CUTS, LanguageEncoderConfig, Softmax
from nlpseq.tasks.language_streams import NO_TARGET
from nlpseq.text.vocab import PADDING


class UnitEmbedding(nn.Module):
    """A vector for each of V characters or pieces; in training some units are hidden (Gal & Ghahramani 2016)."""

    def __init__(self, size: int, width: int, hidden: float) -> None:
        super().__init__()
        self.forms = nn.Embedding(size, width, padding_idx=PADDING)
        self.width, self.hidden = width, hidden
        _spread(self.forms.weight)

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Vectors (B, T, D)."""
        vectors_BTD: Tensor = self.forms(ids_BT)
        if not self.training or not self.hidden:
            return vectors_BTD
        keep = 1 - self.hidden
        mask_V1 = vectors_BTD.new_empty(self.forms.num_embeddings, 1).bernoulli_(keep).div_(keep)
        return vectors_BTD * mask_V1[ids_BT]


class UnitSoftmax(nn.Module):
    """The distribution over V units: with the embedding's weights (tied), its own, or adaptive (Grave et al. 2017).

    Of the adaptive one, and where `samples` are drawn in training, the units have to be ordered from frequent to rare.
    `rows` says which vector of the embedding belongs to each unit, where it is not that of the same number.
    """

    def __init__(self, kind: Softmax, width: int, size: int, samples: int = 0, rows: Sequence[int] = ()) -> None:
        super().__init__()
        self.samples = samples
        self.rows_V: Tensor | None
        self.register_buffer("rows_V", _rows(rows) if kind == "tied" else None, persistent=False)
        self.adaptive: nn.AdaptiveLogSoftmaxWithLoss | None = None
        self.weight: nn.Parameter | None = None
        if kind == "adaptive":
            cuts = [cut for cut in ADAPTIVE_CUTS if cut < size - 1] or [max(1, size // 2)]
            self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(width, size, cuts, head_bias=True)
            return
        self.bias = nn.Parameter(torch.zeros(size))
        if kind == "full":
            self.weight = nn.Parameter(_spread(torch.empty(size, width)))

    def loss(self, states_NH: Tensor, targets_N: Tensor, tied_FH: Tensor | None) -> Tensor:
        """Summed negative log-likelihood (nats) of the targets, all of them units."""
        if self.adaptive is not None:
            likely_N: Tensor = self.adaptive(states_NH, targets_N).output
            return -likely_N.sum()
        weight_VH = self._weight(tied_FH)
        if self.rows_V is not None:
            weight_VH = nn.functional.embedding(self.rows_V, weight_VH)
        if self.training and self.samples:
            return sampled_cross_entropy(states_NH, weight_VH, self.bias, targets_N, self.samples)
        return smoothed_cross_entropy(states_NH, weight_VH, self.bias, targets_N)

    def log_probabilities(self, states_NH: Tensor, tied_FH: Tensor | None) -> Tensor:
        """log p (N, V) of every unit (nats)."""
        if self.adaptive is not None:
            return self.adaptive.log_prob(states_NH)
        scores_NV = nn.functional.linear(states_NH, self._weight(tied_FH))
        if self.rows_V is not None:
            scores_NV = scores_NV[:, self.rows_V]
        return (scores_NV + self.bias).log_softmax(1)

    def _weight(self, tied_FH: Tensor | None) -> Tensor:
        weight = tied_FH if self.weight is None else self.weight
        assert weight is not None, "a softmax has weights of its own, or those of the embedding"
        return weight


class LanguageNetwork(nn.Module):
    """Embedding and softmax, shared by the model that reads forwards and, where there is one, that which reads back."""

    def __init__(self, embedding: WordEmbedding | UnitEmbedding, dropout: float, encoder: LanguageEncoderConfig,
                 softmax: Softmax, size: int, samples: int = 0, rows: Sequence[int] = ()) -> None:  # fmt: skip
        super().__init__()
        self.settings = encoder
        self.embedding = embedding
        self.dropout = VariationalDropout(dropout)
        tied = softmax == "tied"
        if tied and not isinstance(embedding.forms, nn.Embedding):
            raise UsageError(
                'text.softmax: tied, but words have no vectors (embedding.words); choose "adaptive" or "full".'
            )
        last = embedding.forms.embedding_dim if tied and embedding.forms is not None else encoder.width
        widths = [*[encoder.width] * (encoder.layers - 1), last]
        self.forwards = _stack(encoder, embedding.width, widths)
        self.backwards = _stack(encoder, embedding.width, widths) if encoder.bidirectional else None
        self.softmax = UnitSoftmax(softmax, widths[-1], size, samples, rows)
        self.tied = tied

    @property
    def tied_weight(self) -> Tensor | None:
        """The weights (F, H) that the softmax has from the embedding, a row for each of its F vectors."""
        return self.embedding.forms.weight if self.tied and isinstance(self.embedding.forms, nn.Embedding) else None

    def loss(
        self, stack: RecurrentStack, vectors_BTD: Tensor, targets_BT: Tensor, before: Sequence[State] | None
    ) -> tuple[Tensor, Tensor | None, list[State]]:
        """Summed loss of the targets (nats), the mean penalty on the states if there is one, and the states after.

        NO_TARGET counts nothing.
        """
        states_BTH, raw_BTH, after = stack(self.dropout(vectors_BTD), before)
        here_BT = targets_BT != NO_TARGET
        loss = self.softmax.loss(states_BTH[here_BT], targets_BT[here_BT], self.tied_weight)
        return loss, self._penalty(states_BTH, raw_BTH), after

    def _penalty(self, states_BTH: Tensor, raw_BTH: Tensor) -> Tensor | None:
        """Activation and temporal activation regularisation (Merity, McCann & Socher 2017), a mean over the states."""
        penalty: Tensor | None = None
        if self.settings.activation:
            penalty = self.settings.activation * states_BTH.pow(2).mean()
        if self.settings.slowness and raw_BTH.shape[1] > 1:
            slow = self.settings.slowness * (raw_BTH[:, 1:] - raw_BTH[:, :-1]).pow(2).mean()
            penalty = slow if penalty is None else penalty + slow
        return penalty if self.training else None

    def last_log_probabilities(
        self, stack: RecurrentStack, vectors_BTD: Tensor, before: Sequence[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """log p (B, V) of what follows the last position, and the states there."""
        states_BTH, _, after = stack(self.dropout(vectors_BTD), before)
        return self.softmax.log_probabilities(states_BTH[:, -1], self.tied_weight), after

    def log_probabilities(
        self, stack: RecurrentStack, vectors_BTD: Tensor, before: Sequence[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """log p (B, T, V) of what follows each position, and the states after the last."""
        states_BTH, _, after = stack(self.dropout(vectors_BTD), before)
        flat_NV = self.softmax.log_probabilities(states_BTH.flatten(0, 1), self.tied_weight)
        return flat_NV.view(*states_BTH.shape[:2], -1), after


def _rows(rows: Sequence[int]) -> Tensor | None:
    """On the CPU at first, even where weights have no content yet, since a checkpoint does not hold them."""
    return torch.tensor(rows, device="cpu") if rows else None


def _spread(weight_VD: Tensor) -> Tensor:
    """Uniform, such that rows are of length 1 or so: for 300 dimensions between -0.1 and 0.1, as is usual."""
    bound = (3 / weight_VD.shape[1]) ** 0.5
    return nn.init.uniform_(weight_VD, -bound, bound)


def _stack(config: LanguageEncoderConfig, input_width: int, widths: Sequence[int]) -> RecurrentStack:
    return RecurrentStack(
        config.cell, input_width, widths, dropout=config.dropout, weight_dropout=config.weight_dropout
    )
