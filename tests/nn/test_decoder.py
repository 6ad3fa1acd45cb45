from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
import torch
from torch import Tensor

from nlpseq.batching import mask_of
from nlpseq.config import AttentionKind, Cell
from nlpseq.nn.attention import Memory
from nlpseq.nn.decoder import Decoder, DecoderConfig, DecoderState

WIDTH, MEMORY, ENDS = 6, 8, 10
SOURCES = torch.tensor([4, 2, 5])
KINDS = list(product(get_args(Cell), get_args(AttentionKind), [False, True]))
each = pytest.mark.parametrize(("cell", "attention", "feeding"), KINDS)
# float32 sums of a dozen terms in another order differ in the last bits of values near 1: some 1e-7.
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def decoder(cell: Cell, attention: AttentionKind, feeding: bool, **given: float) -> Decoder:
    torch.manual_seed(0)
    config = DecoderConfig(width=7, layers=2, attention=attention, input_feeding=feeding, **given)  # type: ignore[arg-type]
    return Decoder(config, cell, WIDTH, MEMORY, ENDS)


def begun(one: Decoder) -> tuple[Memory, DecoderState]:
    states_BSH, mask_BS = torch.randn(3, 5, MEMORY), mask_of(SOURCES, 5)
    memory = one.attention.memory(states_BSH, mask_BS) if one.attention else Memory(states_BSH, states_BSH, mask_BS)
    return memory, one.start(torch.randn(3, ENDS))


def by_steps(
    one: Decoder, inputs_BTD: Tensor, state: DecoderState, memory: Memory
) -> tuple[Tensor, list[Tensor | None]]:
    reads, looks = [], []
    for inputs_B1D in torch.split(inputs_BTD, 1, dim=1):
        read_B1F, state, weights_B1S = one.step(inputs_B1D, state, memory)
        reads.append(read_B1F)
        looks.append(weights_B1S)
    return torch.cat(reads, dim=1), looks


@each
def test_taught_and_step_by_step_are_the_same(cell: Cell, attention: AttentionKind, feeding: bool) -> None:
    """So what a search sees is what was trained, on torch's fused kernels and by its cells."""
    one = decoder(cell, attention, feeding).eval()
    memory, start = begun(one)
    inputs_BTD = torch.randn(3, 6, WIDTH)
    taught_BTF, weights_BTS = one.taught(inputs_BTD, start, memory)
    stepped_BTF, looks = by_steps(one, inputs_BTD, start, memory)
    torch.testing.assert_close(taught_BTF, stepped_BTF, **CLOSE)
    if attention == "none":
        assert weights_BTS is None
        assert looks == [None] * 6
    else:
        torch.testing.assert_close(weights_BTS, torch.cat([look for look in looks if look is not None], dim=1), **CLOSE)


@each
def test_a_step_never_sees_what_comes_after_it(cell: Cell, attention: AttentionKind, feeding: bool) -> None:
    one = decoder(cell, attention, feeding).eval()
    memory, start = begun(one)
    inputs_BTD = torch.randn(3, 6, WIDTH)
    other_BTD = torch.cat((inputs_BTD[:, :4], torch.randn(3, 2, WIDTH)), dim=1)
    first, second = (one.taught(given, start, memory)[0] for given in (inputs_BTD, other_BTD))
    torch.testing.assert_close(first[:, :4], second[:, :4], **CLOSE)
    assert not torch.allclose(first[:, 4:], second[:, 4:], atol=1e-3)


@each
def test_hypotheses_are_steps_of_their_own(cell: Cell, attention: AttentionKind, feeding: bool) -> None:
    """Three hypotheses of each sentence, beside each other, as each alone."""
    one = decoder(cell, attention, feeding).eval()
    memory, start = begun(one)
    first = one.step(torch.randn(3, 1, WIDTH), start, memory)[1]
    threefold = first.of(torch.arange(3).repeat_interleave(3))
    inputs_BQD = torch.randn(3, 3, WIDTH)
    together_BQF, after, _ = one.step(inputs_BQD, threefold, memory)
    for number in range(3):
        alone_B1F, state, _ = one.step(inputs_BQD[:, number : number + 1], first, memory)
        torch.testing.assert_close(together_BQF[:, number : number + 1], alone_B1F, **CLOSE)
        theirs = after.of(torch.arange(3) * 3 + number)
        torch.testing.assert_close(theirs.layers[-1].hidden_RW, state.layers[-1].hidden_RW, **CLOSE)


@each
def test_every_weight_has_a_gradient(cell: Cell, attention: AttentionKind, feeding: bool) -> None:
    one = decoder(cell, attention, feeding).eval()
    memory, start = begun(one)
    one.taught(torch.randn(3, 6, WIDTH), start, memory)[0].square().sum().backward()
    dead = [name for name, weight in one.named_parameters() if weight.grad is None or not weight.grad.abs().sum() > 0]
    assert dead == []


@pytest.mark.parametrize("feeding", [False, True])
def test_what_is_dropped_stays_dropped_through_a_sentence(feeding: bool) -> None:
    """Of what the output layer reads; the mask is one of zeros and of 1 / 0.5."""
    one = decoder("gru", "luong", feeding, dropout=0.5).train()
    memory, start = begun(one)
    read_BTF = one.taught(torch.randn(3, 6, WIDTH), start, memory)[0]
    dropped_BTF = read_BTF == 0
    assert torch.equal(dropped_BTF, dropped_BTF[:, :1].expand_as(dropped_BTF))
    assert 0 < dropped_BTF.float().mean() < 1


def test_the_kinds_that_can_be_fused_are() -> None:
    fused = {(attention, feeding) for _, attention, feeding in KINDS if decoder("gru", attention, feeding).fused}
    assert fused == {("none", False), ("luong", False)}
