from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.batching import (
    length_groups,
    mask_of,
    pad,
    reverse_sources,
    reversed_positions,
    training_batches,
)
from nlpseq.text.lengths import STEP_ROWS

rows = st.lists(st.lists(st.integers(1, 99), max_size=9), max_size=8)
lengths = st.lists(st.integers(1, 40), max_size=40)
budgets = st.integers(1, 200)


@given(rows, st.integers(-1, 0))
def test_padding_stands_at_the_end(given_rows: list[list[int]], value: int) -> None:
    padded = pad(given_rows, value=value)
    width = max(map(len, given_rows), default=0)
    assert padded.shape == (len(given_rows), width)
    assert padded.dtype == torch.int64
    for row, out in zip(given_rows, padded.tolist(), strict=True):
        assert out == row + [value] * (width - len(row))


@given(rows.filter(bool))
def test_the_mask_is_true_within_each_sentence(given_rows: list[list[int]]) -> None:
    padded = pad(given_rows)
    mask = mask_of(torch.tensor([len(row) for row in given_rows]), padded.shape[1])
    assert torch.equal(mask, padded != 0)
    assert [out[m].tolist() for out, m in zip(padded, mask, strict=True)] == given_rows


@given(rows.filter(bool), st.integers(0, 3))
def test_reversal_reverses_each_row_within_its_length_and_is_its_own_inverse(
    given_rows: list[list[int]], extra: int
) -> None:
    padded = torch.nn.functional.pad(pad(given_rows), (0, extra))
    order = reversed_positions(torch.tensor([len(row) for row in given_rows]), padded.shape[1])
    once = padded.gather(1, order)
    assert once.tolist() == [row[::-1] + [0] * (padded.shape[1] - len(row)) for row in given_rows]
    assert torch.equal(once.gather(1, order), padded)


def cost(group: list[int], sizes: list[int]) -> int:
    """Tokens of a batch, padding included."""
    return len(group) * max(sizes[index] for index in group)


@given(lengths | st.lists(st.integers(0, 3)), budgets)
def test_groups_hold_every_index_once_within_the_budget(sizes: list[int], budget: int) -> None:
    groups = length_groups(sizes, budget)
    assert sorted(index for group in groups for index in group) == list(range(len(sizes)))
    assert all(len(group) == 1 or cost(group, sizes) <= budget for group in groups)
    ordered = [sizes[index] for group in groups for index in group]
    assert ordered == sorted(ordered, reverse=True)


def price(groups: Sequence[Sequence[int]], sizes: Sequence[int]) -> int:
    """What groups cost: at each position their rows, and STEP_ROWS."""
    return sum(max(1, *(sizes[index] for index in group)) * (len(group) + STEP_ROWS) for group in groups)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(60, 300))
def test_no_other_groups_of_whole_lengths_cost_less(sizes: list[int], budget: int) -> None:
    """Of every way to cut the lengths, longest first, into stretches, each in as many groups as the budget makes it."""
    widths = sorted(set(sizes), reverse=True)
    order = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    cheapest = 10**9
    for cuts in product((False, True), repeat=len(widths) - 1):
        first = [widths[0], *(width for width, cut in zip(widths[1:], cuts, strict=True) if cut)]
        total = 0
        for wide, narrower in zip(first, [*first[1:], 0], strict=True):
            rows = sum(narrower < sizes[index] <= wide for index in order)
            total += wide * (rows + STEP_ROWS * -(-rows // max(1, budget // wide)))
        cheapest = min(cheapest, total)
    assert price(length_groups(sizes, budget), sizes) <= cheapest


def test_little_is_padding_where_there_are_many() -> None:
    sizes = [1 + round(40 * random.Random(index).random() ** 2) for index in range(1000)]
    groups = length_groups(sizes, 1024)
    assert sum(cost(group, sizes) for group in groups) < 1.15 * sum(sizes)
    assert len(groups) < 60


def test_empty_sentences_do_not_make_an_endless_group() -> None:
    assert max(map(len, length_groups([0] * 100, 10))) == 10


@given(lengths, budgets, st.integers(0, 10**9))
def test_training_batches_hold_every_index_once_within_the_budget(sizes: list[int], budget: int, seed: int) -> None:
    """The widest of a batch need not be its first, since lengths are jittered: all of it counts here."""
    batches = training_batches(sizes, budget, seed)
    assert sorted(index for batch in batches for index in batch) == list(range(len(sizes)))
    assert all(len(batch) == 1 or cost(batch, sizes) <= budget for batch in batches)


@pytest.mark.parametrize("seed", range(20))
def test_a_longer_sentence_that_comes_later_counts(seed: int) -> None:
    """Lengths of 9 and 10 are mixed by the jitter: ten of 9 fill a budget of 90, but not with one of 10 among them."""
    sizes = [9 + index % 2 for index in range(200)]
    batches = training_batches(sizes, 90, seed)
    assert any(sizes[batch[0]] == 9 and 10 in {sizes[i] for i in batch} for batch in batches)  # the case at hand
    assert all(cost(batch, sizes) <= 90 for batch in batches)


@given(lengths, budgets, st.integers(0, 10**9))
def test_training_batches_depend_on_their_seed_alone(sizes: list[int], budget: int, seed: int) -> None:
    random.seed(seed + 1)
    one = training_batches(sizes, budget, seed)
    random.random()
    assert training_batches(sizes, budget, seed) == one


def test_company_changes_between_epochs_and_little_is_padding() -> None:
    sizes = [1 + index % 30 for index in range(600)]
    first, second = (training_batches(sizes, 300, seed) for seed in (1, 2))
    assert {frozenset(b) for b in first} != {frozenset(b) for b in second}
    lengths_in_order = [sizes[batch[0]] for batch in first]
    assert lengths_in_order != sorted(lengths_in_order, reverse=True)  # the order of batches is random
    # Lengths are jittered by at most 1.5, so neighbours differ by 3 at most: of 30 lengths up to 30, a third of the
    # tokens would be padding in random batches of 300; here it is well below a sixth.
    padded = sum(cost(batch, sizes) for batch in first)
    assert sum(sizes) / padded > 5 / 6


@pytest.mark.parametrize("make", [lambda sizes: length_groups(sizes, 5), lambda sizes: training_batches(sizes, 5, 0)])
def test_nothing_gives_no_batch_and_one_too_long_is_alone(make: Callable[[list[int]], list[list[int]]]) -> None:
    assert make([]) == []
    assert sorted(make([100, 2, 2])) == [[0], [1, 2]]


pairs = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=60)


@given(pairs, budgets, st.integers(0, 10**9))
def test_batches_of_pairs_hold_each_once_within_the_budget_on_either_side(
    sides: list[tuple[int, int]], budget: int, seed: int
) -> None:
    targets, sources = [t for t, _ in sides], [s for _, s in sides]
    batches = training_batches(targets, budget, seed, sources)
    assert sorted(index for batch in batches for index in batch) == list(range(len(sides)))
    for batch in batches:
        assert len(batch) == 1 or max(cost(batch, targets), cost(batch, sources)) <= budget
    assert batches == training_batches(targets, budget, seed, sources)


def test_batches_of_pairs_are_narrow_in_both_lengths() -> None:
    """Sources of any length with targets of any other: by targets alone, sources pad to about twice their tokens."""
    chance = random.Random(0)
    targets, sources = ([chance.randint(5, 40) for _ in range(4000)] for _ in range(2))

    def waste(batches: list[list[int]], sizes: list[int]) -> float:
        return sum(cost(batch, sizes) for batch in batches) / sum(sizes)

    batches = training_batches(targets, 1000, 0, sources)
    assert waste(batches, targets) < 1.2  # a pool is an eighth of 4,000 pairs, and spans four or five lengths
    assert waste(batches, sources) < 1.3
    assert waste(training_batches(targets, 1000, 0), sources) > 1.5


@given(rows.filter(bool))
def test_sources_are_reversed_and_put_back(given_rows: list[list[int]]) -> None:
    padded, sizes = pad(given_rows), torch.tensor([len(row) for row in given_rows])
    once = reverse_sources(padded, sizes)
    assert once.tolist() == [row[::-1] + [0] * (padded.shape[1] - len(row)) for row in given_rows]
    assert torch.equal(reverse_sources(once, sizes), padded)
