"""The recurrent decoder: taught all steps of a target at once, or run step by step by a search.

Axes: B sentences, T target positions, Q hypotheses of a sentence, R = B * Q rows, D features of a piece, W units of a
layer, H state features of the source, E features of its ends, F = D features that the output layer reads.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.config import Cell, DecoderConfig
from nlpseq.nn.attention import Attention, Memory
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.recurrent import CellState, recurrent_cell, run, step


class DecoderState(NamedTuple):
    """The state of each layer in R rows, and what is fed to the next step (R, F), where something is."""

    layers: tuple[CellState, ...]
    fed_RF: Tensor | None

    def of(self, rows: Tensor) -> DecoderState:
        """The state of these rows, in this order."""
        fed_RF = None if self.fed_RF is None else self.fed_RF.index_select(0, rows)
        return DecoderState(tuple(layer.of(rows) for layer in self.layers), fed_RF)


class Decoder(nn.Module):
    """Recurrent layers, attention, and a readout tanh(W [state; context]) (Luong et al. 2015, equation 5).

    Where no step needs what the attention of the one before it found, the layers read a whole target in one fused call,
    and all steps attend in one batched product after it. Bahdanau's attention asks with the state before the step, and
    its context enters the step; input feeding lets the readout enter the next step; both go one step at a time.
    """

    def __init__(self, config: DecoderConfig, cell: Cell, width: int, memory_width: int, ends_width: int) -> None:
        super().__init__()
        self.kind, self.input_feeding = config.attention, config.input_feeding
        attends = config.attention != "none"
        fed = width if config.input_feeding else memory_width if self.kind == "bahdanau" else 0
        if self.input_feeding and self.kind == "bahdanau":
            fed += memory_width
        widths = [width + fed] + [config.width] * (config.layers - 1)
        self.layers = nn.ModuleList(recurrent_cell(cell, entering, config.width) for entering in widths)
        self.attention = Attention(config.attention, config.width, memory_width) if config.attention != "none" else None
        self.bridge = nn.Linear(ends_width, config.width * config.layers * (2 if cell == "lstm" else 1))
        self.readout = nn.Linear(config.width + (memory_width if attends else 0), width)
        self.dropout = VariationalDropout(config.dropout)
        self.has_cells, self.width = cell == "lstm", width

    @property
    def fused(self) -> bool:
        """Whether all steps of a target are read in one call."""
        return self.kind != "bahdanau" and not self.input_feeding

    def start(self, ends_BE: Tensor) -> DecoderState:
        """The first state, made of where the readings of the source ended; nothing is fed to the first step but 0."""
        count = len(self.layers)
        parts = self.bridge(ends_BE).chunk(2 * count if self.has_cells else count, dim=1)
        cells = parts[count:] if self.has_cells else [None] * count
        layers = tuple(CellState(torch.tanh(h), c) for h, c in zip(parts[:count], cells, strict=True))
        fed_BF = ends_BE.new_zeros(len(ends_BE), self.width) if self.input_feeding else None
        return DecoderState(layers, fed_BF)

    def taught(self, inputs_BTD: Tensor, start: DecoderState, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """What the output layer reads (B, T, F) when each step is given its true input; and the attention (B, T, S)."""
        if not self.fused:
            return self._step_by_step(inputs_BTD, start, memory)
        states_BTW = inputs_BTD
        for layer, state in zip(self.layers, start.layers, strict=True):
            states_BTW = self.dropout(run(layer, states_BTW, state))
        context_BTH, weights_BTS = self._attend(states_BTW, memory)
        return self.dropout(self._read(states_BTW, context_BTH)), weights_BTS

    def step(
        self, inputs_BQD: Tensor, state: DecoderState, memory: Memory, masks: list[Tensor | None] | None = None
    ) -> tuple[Tensor, DecoderState, Tensor | None]:
        """One step of Q hypotheses of each sentence: (B, Q, F), the state after it, and the attention (B, Q, S).

        `masks` (R, W) are what a training drops of each layer.
        """
        rows, hypotheses = inputs_BQD.shape[:2]
        context_BQH = weights_BQS = None
        entering = [inputs_BQD.flatten(0, 1), *([] if state.fed_RF is None else [state.fed_RF])]
        if self.kind == "bahdanau":
            asked_BQW = state.layers[-1].hidden_RW.view(rows, hypotheses, -1)
            context_BQH, weights_BQS = self._attend(asked_BQW, memory)
            assert context_BQH is not None
            entering.append(context_BQH.flatten(0, 1))
        inputs_RD, layers = torch.cat(entering, dim=1), []
        for number, (layer, before) in enumerate(zip(self.layers, state.layers, strict=True)):
            layers.append(step(layer, inputs_RD, before))
            mask_RW = masks[number] if masks else None
            inputs_RD = layers[-1].hidden_RW if mask_RW is None else layers[-1].hidden_RW * mask_RW
        states_BQW = inputs_RD.view(rows, hypotheses, -1)
        if self.kind != "bahdanau":
            context_BQH, weights_BQS = self._attend(states_BQW, memory)
        read_BQF = self._read(states_BQW, context_BQH)
        fed_RF = read_BQF.flatten(0, 1) if self.input_feeding else None
        return read_BQF, DecoderState(tuple(layers), fed_RF), weights_BQS

    def _step_by_step(self, inputs_BTD: Tensor, state: DecoderState, memory: Memory) -> tuple[Tensor, Tensor | None]:
        masks = [self.dropout.mask(layer.hidden_RW) for layer in state.layers]
        reads, attention = [], []
        for inputs_B1D in torch.split(inputs_BTD, 1, dim=1):
            read_B1F, state, weights_B1S = self.step(inputs_B1D, state, memory, masks)
            reads.append(read_B1F)
            attention += [] if weights_B1S is None else [weights_B1S]
        return self.dropout(torch.cat(reads, dim=1)), torch.cat(attention, dim=1) if attention else None

    def _attend(self, queries_BQW: Tensor, memory: Memory) -> tuple[Tensor, Tensor] | tuple[None, None]:
        return (None, None) if self.attention is None else self.attention(queries_BQW, memory)

    def _read(self, states_BQW: Tensor, context_BQH: Tensor | None) -> Tensor:
        joined = states_BQW if context_BQH is None else torch.cat((states_BQW, context_BQH), dim=2)
        return torch.tanh(self.readout(joined))
