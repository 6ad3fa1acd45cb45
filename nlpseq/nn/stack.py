"""Recurrent layers of one direction that can be read on: the state after one stretch of text begins the next.

Axes: B streams, T positions, D input features, H state features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nlpseq.config import Cell
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.precision import rounding
from nlpseq.nn.recurrent import recurrent_cell

_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")  # in the order that torch's functions want
State = tuple[Tensor, ...]  # of one layer: h, and for an LSTM c, each (1, B, H)


class RecurrentStack(nn.Module):
    """Stacked layers from left to right, layer k with `widths[k]` units.

    `dropout` is variational, between the layers and on what leaves the last; `weight_dropout` hides recurrent weights,
    the same ones at all positions of a stretch (Wan et al. 2013; Merity et al. 2018, section 2).
    """

    def __init__(
        self, cell: Cell, input_width: int, widths: Sequence[int], *, dropout: float = 0.0, weight_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.cell, self.widths, self.weight_dropout = cell, tuple(widths), weight_dropout
        self.layers = nn.ModuleList(
            recurrent_cell(cell, width, own) for width, own in zip((input_width, *widths), widths, strict=False)
        )
        self.dropout = VariationalDropout(dropout)

    def forward(self, inputs_BTD: Tensor, before: Sequence[State] | None = None) -> tuple[Tensor, Tensor, list[State]]:
        """States (B, T, H) of the last layer, with dropout and without, and the state of each layer at the end.

        `before` are such states of the stretch before; None: all zero.
        """
        states_BTH, after = inputs_BTD, []
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, nn.RNNBase)
            begin = self._zeros(inputs_BTD, self.widths[index]) if before is None else before[index]
            with rounding():
                raw_BTH, end = self._read(layer, states_BTH, begin)
            raw_BTH, end = raw_BTH.to(inputs_BTD.dtype), tuple(state.to(inputs_BTD.dtype) for state in end)
            states_BTH = self.dropout(raw_BTH)
            after.append(end)
        return states_BTH, raw_BTH, after

    def _zeros(self, inputs_BTD: Tensor, width: int) -> State:
        zeros = inputs_BTD.new_zeros(1, inputs_BTD.shape[0], width)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def _read(self, layer: nn.RNNBase, inputs_BTD: Tensor, begin: State) -> tuple[Tensor, State]:
        """One layer, on torch's fused kernel with or without dropout of its recurrent weights.

        That dropout falls on a copy of the weights, which the function behind torch's module is then given.
        """
        lstm = self.cell == "lstm"
        if not (self.training and self.weight_dropout):
            states_BTH, after = layer(inputs_BTD, begin if lstm else begin[0])
            return states_BTH, after if lstm else (after,)
        weights: list[Tensor] = [getattr(layer, name) for name in _WEIGHTS]
        weights[1] = nn.functional.dropout(weights[1], self.weight_dropout)
        functions = {"gru": torch.gru, "irnn": torch.rnn_relu, "rnn": torch.rnn_tanh}
        rest = (weights, True, 1, 0.0, True, False, True)  # biases, layers, dropout, training, one way, batch first
        if lstm:
            states_BTH, *end = torch.lstm(inputs_BTD, begin, *rest)
        else:
            states_BTH, *end = functions[self.cell](inputs_BTD, begin[0], *rest)
        return states_BTH, tuple(end)
