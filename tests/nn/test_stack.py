from __future__ import annotations

from typing import get_args

import pytest
import torch

from nlpseq.config import Cell
from nlpseq.nn import fused
from nlpseq.nn.recurrent import recurrent_cell
from nlpseq.nn.stack import RecurrentStack

every_cell = pytest.mark.parametrize("cell", get_args(Cell))


def stack(cell: Cell, **options: float) -> RecurrentStack:
    torch.manual_seed(1)
    return RecurrentStack(cell, 3, (5, 4), **options)


@every_cell
def test_it_is_torchs_own_layers_one_after_the_other(cell: Cell) -> None:
    layers, inputs_BTD = stack(cell), torch.randn(2, 6, 3)
    states_BTH, raw_BTH, after = layers(inputs_BTD)
    one_BTH, end_1 = layers.layers[0](inputs_BTD)
    two_BTH, end_2 = layers.layers[1](one_BTH)
    assert torch.equal(states_BTH, two_BTH)
    assert torch.equal(raw_BTH, two_BTH)
    for got, wanted in zip(after, (end_1, end_2), strict=True):
        assert torch.equal(got[0], wanted[0] if cell == "lstm" else wanted)


@every_cell
def test_other_recurrent_weights_may_be_taken_in_place_of_its_own(cell: Cell) -> None:
    layer, inputs_BTD = recurrent_cell(cell, 3, 4), torch.randn(2, 6, 3)
    wanted_BTH, (wanted, *_) = fused.read(layer, inputs_BTD)
    found_BTH, (found, *_) = fused.read(layer, inputs_BTD, recurrent_weight=layer.get_parameter("weight_hh_l0"))
    other_BTH, _ = fused.read(layer, inputs_BTD, recurrent_weight=torch.zeros_like(layer.weight_hh_l0))
    assert torch.allclose(found_BTH, wanted_BTH, atol=1e-6)
    assert torch.allclose(found, wanted, atol=1e-6)
    assert not torch.allclose(other_BTH, wanted_BTH, atol=1e-2)


@every_cell
def test_a_text_in_parts_is_read_as_the_whole(cell: Cell) -> None:
    layers, inputs_BTD = stack(cell), torch.randn(2, 9, 3)
    whole_BTH, _, end = layers(inputs_BTD)
    parts, state = [], None
    for part_BTD in inputs_BTD.split([4, 1, 3, 1], dim=1):
        states_BTH, _, state = layers(part_BTD, state)
        parts.append(states_BTH)
    assert torch.allclose(torch.cat(parts, 1), whole_BTH, atol=1e-6)
    assert all(
        torch.allclose(a, b, atol=1e-6)
        for x, y in zip(state or (), end, strict=True)
        for a, b in zip(x, y, strict=True)
    )


@every_cell
def test_weight_dropout_hides_recurrent_weights_alone_and_only_in_training(cell: Cell) -> None:
    layers, inputs_BTD = stack(cell, weight_dropout=0.5), torch.randn(2, 6, 3)
    plain_BTH = stack(cell)(inputs_BTD)[0]
    before = {name: weight.clone() for name, weight in layers.state_dict().items()}
    torch.manual_seed(3)
    one_BTH, other_BTH = layers(inputs_BTD)[0], layers(inputs_BTD)[0]
    assert not torch.allclose(one_BTH, other_BTH)  # a mask each time
    assert all(torch.equal(weight, before[name]) for name, weight in layers.state_dict().items())
    assert torch.equal(layers.eval()(inputs_BTD)[0], plain_BTH)
    first_BTH = layers.train()(inputs_BTD[:, :1])[0]  # from a state of zeros no recurrent weight matters
    assert torch.allclose(first_BTH, plain_BTH[:, :1], atol=1e-6)


def test_what_is_hidden_gets_no_gradient() -> None:
    layers = stack("lstm", weight_dropout=0.5)
    layers(torch.randn(2, 6, 3))[0].sum().backward()
    for layer in layers.layers:
        hidden = (layer.weight_hh_l0.grad == 0).float().mean().item()
        assert 0.3 < hidden < 0.7  # of 100 and 64 weights about half
        assert (layer.weight_ih_l0.grad != 0).all()


def test_dropout_is_one_mask_for_all_positions() -> None:
    layers = stack("gru", dropout=0.5)
    states_BTH, raw_BTH, _ = layers(torch.randn(3, 8, 3))
    gone_BTH = (states_BTH == 0) & (raw_BTH != 0)
    assert gone_BTH.any()
    assert torch.equal(gone_BTH.any(1), gone_BTH.all(1))
