from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import pytest

from nlpseq.writing.completion import Completion, Grown, complete

# Sequences of units; a table says, for each, how likely it is complete, and what comes next. The state is the sequence.
TABLE = {
    (0,): (0.1, {1: 0.6, 2: 0.3}),
    (1,): (0.9, {0: 0.1}),
    (0, 1): (0.5, {2: 0.5}),
    (0, 2): (1.0, {}),
    (0, 1, 2): (1.0, {}),
    (1, 0): (1.0, {}),
}


def log(value: float) -> float:
    return math.log(value) if value else -math.inf


def step(sequences: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[tuple[Grown, tuple[int, ...]]]:
    found = []
    for ids, before in sequences:
        assert ids[:-1] == before  # the state is that of the sequence without its last unit
        whole, following = TABLE.get(ids, (1.0, {}))
        found.append((Grown(log(whole), [(unit, log(p)) for unit, p in following.items()]), ids))
    return found


FIRST = [(0, log(0.7)), (1, log(0.3))]


@pytest.mark.parametrize("width", [1, 2, 16])
def test_the_likeliest_are_found_whatever_the_width(width: int) -> None:
    found = complete(step, FIRST, (), 3, width=width)
    assert found[0].ids == (1,)
    assert {one.ids for one in found[1:]} < {(0, 1), (0, 2), (0, 1, 2)}  # which are as likely as each other
    assert [math.exp(one.log_probability) for one in found] == pytest.approx([0.27, 0.21, 0.21])
    assert len(complete(step, FIRST, (), 99, width=width)) == 6


def test_probabilities_of_all_sum_to_one() -> None:
    found = complete(step, FIRST, (), 99)
    assert sum(math.exp(one.log_probability) for one in found) == pytest.approx(1)


def tree(chance: random.Random, ids: tuple[int, ...], probability: float) -> Iterator[tuple[Completion, Grown]]:
    """A random tree over three units, four deep: each of its sequences as it is complete, and what it grows into."""
    parts = [chance.random() for _ in range(4)] if len(ids) < 4 else [1.0]
    whole, *shares = [part / sum(parts) for part in parts]
    following = [(unit, log(share)) for unit, share in enumerate(shares)]
    yield Completion(ids, log(probability * whole)), Grown(log(whole), following)
    for unit, share in enumerate(shares):
        yield from tree(chance, (*ids, unit), probability * share)


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_going_through_all_there_are_finds(seed: int) -> None:
    chance = random.Random(seed)
    every = [node for unit in range(3) for node in tree(chance, (unit,), 1 / 3)]
    table = {one.ids: grown for one, grown in every}

    def by_table(sequences: Sequence[tuple[tuple[int, ...], None]]) -> list[tuple[Grown, None]]:
        return [(table[ids], None) for ids, _ in sequences]

    best = sorted((one for one, _ in every), key=lambda one: -one.log_probability)[:5]
    found = complete(by_table, [(unit, log(1 / 3)) for unit in range(3)], None, 5, width=2)
    assert [one.ids for one in found] == [one.ids for one in best]


def test_it_ends_where_there_is_no_end() -> None:
    def endless(sequences: Sequence[tuple[tuple[int, ...], None]]) -> list[tuple[Grown, None]]:
        return [(Grown(-math.inf, [(0, -0.1), (1, -2.5)]), None) for _ in sequences]

    assert complete(endless, [(0, 0.0)], None, 2, limit=50) == []
    assert complete(step, FIRST, (), 3, longest=1)[0].ids == (1,)
