from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nlpseq.nn.tables import coarse, coarse_tables, fine

tables = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(0, 1000), st.floats(1e-3, 1e3)).map(
    lambda given: given[3] * torch.randn(given[0], given[1], generator=torch.Generator().manual_seed(given[2]))
)


@given(tables)
def test_no_number_is_off_by_more_than_half_a_step(table_VD: torch.Tensor) -> None:
    numbers_VD, scales_V = coarse(table_VD)
    assert numbers_VD.dtype == torch.int8
    step_V1 = table_VD.abs().amax(1, keepdim=True) / 127
    assert ((fine(numbers_VD, scales_V) - table_VD).abs() <= 0.501 * step_V1).all()


@given(tables)
def test_what_was_stored_is_stored_the_same_again(table_VD: torch.Tensor) -> None:
    once = coarse(table_VD)
    again = coarse(fine(*once))
    assert torch.equal(fine(*again), fine(*once))


def test_rows_of_zeros_stay_zero() -> None:
    table_VD = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    assert fine(*coarse(table_VD))[0].tolist() == [0.0, 0.0]


def test_what_is_no_number_shows_in_the_scales() -> None:
    _, scales_V = coarse(torch.tensor([[1.0, float("nan")], [float("inf"), 0.0], [1.0, 2.0]]))
    assert torch.isfinite(scales_V).tolist() == [False, False, True]


def test_only_tables_that_ask_for_it_are_stored_so() -> None:
    network = nn.ModuleDict({"one": nn.Embedding(3, 2), "other": nn.Embedding(3, 2), "linear": nn.Linear(2, 2)})
    network["other"].eight_bit = True  # type: ignore[assignment]
    assert coarse_tables(network) == {"other.weight"}
