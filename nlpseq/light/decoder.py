"""Attention and the recurrent decoder on NumPy: the twin of `nn/attention.py` and `nn/decoder.py`, for one sentence.

Axes: S source positions, Q hypotheses, A inner features of the attention, D features of a piece, W units of a layer,
H state features of the source, E features of its ends, F features that the output layer reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nlpseq.config import AttentionKind, Cell, DecoderConfig
from nlpseq.light.arrays import Array, softmax
from nlpseq.light.linear import Linear
from nlpseq.light.recurrent import CellState, RecurrentCell
from nlpseq.light.weights import Weights


class Memory(NamedTuple):
    """What is attended to: states (S, H), and keys made of them once (S, A)."""

    states_SH: Array
    keys_SA: Array


class Attention:
    """A mean of the states of a source, weighted by how well each answers a query."""

    def __init__(self, weights: Weights, name: str, kind: AttentionKind, query_width: int, memory_width: int) -> None:
        additive = kind == "bahdanau"
        self.keys = Linear(weights, f"{name}.keys", memory_width, query_width, bias=False)
        self.query = Linear(weights, f"{name}.query", query_width, query_width) if additive else None
        self.energy = Linear(weights, f"{name}.energy", query_width, 1, bias=False) if additive else None

    def __call__(self, queries_QA: Array, memory: Memory) -> tuple[Array, Array]:
        """The means (Q, H), and the weights (Q, S)."""
        weights_QS = softmax(self._energies(queries_QA, memory.keys_SA))
        return weights_QS @ memory.states_SH, weights_QS

    def _energies(self, queries_QA: Array, keys_SA: Array) -> Array:
        if self.query is None or self.energy is None:
            energies_QS: Array = queries_QA @ keys_SA.T
            return energies_QS
        return self.energy(np.tanh(self.query(queries_QA)[:, None] + keys_SA[None])).squeeze(2)


class DecoderState(NamedTuple):
    """The state of each layer in Q rows, and what is fed to the next step (Q, F), where something is."""

    layers: tuple[CellState, ...]
    fed_QF: Array | None

    def of(self, rows: Sequence[int]) -> DecoderState:
        """The state of these rows, in this order."""
        fed_QF = None if self.fed_QF is None else self.fed_QF[rows]
        return DecoderState(tuple(layer.of(rows) for layer in self.layers), fed_QF)


class Decoder:
    """Recurrent layers, attention, and a readout tanh(W [state; context])."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        config: DecoderConfig,
        cell: Cell,
        width: int,
        memory_width: int,
        ends_width: int,
    ) -> None:
        self.kind, self.has_cells = config.attention, cell == "lstm"
        self.fed_width = width if config.input_feeding else 0
        attends = config.attention != "none"
        entering = width + self.fed_width + (memory_width if self.kind == "bahdanau" else 0)
        widths = [entering] + [config.width] * (config.layers - 1)
        self.layers = [
            RecurrentCell(weights, f"{name}.layers.{n}", cell, own, config.width) for n, own in enumerate(widths)
        ]
        self.attention = (
            Attention(weights, f"{name}.attention", self.kind, config.width, memory_width) if attends else None
        )
        states = config.width * config.layers * (2 if self.has_cells else 1)
        self.bridge = Linear(weights, f"{name}.bridge", ends_width, states)
        self.readout = Linear(weights, f"{name}.readout", config.width + (memory_width if attends else 0), width)

    def memory(self, states_SH: Array) -> Memory:
        """The states of a source, made ready to be asked."""
        return Memory(states_SH, states_SH if self.attention is None else self.attention.keys(states_SH))

    def start(self, ends_1E: Array) -> DecoderState:
        """The first state of one hypothesis; nothing is fed to the first step but 0."""
        count = len(self.layers)
        parts = np.split(self.bridge(ends_1E), 2 * count if self.has_cells else count, axis=1)
        cells: Sequence[Array | None] = parts[count:] if self.has_cells else [None] * count
        layers = tuple(CellState(np.tanh(h), c) for h, c in zip(parts[:count], cells, strict=True))
        return DecoderState(layers, np.zeros((1, self.fed_width), np.float32) if self.fed_width else None)

    def step(self, inputs_QD: Array, state: DecoderState, memory: Memory) -> tuple[Array, DecoderState, Array | None]:
        """One step of Q hypotheses: what the output layer reads (Q, F), the state after it, the attention (Q, S)."""
        found: list[Array] = []
        weights_QS = None
        entering = [inputs_QD, *([] if state.fed_QF is None else [state.fed_QF])]
        if self.attention is not None and self.kind == "bahdanau":
            context_QH, weights_QS = self.attention(state.layers[-1].hidden_RW, memory)
            entering.append(context_QH)
            found = [context_QH]
        entering_QD, layers = np.concatenate(entering, axis=1), list[CellState]()
        for layer, before in zip(self.layers, state.layers, strict=True):
            layers.append(layer.step(layer.entered(entering_QD), before))
            entering_QD = layers[-1].hidden_RW
        if self.attention is not None and self.kind == "luong":
            context_QH, weights_QS = self.attention(entering_QD, memory)
            found = [context_QH]
        read_QF = np.tanh(self.readout(np.concatenate((entering_QD, *found), axis=1)))
        return read_QF, DecoderState(tuple(layers), read_QF if self.fed_width else None), weights_QS
