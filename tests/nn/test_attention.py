from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from nlpseq.batching import mask_of
from nlpseq.nn.attention import Attention, Memory

LENGTHS = torch.tensor([5, 1, 3])
Kind = Literal["bahdanau", "luong"]
each_kind = pytest.mark.parametrize("kind", ["bahdanau", "luong"])


def attended(kind: Kind, states_BSH: Tensor, queries_BQA: Tensor) -> tuple[Tensor, Tensor, Attention, Memory]:
    torch.manual_seed(0)
    attention = Attention(kind, queries_BQA.shape[2], states_BSH.shape[2])
    memory = attention.memory(states_BSH, mask_of(LENGTHS, states_BSH.shape[1]))
    return *attention(queries_BQA, memory), attention, memory


@each_kind
def test_weights_sum_to_one_over_true_positions(kind: Kind) -> None:
    states_BSH, queries_BQA = torch.randn(3, 6, 4), torch.randn(3, 2, 5)
    context_BQH, weights_BQS, _, memory = attended(kind, states_BSH, queries_BQA)
    torch.testing.assert_close(weights_BQS.sum(2), torch.ones(3, 2))
    assert (weights_BQS * ~memory.mask_BS.unsqueeze(1) == 0).all()
    torch.testing.assert_close(context_BQH, torch.einsum("bqs,bsh->bqh", weights_BQS, states_BSH))


@each_kind
def test_what_stands_at_padding_changes_nothing(kind: Kind) -> None:
    states_BSH, queries_BQA = torch.randn(3, 6, 4), torch.randn(3, 2, 5)
    garbage_BSH = torch.where(mask_of(LENGTHS, 6).unsqueeze(2), states_BSH, 1e3)
    clean, dirty = (attended(kind, given, queries_BQA)[0] for given in (states_BSH, garbage_BSH))
    torch.testing.assert_close(clean, dirty)


@each_kind
def test_the_energies_follow_their_equations(kind: Kind) -> None:
    states_BSH, queries_BQA = torch.randn(3, 5, 4), torch.randn(3, 2, 5)
    _, weights_BQS, attention, _ = attended(kind, states_BSH, queries_BQA)
    query_A, state_H = queries_BQA[0, 1], states_BSH[0]
    keys = [attention.keys.weight @ state for state in state_H]
    if kind == "luong":
        energies = torch.stack([query_A @ key for key in keys])
    else:
        assert attention.query is not None
        assert attention.energy is not None
        asked_A = attention.query.weight @ query_A + attention.query.bias
        energies = torch.stack([attention.energy.weight[0] @ torch.tanh(asked_A + key) for key in keys])
    torch.testing.assert_close(weights_BQS[0, 1], energies.softmax(0))


@each_kind
def test_each_query_is_answered_as_if_alone(kind: Kind) -> None:
    states_BSH, queries_BQA = torch.randn(3, 6, 4), torch.randn(3, 7, 5)
    together = attended(kind, states_BSH, queries_BQA)[0]
    for number in range(7):
        alone = attended(kind, states_BSH, queries_BQA[:, number : number + 1])[0]
        torch.testing.assert_close(together[:, number : number + 1], alone)


@each_kind
def test_a_memory_is_kept_for_some_sentences(kind: Kind) -> None:
    states_BSH, queries_BQA = torch.randn(3, 6, 4), torch.randn(3, 2, 5)
    context_BQH, _, attention, memory = attended(kind, states_BSH, queries_BQA)
    chosen = torch.tensor([2, 0])
    torch.testing.assert_close(attention(queries_BQA[chosen], memory.kept(chosen))[0], context_BQH[chosen])
