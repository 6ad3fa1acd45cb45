"""Both directions of a layer at once: the numbers of one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nlpseq.config import Cell, EncoderConfig
from nlpseq.nn import both_ways
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.threads import at_once

LENGTHS_B = torch.tensor([7, 3, 1])


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def encoder(cell: Cell = "lstm") -> RecurrentEncoder:
    torch.manual_seed(0)
    return RecurrentEncoder(EncoderConfig(cell=cell, layers=2, width=6, dropout=0.0), 5)


def learnt(model: RecurrentEncoder, threads: int, *, inputs_learnt: bool = True) -> list[Tensor | None]:
    """The states, and the gradients of the inputs and of all weights, read with so many threads."""
    torch.set_num_threads(threads)
    inputs_BTD = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(1)).requires_grad_(inputs_learnt)
    model.zero_grad()
    states_BTH = model(inputs_BTD, LENGTHS_B)
    slopes_BTH = torch.randn(states_BTH.shape, generator=torch.Generator().manual_seed(2))
    states_BTH.backward(slopes_BTH)
    assert torch.get_num_threads() == threads
    return [states_BTH.detach(), inputs_BTD.grad, *(weight.grad for weight in model.parameters())]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "irnn"])
def test_states_and_gradients_are_those_of_one_after_the_other(cell: Cell) -> None:
    model = encoder(cell)
    for one, both in zip(learnt(model, 1), learnt(model, 2), strict=True):
        torch.testing.assert_close(both, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("inputs_learnt", [True, False])
def test_what_is_not_learnt_has_no_gradient(inputs_learnt: bool) -> None:
    model = encoder()
    for weight in model.layers[0].parameters():
        weight.requires_grad_(False)
    one, both = (learnt(model, threads, inputs_learnt=inputs_learnt) for threads in (1, 2))
    assert [gradient is None for gradient in both] == [gradient is None for gradient in one]
    assert both[2] is None


def test_each_direction_has_its_part_of_the_threads() -> None:
    torch.set_num_threads(6)
    found = at_once(lambda _: torch.get_num_threads(), [0, 1])
    assert found == [3, 3]
    assert torch.get_num_threads() == 6


def test_one_direction_alone_may_be_learnt() -> None:
    model = encoder()
    backwards = [weight for name, weight in model.layers[0].named_parameters() if name.startswith("backwards")]
    for weight in backwards:
        weight.requires_grad_(False)
    one, both = (learnt(model, threads, inputs_learnt=False) for threads in (1, 2))
    assert 0 < sum(gradient is None for gradient in one) == sum(gradient is None for gradient in both)
    for wanted, found in zip(one, both, strict=True):
        if wanted is not None:
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_graph_that_is_retained_can_be_differentiated_again() -> None:
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = encoder()
        inputs_BTD = torch.ones(3, 7, 5, requires_grad=True)
        total = model(inputs_BTD, LENGTHS_B).square().sum()
        first = torch.autograd.grad(total, inputs_BTD, retain_graph=True)
        total.backward()
        assert torch.equal(first[0], inputs_BTD.grad)
        found.append(first[0])
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6)


def test_nothing_is_shared_out_without_gradients_or_threads() -> None:
    inputs_BTD = torch.zeros(1, 1, 1)
    torch.set_num_threads(1)
    assert not both_ways.worth_it(inputs_BTD)
    torch.set_num_threads(2)
    assert both_ways.worth_it(inputs_BTD)
    with torch.no_grad():
        assert not both_ways.worth_it(inputs_BTD)


def test_second_derivatives_are_refused() -> None:
    torch.set_num_threads(2)
    inputs_BTD = torch.randn(3, 7, 5, requires_grad=True)
    with pytest.raises(RuntimeError, match="No second derivatives"):
        torch.autograd.grad(encoder()(inputs_BTD, LENGTHS_B).sum(), inputs_BTD, create_graph=True)


def test_second_derivatives_can_be_taken_of_one_after_the_other() -> None:
    torch.set_num_threads(1)
    inputs_BTD = torch.randn(3, 7, 5, dtype=torch.float64, requires_grad=True)
    model = encoder("rnn").double()
    assert torch.autograd.gradgradcheck(lambda given: model(given, LENGTHS_B), inputs_BTD, nondet_tol=1e-9)
