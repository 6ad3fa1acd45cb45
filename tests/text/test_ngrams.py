from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.text import ngrams
from nlpseq.text.ngrams import Ngrams, counted, found, telling

WORDS = st.lists(st.sampled_from(["a", "b", "c", "\ud800"]), min_size=1, max_size=9)


def by_hand(words: list[str], longest: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 5))
def test_every_run_of_each_text_once(texts: list[list[str]], longest: int) -> None:
    """As many as counted by hand; the same in a batch as alone; the same numbers only for the same runs."""
    runs_N, of_N = Ngrams(longest).of(texts)
    for place, words in enumerate(texts):
        own = runs_N[of_N == place]
        assert len(own) == len(by_hand(words, longest))
        assert (np.diff(own) > 0).all()
        assert own.tolist() == Ngrams(longest).of([words])[0].tolist()
    different = {run for words in texts for run in by_hand(words, longest)}
    assert len(np.unique(runs_N)) == len(different)


def test_case_and_how_an_accent_is_written_do_not_count_and_order_does() -> None:
    number = {text: Ngrams(2).of([text.split()])[0].tolist() for text in ("Not good", "not GOOD", "good not")}
    assert number["Not good"] == number["not GOOD"] != number["good not"]
    assert Ngrams(1).of([["caf\u00e9"]])[0] == Ngrams(1).of([["CAFE\u0301"]])[0]


def test_no_texts_have_no_runs() -> None:
    runs_N, of_N = Ngrams(3).of([])
    places_N, counts_B = found(np.array([1, 2], dtype=np.int32), runs_N, of_N, 0)
    assert len(runs_N) == len(of_N) == len(places_N) == len(counts_B) == 0


def test_hashes_are_spread() -> None:
    """A million runs, drawn among 2**31 numbers, would meet some 233 times; the deviation is 15."""
    words = [f"w{number}" for number in range(1000)]
    runs_N, _ = Ngrams(2).of([list(pair) for pair in product(words, words)])
    assert 1_001_000 - len(np.unique(runs_N)) == pytest.approx(233, abs=75)


def test_the_words_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "REMEMBERED", 3)
    few, many = Ngrams(2), [[f"w{number}", "x"] for number in range(10)]
    for text in many:
        assert few.of([text])[0].tolist() == Ngrams(2).of([text])[0].tolist()
    assert len(few._words) <= 5


def test_those_known_are_found() -> None:
    runs = Ngrams(1)
    known_V = np.sort(runs.of([["good", "bad"]])[0])
    places_N, counts_B = found(known_V, *runs.of([["a", "bad", "film"], ["film"], ["good", "bad"]]), 3)
    assert counts_B.tolist() == [1, 0, 2]
    assert known_V[places_N[:1]] == runs.of([["bad"]])[0]
    assert sorted(places_N[1:].tolist()) == [0, 1]


@given(st.lists(st.tuples(WORDS, st.sets(st.integers(0, 2), min_size=1)), min_size=1, max_size=9))
def test_runs_are_counted_by_label(texts: list[tuple[list[str], set[int]]]) -> None:
    """In parts of four texts as by hand."""
    runs = Ngrams(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "TEXTS", 4)
        patch.setattr(ngrams, "ROOM", 5)
        runs_V, counts_VK = counted(runs, ((words, sorted(own)) for words, own in texts), 3)
    for run in {run for words, _ in texts for run in by_hand(words, 2)}:
        number = set(runs.of([list(run)])[0].tolist()) - {
            int(n) for w in run[: len(run) - 1 or 0] for n in runs.of([[w]])[0]
        }
        number -= {int(runs.of([[run[-1]]])[0][0])} if len(run) > 1 else set()
        place = np.searchsorted(runs_V, number.pop())
        assert counts_VK[place].tolist() == [
            sum(label in own for words, own in texts if run in by_hand(words, 2)) for label in range(3)
        ]
    assert (np.diff(runs_V) > 0).all()


def test_what_was_met_once_is_forgotten_where_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TEXTS", 2)
    monkeypatch.setattr(ngrams, "MOST", 3)
    monkeypatch.setattr(ngrams, "ROOM", 0)
    runs = Ngrams(1)
    runs_V, counts_VK = counted(runs, [(["a", "b"], [0]), (["a", "c"], [1]), (["a", "d", "e"], [1])], 2)
    assert runs_V.tolist() == runs.of([["a"]])[0].tolist()
    assert counts_VK.tolist() == [[1, 2]]


def test_those_that_tell_most_are_kept() -> None:
    """Of each group of labels in turn; what was met once, or as often with every label as all are, tells nothing."""
    counts_VK = np.array([[9, 9, 5, 5], [9, 0, 5, 5], [0, 1, 0, 1], [5, 5, 9, 0], [1, 3, 2, 2]])
    groups = [slice(0, 2), slice(2, 4)]
    assert telling(counts_VK, groups, 2).tolist() == [1, 3]
    assert telling(counts_VK, groups, 9).tolist() == [0, 1, 3, 4]
    assert telling(counts_VK, groups[:1], 1).tolist() == [1]
    assert telling(counts_VK[:0], groups, 9).tolist() == []
