from __future__ import annotations

from itertools import combinations
from typing import get_args

import pytest
import torch

from nlpseq.nn.pooling import Pooling, PoolingKind

KINDS = get_args(PoolingKind)
SETS = [kinds for count in (1, 2, 4) for kinds in combinations(KINDS, count)]


@pytest.mark.parametrize("kinds", SETS, ids="+".join)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_never_enters(kinds: tuple[PoolingKind, ...], bidirectional: bool) -> None:
    """Whatever stands at padded positions, the vectors and every gradient are the same, bit for bit."""
    torch.manual_seed(0)
    pooling = Pooling(kinds, 6, bidirectional=bidirectional)
    lengths_B = torch.tensor([5, 1, 3])
    states_BTH = torch.randn(3, 5, 6)
    found = []
    for filling in (0.0, 1e4, -1e4, torch.nan, torch.inf):
        filled_BTH = states_BTH.clone()
        filled_BTH[1, 1:], filled_BTH[2, 3:] = filling, filling
        filled_BTH.requires_grad_()
        pooled_BP = pooling(filled_BTH, lengths_B)
        assert pooled_BP.shape == (3, pooling.output_width) == (3, 6 * len(kinds))
        if filling == filling and abs(filling) != torch.inf:  # gradients past a NaN are no one's business
            pooled_BP.square().sum().backward()
            assert not filled_BTH.grad[1, 1:].any()
            assert not filled_BTH.grad[2, 3:].any()
        found.append(pooled_BP.detach())
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_each_kind_is_what_it_says() -> None:
    states_BTH = torch.tensor([[[1.0, 8.0], [3.0, 2.0], [2.0, 5.0], [9.0, 9.0]]])
    lengths_B = torch.tensor([3])
    wanted = {"last": [2.0, 8.0], "mean": [2.0, 5.0], "max": [3.0, 8.0]}
    for kind, vector in wanted.items():
        assert Pooling([kind], 2, bidirectional=True)(states_BTH, lengths_B).tolist() == [vector]
    assert Pooling(["last"], 2, bidirectional=False)(states_BTH, lengths_B).tolist() == [[2.0, 5.0]]
    joined = Pooling(["last", "max"], 2, bidirectional=True)(states_BTH, lengths_B)
    assert joined.tolist() == [[2.0, 8.0, 3.0, 8.0]]


def test_attention_weighs_true_positions_alone() -> None:
    torch.manual_seed(0)
    pooling = Pooling(["attention"], 4, bidirectional=True)
    states_BTH, mask_BT = torch.randn(2, 3, 4), torch.tensor([[True, True, True], [True, False, False]])
    weights_BT = pooling.attention_weights(states_BTH, mask_BT)
    assert weights_BT.sum(1).tolist() == pytest.approx([1, 1])
    assert weights_BT[1].tolist() == [1, 0, 0]
    wanted_BH = (states_BTH * weights_BT.unsqueeze(2)).sum(1)
    assert torch.allclose(pooling(states_BTH, torch.tensor([3, 1])), wanted_BH)


@pytest.mark.parametrize("kind", ["last", "mean", "max", "attention"])
def test_states_in_bfloat16_are_pooled_as_they_are(kind: PoolingKind) -> None:
    torch.manual_seed(0)
    pooling, states_BTH = Pooling((kind,), 6, bidirectional=True), torch.rand(4, 301, 6).bfloat16()
    lengths_B = torch.tensor([301, 1, 257, 7])
    with torch.no_grad():
        found_BP, wanted_BP = pooling(states_BTH, lengths_B), pooling(states_BTH.float(), lengths_B)
    assert found_BP.dtype == torch.bfloat16
    assert torch.allclose(found_BP.float(), wanted_BP, rtol=0.004, atol=1e-4)  # rounded once, in the ninth bit
