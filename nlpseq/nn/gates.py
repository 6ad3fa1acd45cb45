"""What the gates of a recurrent layer did, from what entered it and what it said.

Axes: B rows, T positions, D input features, W units.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

# By torch's name of the cell: its gates, and where each stands among the blocks of W rows of the weights.
GATES: Mapping[str, Mapping[str, int]] = {
    "LSTM": {"input": 0, "forget": 1, "output": 3},
    "GRU": {"reset": 0, "update": 1},
}


@torch.no_grad()
def gates(
    layer: nn.RNNBase, inputs_BTD: Tensor, states_BTW: Tensor, start_BW: Tensor | None = None
) -> dict[str, Tensor]:
    """How far each gate was open (B, T, W), from 0 to 1, by name; nothing of a cell without gates.

    - LSTM (Gers et al. 2000): `input` lets the new in, `forget` keeps the old (1 keeps all), `output` lets it be said
    - GRU (Cho et al. 2014, as in torch): `reset` lets the old take part in the new, `update` keeps the old

    `states_BTW` is what the layer said of these inputs, in the order in which it read them; it began in `start_BW`, or
    in zeros. A gate is sigmoid(W x_t + b + U h_{t-1} + c), so all positions are computed at once.
    """
    begin_B1W = torch.zeros_like(states_BTW[:, :1]) if start_BW is None else start_BW.unsqueeze(1)
    before_BTW = torch.cat((begin_B1W, states_BTW[:, :-1]), dim=1)
    of_inputs = nn.functional.linear(inputs_BTD, layer.weight_ih_l0, layer.bias_ih_l0)  # type: ignore[arg-type]
    of_states = nn.functional.linear(before_BTW, layer.weight_hh_l0, layer.bias_hh_l0)  # type: ignore[arg-type]
    blocks = torch.split(of_inputs + of_states, layer.hidden_size, dim=2)
    return {name: blocks[place].sigmoid() for name, place in GATES.get(layer.mode, {}).items()}
