from __future__ import annotations

from collections import Counter
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
    """In parts of four texts as by hand; all are kept that were met twice, with what was counted."""
    runs = Ngrams(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "TEXTS", 4)
        patch.setattr(ngrams, "ROOM", 5)
        pairs_P, counts_P = counted(runs, ((words, sorted(own)) for words, own in texts), 3)
    wanted: Counter[int] = Counter()
    for words, own in texts:
        wanted.update(3 * run + label for run in runs.of([words])[0].tolist() for label in own)
    assert dict(zip(pairs_P.tolist(), counts_P.tolist(), strict=True)) == wanted
    assert (np.diff(pairs_P) > 0).all()
    runs_V, counts_VK = telling(pairs_P, counts_P, [3], 99)
    by_run = {run: [wanted[3 * run + label] for label in range(3)] for run in {pair // 3 for pair in wanted}}
    assert dict(zip(runs_V.tolist(), counts_VK.tolist(), strict=True)) == {
        run: counts for run, counts in by_run.items() if sum(counts) > 1
    }
    assert (np.diff(runs_V) > 0).all()


def test_what_was_met_once_is_forgotten_where_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TEXTS", 2)
    monkeypatch.setattr(ngrams, "MOST", 3)
    monkeypatch.setattr(ngrams, "ROOM", 0)
    runs = Ngrams(1)
    pairs_P, counts_P = counted(runs, [(["a", "b"], [0]), (["a", "c"], [0]), (["a", "d", "e"], [1])], 2)
    a = int(runs.of([["a"]])[0][0])
    assert dict(zip(pairs_P.tolist(), counts_P.tolist(), strict=True)) == {2 * a: 2, 2 * a + 1: 1}


def test_no_texts_and_no_labels_tell_nothing() -> None:
    pairs_P, counts_P = counted(Ngrams(3), [], 2)
    assert len(pairs_P) == len(counts_P) == 0
    assert [part.tolist() for part in telling(pairs_P, counts_P, [2], 9)] == [[], []]


def test_those_that_tell_most_are_kept() -> None:
    """Of each group of labels in turn; what was met once, or as often with every label as all are, tells nothing."""
    counts_VK = np.array([[9, 9, 5, 5], [9, 0, 5, 5], [0, 1, 0, 1], [5, 5, 9, 0], [1, 3, 2, 2]])
    pairs_P = np.flatnonzero(counts_VK)
    given_P = pairs_P, counts_VK.reshape(-1)[pairs_P]
    assert telling(*given_P, [2, 2], 2)[0].tolist() == [1, 3]
    runs_V, kept_VK = telling(*given_P, [2, 2], 9)
    assert runs_V.tolist() == [0, 1, 3, 4]
    assert kept_VK.tolist() == counts_VK[[0, 1, 3, 4]].tolist()
    assert telling(*given_P, [2, 2], 1)[0].tolist() == [1]
