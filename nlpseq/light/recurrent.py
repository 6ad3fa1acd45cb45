"""Recurrent layers on NumPy: the twin of `nn/recurrent.py`, which says what is computed.

Axes: B sentences, T positions, D input features, W state features of one direction, H of all together, G those of all
gates; R rows that take a step each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nlpseq.config import Cell, EncoderConfig
from nlpseq.light.arrays import Array, mask_of, reorder, reversed_positions, sigmoid
from nlpseq.light.weights import Weights

GATES: dict[Cell, int] = {"rnn": 1, "irnn": 1, "gru": 3, "lstm": 4}


class CellState(NamedTuple):
    """The state of one layer of one direction in R rows: what it says (R, W), and an LSTM's cell (R, W), else None."""

    hidden_RW: Array
    cell_RW: Array | None = None

    def of(self, rows: Sequence[int]) -> CellState:
        """The state of these rows, in this order."""
        return CellState(self.hidden_RW[rows], None if self.cell_RW is None else self.cell_RW[rows])

    @classmethod
    def joined(cls, states: Sequence[CellState]) -> CellState:
        """The rows of several, which are all of an LSTM or all not."""
        cells = [one.cell_RW for one in states if one.cell_RW is not None]
        return cls(np.concatenate([one.hidden_RW for one in states]), np.concatenate(cells) if cells else None)


class RecurrentCell:
    """One layer of one direction. Gates stand in torch's order: i, f, g, o of an LSTM, r, z, n of a GRU."""

    def __init__(self, weights: Weights, name: str, cell: Cell, input_width: int, width: int) -> None:
        self.cell, self.width = cell, width
        gates = GATES[cell] * width
        self.input_DG = weights.matrix(f"{name}.weight_ih_l0", gates, input_width).T
        self.hidden_WG = weights.matrix(f"{name}.weight_hh_l0", gates, width).T
        self.input_bias_G = weights.matrix(f"{name}.bias_ih_l0", gates)
        self.hidden_bias_G = weights.matrix(f"{name}.bias_hh_l0", gates)

    def zeros(self, rows: int) -> CellState:
        """The state before anything was read."""
        zeros_RW = np.zeros((rows, self.width), dtype=np.float32)
        return CellState(zeros_RW, zeros_RW if self.cell == "lstm" else None)

    def entered(self, inputs_D: Array) -> Array:
        """What the inputs (..., D) give to the gates (..., G): of all positions in one product."""
        entered_G: Array = inputs_D @ self.input_DG + self.input_bias_G
        return entered_G

    def run(self, inputs_BTD: Array, state: CellState) -> tuple[Array, CellState]:
        """The states (B, T, W) of a layer that begins in `state`, and the one after the last position."""
        entered_TBG = self.entered(inputs_BTD.swapaxes(0, 1))
        states_TBW = np.empty((*entered_TBG.shape[:2], self.width), dtype=np.float32)
        for position, entered_BG in enumerate(entered_TBG):
            state = self.step(entered_BG, state)
            states_TBW[position] = state.hidden_RW
        return states_TBW.swapaxes(0, 1), state

    def step(self, entered_RG: Array, state: CellState) -> CellState:
        """The state after one more input."""
        recurring_RG = state.hidden_RW @ self.hidden_WG + self.hidden_bias_G
        width = self.width
        if self.cell == "lstm":
            assert state.cell_RW is not None, "an LSTM has a cell"
            gates_RG = entered_RG + recurring_RG
            input_RW, forget_RW = sigmoid(gates_RG[:, :width]), sigmoid(gates_RG[:, width : 2 * width])
            new_RW, output_RW = np.tanh(gates_RG[:, 2 * width : 3 * width]), sigmoid(gates_RG[:, 3 * width :])
            cell_RW = forget_RW * state.cell_RW + input_RW * new_RW
            return CellState(output_RW * np.tanh(cell_RW), cell_RW)
        if self.cell == "gru":
            reset_RW = sigmoid(entered_RG[:, :width] + recurring_RG[:, :width])
            update_RW = sigmoid(entered_RG[:, width : 2 * width] + recurring_RG[:, width : 2 * width])
            new_RW = np.tanh(entered_RG[:, 2 * width :] + reset_RW * recurring_RG[:, 2 * width :])
            return CellState(new_RW + update_RW * (state.hidden_RW - new_RW))
        summed_RW = entered_RG + recurring_RG
        return CellState(np.tanh(summed_RW) if self.cell == "rnn" else np.maximum(summed_RW, 0))


def last_states(states_BTH: Array, lengths_B: Array, *, bidirectional: bool) -> Array:
    """Where each reading ended (B, H): forward at the last true position, backward, of two directions, at the first."""
    last_BH: Array = states_BTH[np.arange(len(states_BTH)), lengths_B - 1]
    if not bidirectional:
        return last_BH
    half = states_BTH.shape[2] // 2
    return np.concatenate((last_BH[:, :half], states_BTH[:, 0, half:]), axis=1)


class RecurrentLayer:
    """One layer that reads in one direction, or in both and joins the two states: (B, T, D) -> (B, T, H)."""

    def __init__(
        self, weights: Weights, name: str, cell: Cell, input_width: int, width: int, *, bidirectional: bool
    ) -> None:
        self.forwards = RecurrentCell(weights, f"{name}.forwards", cell, input_width, width)
        self.backwards = (
            RecurrentCell(weights, f"{name}.backwards", cell, input_width, width) if bidirectional else None
        )

    def __call__(self, inputs_BTD: Array, lengths_B: Array) -> Array:
        """States at every position; what stands at padded positions is undefined."""
        start = self.forwards.zeros(len(inputs_BTD))
        states_BTH, _ = self.forwards.run(inputs_BTD, start)
        if self.backwards is None:
            return states_BTH
        order_BT = reversed_positions(lengths_B, inputs_BTD.shape[1])
        back_BTH, _ = self.backwards.run(reorder(inputs_BTD, order_BT), start)
        return np.concatenate((states_BTH, reorder(back_BTH, order_BT)), axis=2)


class RecurrentEncoder:
    """Stacked recurrent layers. `output_width` is H: the width of a direction times the number of directions."""

    def __init__(self, weights: Weights, name: str, config: EncoderConfig, input_width: int) -> None:
        self.bidirectional = config.bidirectional
        self.output_width = config.width * (2 if config.bidirectional else 1)
        widths = [input_width] + [self.output_width] * (config.layers - 1)
        self.layers = [
            RecurrentLayer(
                weights, f"{name}.layers.{n}", config.cell, width, config.width, bidirectional=config.bidirectional
            )
            for n, width in enumerate(widths)
        ]

    def __call__(self, inputs_BTD: Array, lengths_B: Array) -> Array:
        """States (B, T, H) of the last layer, zero at padded positions."""
        mask_BT1 = mask_of(lengths_B, inputs_BTD.shape[1])[:, :, None]
        return np.where(mask_BT1, self._layers(inputs_BTD, lengths_B)[-1], np.float32(0))

    def with_ends(self, inputs_BTD: Array, lengths_B: Array) -> tuple[Array, Array]:
        """What a call gives, and where each layer's reading ended, side by side (B, layers * H)."""
        layers = self._layers(inputs_BTD, lengths_B)
        ends = [last_states(states_BTH, lengths_B, bidirectional=self.bidirectional) for states_BTH in layers]
        mask_BT1 = mask_of(lengths_B, inputs_BTD.shape[1])[:, :, None]
        return np.where(mask_BT1, layers[-1], np.float32(0)), np.concatenate(ends, axis=1)

    def _layers(self, inputs_BTD: Array, lengths_B: Array) -> list[Array]:
        states = [inputs_BTD]
        for layer in self.layers:
            states.append(layer(states[-1], lengths_B))
        return states[1:]
