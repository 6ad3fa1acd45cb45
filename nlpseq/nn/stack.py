"""Recurrent layers of one direction that can be read on: the state after one stretch of text begins the next.

Axes: B streams, T positions, D input features, H state features.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from nlpseq.config import Cell
from nlpseq.nn import fused
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.fused import State
from nlpseq.nn.recurrent import recurrent_cell


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
            hidden = self._hidden(layer)
            raw_BTH, end = fused.read(
                layer, states_BTH, None if before is None else before[index], recurrent_weight=hidden
            )
            states_BTH = self.dropout(raw_BTH)
            after.append(end)
        return states_BTH, raw_BTH, after

    def _hidden(self, layer: nn.RNNBase) -> Tensor | None:
        """A copy of the recurrent weights, some of them hidden; None where none are to be."""
        if not (self.training and self.weight_dropout):
            return None
        return nn.functional.dropout(layer.get_parameter("weight_hh_l0"), self.weight_dropout)
