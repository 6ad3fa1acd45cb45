from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.text.vocab import UNKNOWN, Vocabulary

counts = st.dictionaries(st.text(max_size=3), st.integers(0, 5), max_size=20)


@given(counts, st.integers(1, 4))
def test_counted_keeps_what_is_frequent_in_one_order(seen: dict[str, int], least: int) -> None:
    vocabulary = Vocabulary.counted(seen, min_count=least)
    shuffled = Vocabulary.counted(dict(reversed(seen.items())), min_count=least)
    assert vocabulary.symbols == shuffled.symbols  # the order of the corpus decides no id
    assert set(vocabulary.symbols) == {s for s, n in seen.items() if n >= least}
    frequencies = [seen[s] for s in vocabulary.symbols]
    assert frequencies == sorted(frequencies, reverse=True)


@given(st.lists(st.text(max_size=3), unique=True), st.sampled_from([0, 2]))
def test_ids_and_symbols_are_inverse(symbols: list[str], reserved: int) -> None:
    vocabulary = Vocabulary(symbols, reserved=reserved)
    assert len(vocabulary) == len(symbols) + reserved
    assert [vocabulary.symbol(i) for i in vocabulary.ids(symbols)] == symbols
    assert vocabulary.ids(symbols) == list(range(reserved, len(vocabulary)))
    assert all(symbol in vocabulary for symbol in symbols)


def test_what_is_unknown_has_the_unknown_id_or_is_an_error() -> None:
    assert Vocabulary(["a"]).id("b") == UNKNOWN
    with pytest.raises(KeyError):
        Vocabulary(["a"], reserved=0).id("b")
    assert "b" not in Vocabulary(["a"])


def test_symbols_are_distinct() -> None:
    with pytest.raises(AssertionError):
        Vocabulary(["a", "a"])
