"""Gates computed from inputs and states are those that made the states."""

from __future__ import annotations

import pytest
import torch

from nlpseq.nn.gates import gates
from nlpseq.nn.recurrent import CellState, recurrent_cell, run

B, T, D, W = 2, 5, 3, 4


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_the_states_of_an_lstm_follow_from_its_gates(inputs: torch.Tensor) -> None:
    """c_t = f c_{t-1} + i g_t and h_t = o tanh(c_t), from a state that is not zero; g is computed here."""
    torch.manual_seed(1)
    layer = recurrent_cell("lstm", D, W)
    start = CellState(torch.randn(B, W), torch.randn(B, W))
    states = run(layer, inputs, start)
    found = gates(layer, inputs, states, start.hidden_RW)
    hidden, cell = start
    assert cell is not None
    for t in range(T):
        new = inputs[:, t] @ layer.weight_ih_l0.T + hidden @ layer.weight_hh_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0
        cell = found["forget"][:, t] * cell + found["input"][:, t] * new[:, 2 * W : 3 * W].tanh()
        hidden = found["output"][:, t] * cell.tanh()
        assert torch.allclose(hidden, states[:, t], atol=1e-6)
    assert list(found) == ["input", "forget", "output"]


@torch.no_grad()
def test_the_states_of_a_gru_follow_from_its_gates(inputs: torch.Tensor) -> None:
    """h_t = z h_{t-1} + (1 - z) tanh(W x_t + b + r (U h_{t-1} + c)), from zeros."""
    torch.manual_seed(1)
    layer = recurrent_cell("gru", D, W)
    states = layer(inputs)[0]
    found = gates(layer, inputs, states)
    hidden = torch.zeros(B, W)
    for t in range(T):
        of_input = (inputs[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0)[:, 2 * W :]
        of_state = (hidden @ layer.weight_hh_l0.T + layer.bias_hh_l0)[:, 2 * W :]
        new = (of_input + found["reset"][:, t] * of_state).tanh()
        hidden = found["update"][:, t] * hidden + (1 - found["update"][:, t]) * new
        assert torch.allclose(hidden, states[:, t], atol=1e-6)
    assert list(found) == ["reset", "update"]


@pytest.mark.parametrize("cell", ["rnn", "irnn"])
def test_other_cells_have_none(cell: str, inputs: torch.Tensor) -> None:
    layer = recurrent_cell(cell, D, W)  # type: ignore[arg-type]
    assert gates(layer, inputs, layer(inputs)[0]) == {}
