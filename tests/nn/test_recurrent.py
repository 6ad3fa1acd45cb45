from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nlpseq.config import Cell, EncoderConfig
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.recurrent import CellState, RecurrentEncoder, RecurrentLayer, recurrent_cell, run, step

CELLS: tuple[Cell, ...] = get_args(Cell)
LENGTHS = [7, 1, 4, 6]
# float32 sums of a dozen terms in another order differ in the last bit or two of values near 1: some 1e-7.
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def batch(width: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(LENGTHS), max(LENGTHS), width, generator=generator), torch.tensor(LENGTHS)


def layer(cell: Cell, bidirectional: bool, seed: int = 0) -> RecurrentLayer:
    torch.manual_seed(seed)
    return RecurrentLayer(cell, 5, 6, bidirectional=bidirectional)


both_directions = pytest.mark.parametrize("bidirectional", [False, True])
each_cell = pytest.mark.parametrize("cell", CELLS)


@each_cell
@both_directions
@pytest.mark.parametrize("garbage", [1e3, -1e3, 0.0])
@pytest.mark.parametrize("extra", [0, 1, 9])
def test_padding_never_enters_a_state(cell: Cell, bidirectional: bool, garbage: float, extra: int) -> None:
    """Each sentence alone has the states that it has in a batch, whatever the padding holds and however long it is."""
    one = layer(cell, bidirectional)
    inputs_BTD, lengths_B = batch()
    padded = torch.full((len(LENGTHS), max(LENGTHS) + extra, 5), garbage)
    for row, length in enumerate(LENGTHS):
        padded[row, :length] = inputs_BTD[row, :length]
    together = one(padded, lengths_B)
    for row, length in enumerate(LENGTHS):
        alone = one(inputs_BTD[row : row + 1, :length], lengths_B[row : row + 1])
        torch.testing.assert_close(together[row, :length], alone[0], **CLOSE)


@each_cell
def test_the_backward_direction_reads_each_sentence_reversed(cell: Cell) -> None:
    one = layer(cell, bidirectional=True)
    inputs_BTD, lengths_B = batch()
    states_BTH = one(inputs_BTD, lengths_B)
    for row, length in enumerate(LENGTHS):
        by_hand = one.backwards(inputs_BTD[row, :length].flip(0).unsqueeze(0))[0][0].flip(0)
        torch.testing.assert_close(states_BTH[row, :length, 6:], by_hand, **CLOSE)


@each_cell
@both_directions
def test_no_gradient_flows_into_padding(cell: Cell, bidirectional: bool) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(EncoderConfig(cell=cell, layers=2, width=6, bidirectional=bidirectional, dropout=0), 5)
    inputs_BTD, lengths_B = batch()
    inputs_BTD.requires_grad_()
    encoder(inputs_BTD, lengths_B).square().sum().backward()
    assert inputs_BTD.grad is not None
    for row, length in enumerate(LENGTHS):
        assert inputs_BTD.grad[row, :length].abs().sum(1).min() > 0  # each true position counts
        assert inputs_BTD.grad[row, length:].abs().sum() == 0


@each_cell
def test_states_at_padding_are_zero_and_weights_learn_nothing_from_it(cell: Cell) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(EncoderConfig(cell=cell, layers=2, width=4, dropout=0), 5)
    inputs_BTD, lengths_B = batch()
    gradients = []
    for garbage in (0.0, 50.0):
        encoder.zero_grad()
        filled = inputs_BTD.clone()
        for row, length in enumerate(LENGTHS):
            filled[row, length:] = garbage
        states_BTH = encoder(filled, lengths_B)
        for row, length in enumerate(LENGTHS):
            assert states_BTH[row, length:].abs().sum() == 0
        states_BTH.square().sum().backward()
        gradients.append([weight.grad.clone() for weight in encoder.parameters() if weight.grad is not None])
    assert len(gradients[0]) == len(list(encoder.parameters()))
    for clean, dirty in zip(*gradients, strict=True):
        torch.testing.assert_close(clean, dirty, atol=1e-4, rtol=1e-4)  # sums over all positions: looser than a state


@pytest.mark.parametrize("layers", [1, 2])
def test_an_lstm_equals_torch_with_packing(layers: int) -> None:
    torch.manual_seed(1)
    ours = RecurrentEncoder(EncoderConfig(cell="lstm", layers=layers, width=6, dropout=0), 5)
    theirs = nn.LSTM(5, 6, num_layers=layers, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for index, one in enumerate(ours.layers):
            for direction, suffix in ((one.forwards, ""), (one.backwards, "_reverse")):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(theirs, f"{name}_l{index}{suffix}").copy_(getattr(direction, f"{name}_l0"))
    inputs_BTD, lengths_B = batch()
    packed = pack_padded_sequence(inputs_BTD, lengths_B, batch_first=True, enforce_sorted=False)
    wanted = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    torch.testing.assert_close(ours(inputs_BTD, lengths_B), wanted, **CLOSE)


def test_the_elman_cell_follows_its_equation() -> None:
    cell = recurrent_cell("rnn", 3, 4)
    inputs_BTD = torch.randn(1, 5, 3)
    state, states = torch.zeros(4), []
    for vector in inputs_BTD[0]:
        state = torch.tanh(cell.weight_ih_l0 @ vector + cell.bias_ih_l0 + cell.weight_hh_l0 @ state + cell.bias_hh_l0)
        states.append(state)
    torch.testing.assert_close(cell(inputs_BTD)[0][0], torch.stack(states), **CLOSE)


def test_irnn_starts_as_the_identity_and_adds_up() -> None:
    cell = recurrent_cell("irnn", 3, 4)
    assert torch.equal(cell.weight_hh_l0, torch.eye(4))
    assert cell.bias_ih_l0.abs().sum() + cell.bias_hh_l0.abs().sum() == 0
    states = cell(torch.randn(1, 1, 3).expand(1, 6, 3))[0][0]
    # With U the identity, h_t = relu(W x + h_{t-1}): the same input t times gives t times its rectified projection.
    torch.testing.assert_close(states, torch.arange(1.0, 7.0)[:, None] * states[0], **CLOSE)
    assert states[0].abs().sum() > 0


def test_the_forget_gate_starts_open_and_no_other() -> None:
    cell = recurrent_cell("lstm", 3, 4)
    bias = cell.bias_ih_l0 + cell.bias_hh_l0
    assert bias.tolist() == [0] * 4 + [1] * 4 + [0] * 8  # torch's order of gates: input, forget, cell, output


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_each_gate_starts_orthogonal(cell: Cell, gates: int) -> None:
    blocks = torch.split(recurrent_cell(cell, 3, 4).weight_hh_l0, 4)
    assert len(blocks) == gates
    for block_HH in blocks:
        torch.testing.assert_close(block_HH @ block_HH.T, torch.eye(4), **CLOSE)


@both_directions
def test_the_output_is_as_wide_as_it_says(bidirectional: bool) -> None:
    encoder = RecurrentEncoder(EncoderConfig(layers=3, width=7, bidirectional=bidirectional), 5)
    inputs_BTD, lengths_B = batch()
    assert encoder(inputs_BTD, lengths_B).shape == (len(LENGTHS), max(LENGTHS), encoder.output_width)
    assert encoder.output_width == (14 if bidirectional else 7)


def test_variational_dropout_has_one_mask_a_sentence() -> None:
    torch.manual_seed(0)
    dropped = VariationalDropout(0.25)(torch.ones(40, 9, 50))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])  # what stays is scaled up
    assert not torch.equal(dropped[0], dropped[1])
    # 2,000 masks of probability 0.25: the standard deviation of their mean is 0.0097; five of them are 0.05.
    assert (dropped[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.05)


def test_variational_dropout_is_nothing_in_evaluation() -> None:
    inputs = torch.randn(2, 3, 4)
    assert torch.equal(VariationalDropout(0.5).eval()(inputs), inputs)
    assert torch.equal(VariationalDropout(0.0).train()(inputs), inputs)


@each_cell
@both_directions
def test_the_ends_are_where_each_layer_stopped_reading(cell: Cell, bidirectional: bool) -> None:
    torch.manual_seed(0)
    config = EncoderConfig(cell=cell, layers=2, width=6, bidirectional=bidirectional, dropout=0)
    encoder = RecurrentEncoder(config, 5)
    inputs_BTD, lengths_B = batch()
    states_BTH, ends_BE = encoder.with_ends(inputs_BTD, lengths_B)
    torch.testing.assert_close(states_BTH, encoder(inputs_BTD, lengths_B))
    assert ends_BE.shape == (len(LENGTHS), 2 * encoder.output_width)
    below_BTH = encoder.layers[0](inputs_BTD, lengths_B)
    for row, length in enumerate(LENGTHS):
        for layer, states in enumerate((below_BTH, states_BTH)):
            end_H = ends_BE[row, layer * encoder.output_width :][: encoder.output_width]
            torch.testing.assert_close(end_H[:6], states[row, length - 1, :6], **CLOSE)
            if bidirectional:
                torch.testing.assert_close(end_H[6:], states[row, 0, 6:], **CLOSE)


@each_cell
def test_a_layer_may_begin_in_any_state_and_go_by_steps(cell: Cell) -> None:
    torch.manual_seed(0)
    one = recurrent_cell(cell, 5, 6)
    start = CellState(torch.randn(4, 6), torch.randn(4, 6) if cell == "lstm" else None)
    inputs_BTD = torch.randn(4, 7, 5)
    state, states = start, []
    for inputs_BD in inputs_BTD.unbind(1):
        state = step(one, inputs_BD, state)
        states.append(state.hidden_RW)
    torch.testing.assert_close(run(one, inputs_BTD, start), torch.stack(states, dim=1), **CLOSE)
