"""The network of a translator: piece vectors, an encoder, a decoder and an output layer.

Axes: B sentences, S source and T target positions, Q hypotheses of a sentence, D features of a piece, V target pieces.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.batching import mask_of
from nlpseq.config import DecoderConfig, EncoderConfig
from nlpseq.nn.attention import Memory
from nlpseq.nn.decoder import Decoder, DecoderState
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.nn.softmax import smoothed_cross_entropy
from nlpseq.tasks.translation_config import VectorsConfig


class Reading(NamedTuple):
    """A batch of sources that were read: what the decoder looks back at, and the state it begins in."""

    memory: Memory
    start: DecoderState


class Growing(NamedTuple):
    """What a search remembers: the decoder's state of each hypothesis, and the memory of each sentence, once."""

    decoder: DecoderState
    memory: Memory

    def of(self, rows: Tensor, sentences: Tensor | None) -> Growing:
        """The memory of these hypotheses, of all sentences or of those named."""
        return Growing(self.decoder.of(rows), self.memory if sentences is None else self.memory.kept(sentences))


class TranslationNetwork(nn.Module):
    """Reads a source, and says of each target piece how probable it is, given those before it."""

    def __init__(
        self,
        vectors: VectorsConfig,
        encoder: EncoderConfig,
        decoder: DecoderConfig,
        sizes: tuple[int, int],
        joint: bool,
    ) -> None:
        super().__init__()
        source_size, target_size = sizes
        three_way = joint and vectors.tied == "all"
        tables = [target_size] if three_way else [source_size, target_size]
        self.vectors = nn.ModuleList(_table(size, vectors.width) for size in tables)
        self.dropout = VariationalDropout(vectors.dropout)
        self.encoder = RecurrentEncoder(encoder, vectors.width)
        memory = self.encoder.output_width
        cell = decoder.cell or encoder.cell
        self.decoder = Decoder(decoder, cell, vectors.width, memory, memory * encoder.layers)
        self.output = None if vectors.tied != "none" else _table(target_size, vectors.width)
        self.output_bias = nn.Parameter(torch.zeros(target_size))

    @property
    def output_weight(self) -> Tensor:
        """The matrix (V, D) of the output layer: its own, or that of the decoder's input."""
        table = self.vectors[-1] if self.output is None else self.output
        return table.weight  # type: ignore[return-value]

    def read(self, sources_BS: Tensor, lengths_B: Tensor) -> Reading:
        """The sources, padded at their ends, each with at least one piece."""
        vectors_BSD = self.dropout(self.vectors[0](sources_BS))
        states_BSH, ends_BE = self.encoder.with_ends(vectors_BSD, lengths_B)
        mask_BS = mask_of(lengths_B, sources_BS.shape[1])
        attention = self.decoder.attention
        memory = Memory(states_BSH, states_BSH, mask_BS) if attention is None else attention.memory(states_BSH, mask_BS)
        return Reading(memory, self.decoder.start(ends_BE))

    def taught(self, inputs_BT: Tensor, reading: Reading) -> tuple[Tensor, Tensor | None]:
        """What the output layer reads (B, T, D) behind each true input, and the attention (B, T, S), where there is."""
        return self.decoder.taught(self.dropout(self.vectors[-1](inputs_BT)), reading.start, reading.memory)

    def loss(self, features_ND: Tensor, targets_N: Tensor, smoothing: float) -> Tensor:
        """The summed cross-entropy (nats) of the target pieces."""
        return smoothed_cross_entropy(features_ND, self.output_weight, self.output_bias, targets_N, smoothing)

    def scores(self, features_ND: Tensor) -> Tensor:
        """Unnormalised log-probabilities (N, V) of the next piece."""
        return torch.addmm(self.output_bias, features_ND, self.output_weight.T)

    def growing(self, reading: Reading) -> Growing:
        """What a search begins with: one hypothesis of each sentence."""
        return Growing(reading.start, reading.memory)

    def step(self, last_BQ: Tensor, state: Growing) -> tuple[Tensor, Growing]:
        """The step of a search: what the `scores` of the next pieces are made of (B, Q, D), and the state after
        these.
        """
        read_BQD, decoder, _ = self.decoder.step(self.vectors[-1](last_BQ), state.decoder, state.memory)
        return read_BQD, Growing(decoder, state.memory)


def _table(size: int, width: int) -> nn.Embedding:
    table = nn.Embedding(size, width, padding_idx=0)
    nn.init.normal_(table.weight, std=0.3)
    with torch.no_grad():
        table.weight[0].zero_()
    return table
