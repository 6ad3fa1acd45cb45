"""How far back a layer remembers, against Jacobians that are known or computed whole."""

from __future__ import annotations

import pytest
import torch

from nlpseq.nn.recurrent import recurrent_cell
from nlpseq.nn.sensitivity import by_distance

T, D, W = 6, 3, 20


@pytest.mark.parametrize("cell", ["rnn", "irnn", "gru", "lstm"])
@pytest.mark.parametrize("started", [False, True])
def test_it_estimates_the_norm_of_the_jacobian(cell: str, started: bool) -> None:
    """With 4,000 probes within a twentieth: the squared norm's relative deviation is below sqrt(2 / 4000) = 0.022, half
    of which is the norm's, so the bound is four deviations away.
    """
    torch.manual_seed(0)
    layer = recurrent_cell(cell, D, W)  # type: ignore[arg-type]
    inputs = torch.randn(T, D)
    start = tuple(torch.randn(W) for _ in range(2 if cell == "lstm" else 1)) if started else ()
    before = tuple(state[None] for state in start)

    def last(inputs_TD: torch.Tensor) -> torch.Tensor:
        given = None if not before else before if len(before) > 1 else before[0]
        states: torch.Tensor = layer(inputs_TD, given)[0]
        return states[-1]

    jacobian_WTD = torch.autograd.functional.jacobian(last, inputs)
    exact = jacobian_WTD.pow(2).sum((0, 2)).sqrt().flip(0)
    assert by_distance(layer, inputs, start, probes=4000).tolist() == pytest.approx(exact.tolist(), rel=0.05)


@pytest.mark.parametrize(("factor", "kind"), [(0.5, "vanish"), (1.0, "stay"), (2.0, "explode")])
def test_gradients_vanish_stay_or_explode_by_the_recurrent_weights(factor: float, kind: str) -> None:
    """A ReLU cell with `factor` times the identity as its recurrent weights, on inputs that keep every unit above zero:
    each step back multiplies the gradient by that factor, exactly, whatever the probes are.
    """
    layer = recurrent_cell("irnn", 4, 4)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(factor * torch.eye(4))
        layer.weight_ih_l0.copy_(torch.eye(4))
    norms = by_distance(layer, torch.ones(10, 4))
    assert norms.tolist() == pytest.approx([2.0 * factor**k for k in range(10)], rel=1e-5), kind


def test_the_layer_and_what_was_given_stay_as_they_were() -> None:
    layer, inputs = recurrent_cell("lstm", D, W).eval(), torch.randn(T, D)
    by_distance(layer, inputs)
    assert not layer.training
    assert not inputs.requires_grad
    assert all(weight.grad is None for weight in layer.parameters())
