"""Recurrent layers over variable-length batches: four cells, one or two directions, stacked.

Axes: B sentences, T positions, D input features, H state features of all directions together,
W of one; R rows that take a step each.
Padding stands at the end. A forward direction meets it only after the last true position, and a backward direction
reads each row reversed within its own length, so padding never enters a true state and no packing is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.batching import mask_of
from nlpseq.config import Cell, EncoderConfig
from nlpseq.nn import both_ways, fused
from nlpseq.nn.dropout import VariationalDropout


def recurrent_cell(cell: Cell, input_width: int, width: int) -> nn.RNNBase:
    """One layer of one direction, batch first, initialised for its cell.

    - rnn: h_t = tanh(W x_t + U h_{t-1} + b) (Elman 1990), U orthogonal
    - irnn: ReLU instead of tanh, U the identity, b zero (Le, Jaitly & Hinton 2015)
    - gru: Cho et al. 2014, with the reset gate after the product, as in torch; U orthogonal for each gate
    - lstm: Hochreiter & Schmidhuber 1997 with a forget gate (Gers et al. 2000) whose bias starts at 1
      (Jozefowicz et al. 2015); U orthogonal for each gate
    """
    layer: nn.RNNBase
    if cell == "lstm":
        layer = nn.LSTM(input_width, width, batch_first=True)
    elif cell == "gru":
        layer = nn.GRU(input_width, width, batch_first=True)
    else:
        layer = nn.RNN(input_width, width, batch_first=True, nonlinearity="relu" if cell == "irnn" else "tanh")
    with torch.no_grad():
        _initialise(layer, cell, width)
    return layer


def _initialise(layer: nn.RNNBase, cell: Cell, width: int) -> None:
    weights: dict[str, Tensor] = dict(layer.named_parameters())
    for gate_HD in torch.split(weights["weight_ih_l0"], width):
        nn.init.xavier_uniform_(gate_HD)
    for gate_HH in torch.split(weights["weight_hh_l0"], width):
        if cell == "irnn":
            nn.init.eye_(gate_HH)
        else:
            nn.init.orthogonal_(gate_HH)
    nn.init.zeros_(weights["bias_ih_l0"])
    nn.init.zeros_(weights["bias_hh_l0"])
    if cell == "lstm":
        weights["bias_ih_l0"][width : 2 * width].fill_(1.0)


_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")  # in the order of torch's cells


class CellState(NamedTuple):
    """The state of one layer of one direction in R rows: what it says (R, W), and an LSTM's cell (R, W), else None."""

    hidden_RW: Tensor
    cell_RW: Tensor | None = None

    def of(self, rows: Tensor) -> CellState:
        """The state of these rows, in this order."""
        cell_RW = None if self.cell_RW is None else self.cell_RW.index_select(0, rows)
        return CellState(self.hidden_RW.index_select(0, rows), cell_RW)


def run(layer: nn.Module, inputs_BTD: Tensor, start: CellState) -> Tensor:
    """The states (B, T, W) of a layer that begins in `start`, in one call of torch's fused kernel."""
    assert isinstance(layer, nn.RNNBase)
    return fused.read(layer, inputs_BTD, tuple(state_RW.unsqueeze(0) for state_RW in start if state_RW is not None))[0]


def step(layer: nn.Module, inputs_RD: Tensor, state: CellState) -> CellState:
    """One step of a layer, by the same weights and equations as `run`."""
    assert isinstance(layer, nn.RNNBase)
    input_weight, weight, input_bias, bias = (getattr(layer, f"{name}_l0") for name in _WEIGHTS)
    if isinstance(layer, nn.LSTM):
        assert state.cell_RW is not None, "an LSTM has a cell"
        before = [state.hidden_RW, state.cell_RW]
        return CellState(*torch.lstm_cell(inputs_RD, before, input_weight, weight, input_bias, bias))
    if isinstance(layer, nn.GRU):
        return CellState(torch.gru_cell(inputs_RD, state.hidden_RW, input_weight, weight, input_bias, bias))
    cell = torch.rnn_tanh_cell if layer.mode == "RNN_TANH" else torch.rnn_relu_cell
    return CellState(cell(inputs_RD, state.hidden_RW, input_weight, weight, input_bias, bias))


def last_states(states_BTH: Tensor, lengths_B: Tensor, *, bidirectional: bool) -> Tensor:
    """Where each reading ended (B, H): forward at the last true position, backward, of two directions, at the first."""
    last_B1H = (lengths_B - 1)[:, None, None].expand(-1, 1, states_BTH.shape[2])
    last_BH = states_BTH.gather(1, last_B1H).squeeze(1)
    if not bidirectional:
        return last_BH
    half = states_BTH.shape[2] // 2
    return torch.cat((last_BH[:, :half], states_BTH[:, 0, half:]), dim=1)


class RecurrentLayer(nn.Module):
    """One layer that reads in one direction, or in both and joins the two states: (B, T, D) -> (B, T, H)."""

    def __init__(self, cell: Cell, input_width: int, width: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.forwards = recurrent_cell(cell, input_width, width)
        self.backwards = recurrent_cell(cell, input_width, width) if bidirectional else None

    def forward(self, inputs_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """States at every position; what stands at padded positions is undefined."""
        if self.backwards is None:
            return _read(self.forwards, inputs_BTD)
        layers, orders = (self.forwards, self.backwards), fused.both_orders(lengths_B, inputs_BTD.shape[1])
        told = list(zip(layers, orders, strict=True))
        if both_ways.worth_it(inputs_BTD):
            weights = [list(layer.parameters()) for layer in layers]
            states = both_ways.read_at_once(_read_in_order, told, inputs_BTD, weights)
        else:
            states = tuple(_read_in_order(one, inputs_BTD) for one in told)
        return torch.cat(states, dim=2).to(inputs_BTD.dtype)


def _read(layer: nn.Module, inputs_BTD: Tensor) -> Tensor:
    assert isinstance(layer, nn.RNNBase)
    return fused.read(layer, inputs_BTD)[0]


def _read_in_order(told: tuple[nn.Module, fused.Order], inputs_BTD: Tensor) -> Tensor:
    layer, order = told
    assert isinstance(layer, nn.RNNBase)
    return fused.read_in_order(layer, order, inputs_BTD)


class RecurrentEncoder(nn.Module):
    """Stacked recurrent layers with variational dropout between them and on what leaves the last.

    `output_width` is H: the width of a direction times the number of directions.
    """

    def __init__(self, config: EncoderConfig, input_width: int) -> None:
        super().__init__()
        self.bidirectional = config.bidirectional
        self.output_width = config.width * (2 if config.bidirectional else 1)
        widths = [input_width] + [self.output_width] * (config.layers - 1)
        self.layers = nn.ModuleList(
            RecurrentLayer(config.cell, width, config.width, bidirectional=config.bidirectional) for width in widths
        )
        self.dropout = VariationalDropout(config.dropout)

    def forward(self, inputs_BTD: Tensor, lengths_B: Tensor) -> Tensor:
        """States (B, T, H) of the last layer, zero at padded positions. `lengths_B` (int64) are at least 1."""
        return _bare(self._layers(inputs_BTD, lengths_B)[-1], lengths_B).to(inputs_BTD.dtype)

    def with_ends(self, inputs_BTD: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` gives, and where each layer's reading ended, side by side (B, layers * H)."""
        layers = self._layers(inputs_BTD, lengths_B)
        ends = [last_states(states_BTH, lengths_B, bidirectional=self.bidirectional) for states_BTH in layers]
        states_BTH, ends_BH = _bare(layers[-1], lengths_B), torch.cat(ends, dim=1)
        return states_BTH.to(inputs_BTD.dtype), ends_BH.to(inputs_BTD.dtype)

    def _layers(self, inputs_BTD: Tensor, lengths_B: Tensor) -> list[Tensor]:
        """The states of each layer, in the kind of numbers that it gives them in: nothing is rounded back and forth."""
        first = self.layers[0]
        assert isinstance(first, RecurrentLayer)
        states = [inputs_BTD.to(fused.precision(first.forwards, inputs_BTD))]
        for layer in self.layers:
            states.append(self.dropout(layer(states[-1], lengths_B)))
        return states[1:]


def _bare(states_BTH: Tensor, lengths_B: Tensor) -> Tensor:
    """States with zeros at padded positions."""
    return states_BTH.masked_fill(~mask_of(lengths_B, states_BTH.shape[1]).unsqueeze(2), 0.0)
