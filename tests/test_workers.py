"""Inputs shared out between processes: with pipelines that only say what they were given, and once with a real one."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlpseq
from nlpseq.errors import NlpseqError, UsageError
from nlpseq.given import CHARACTERS_AHEAD
from nlpseq.records import Failure
from nlpseq.worker_process import FIRST_TEXT
from nlpseq.workers import CHARACTERS, MOST, SharedPipeline, _chunks
from tests import languages, taggers
from tests.examples import corpus
from tests.shouting import Shouting, marked, refusing


@pytest.fixture
def shared() -> Iterator[SharedPipeline]:
    pipeline = SharedPipeline("tag", Shouting, 2)
    yield pipeline
    pipeline.close()


def test_each_input_is_answered_once_and_in_order_by_processes_in_turn(shared: SharedPipeline) -> None:
    texts = [f"text {n}" for n in range(103)]
    found = list(shared.pipe(iter(texts), batch_size=10))
    assert [text for _, text in found] == [text.upper() for text in texts]
    processes = [process for process, _ in found]
    assert len(set(processes)) == 2
    assert os.getpid() not in processes
    assert processes[:10] == [processes[0]] * 10 != processes[10:20]
    ((process, _),) = shared.pipe(["a"])
    assert process in processes  # the same ones go on


def test_no_more_is_read_ahead_than_two_chunks_a_process(shared: SharedPipeline) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield "x" * 200_000  # more than a pipe holds

    answers = shared.pipe(texts(), batch_size=1)
    for number in range(1, 9):
        next(answers)
        assert taken <= number + 4


def test_who_stops_listening_gets_no_old_answers(shared: SharedPipeline) -> None:
    answers = shared.pipe(["a"] * 100, batch_size=1)
    next(answers)
    answers.close()
    assert [text for _, text in shared.pipe(["b", "c"])] == ["B", "C"]


def test_failures_have_the_number_of_their_input(shared: SharedPipeline) -> None:
    found = list(shared.pipe(["a", "b", "c", "odd"], batch_size=3))
    assert found[3] == Failure("It is odd.", 4)
    with pytest.raises(ValueError, match="It is odd"):
        shared("odd")
    assert shared("even")[1] == "EVEN"


@pytest.mark.parametrize(("text", "kind"), [("stop", UsageError), ("stumble", NlpseqError), ("die", NlpseqError)])
def test_what_goes_wrong_there_is_raised_here(shared: SharedPipeline, text: str, kind: type[NlpseqError]) -> None:
    with pytest.raises(kind) as caught:
        list(shared.pipe(["a", text, "b"] * 20, batch_size=1))
    wanted = {"stop": "There is no stopping.", "stumble": "It is broken.", "die": "by signal 9"}
    assert wanted[text] in str(caught.value)
    assert [text for _, text in shared.pipe(["c"])] == ["C"]


def test_a_pipeline_that_cannot_be_loaded_is_told() -> None:
    pipeline = SharedPipeline("tag", refusing, 2)
    with pytest.raises(UsageError, match="Not this one"):
        pipeline.start()
    for _ in range(3):
        with pytest.raises(UsageError, match="Not this one"):
            list(pipeline.pipe(["a"]))


def test_threads_may_share_it(shared: SharedPipeline) -> None:
    def read(number: int) -> bool:
        texts = [f"text {number} {n}" for n in range(number % 7 + 1)]
        return [text for _, text in shared.pipe(texts, batch_size=2)] == [text.upper() for text in texts]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(60)))


def test_answers_that_nobody_waits_for_leave_nothing_behind(shared: SharedPipeline) -> None:
    for _ in range(5):
        answers = shared.pipe(["a"] * 8, batch_size=1)
        next(answers)
        time.sleep(0.05)
        answers.close()
        shared("b")
    shared("b")
    for worker in shared._workers:
        assert not worker._answers
        assert all(ticket > worker._received for ticket in worker._forgotten)


def test_who_waits_when_it_is_closed_is_told(shared: SharedPipeline) -> None:
    shared.start()
    answers = shared.pipe(iter(["slow", *["a"] * 50]), batch_size=1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, answers)
        time.sleep(0.3)
        shared.close()
        with pytest.raises(NlpseqError, match="was closed"):
            waiting.result(timeout=30)


def test_a_copy_has_processes_of_its_own(shared: SharedPipeline) -> None:
    shared("a")
    copied = pickle.loads(pickle.dumps(shared))
    assert copied.processes == 2
    assert copied("a")[0] != shared("a")[0]
    copied.close()


def test_pipelines_can_be_adjusted_where_they_are(shared: SharedPipeline) -> None:
    changed = shared.adjusted(partial(marked, mark="!")).adjusted(partial(marked, mark="?"))
    assert changed("a")[1] == "A!?"
    changed.close()


def test_wrong_arguments_are_told_at_once(shared: SharedPipeline) -> None:
    with pytest.raises(TypeError, match="many texts"):
        shared.pipe("one text")
    with pytest.raises(TypeError, match="many texts"):
        shared(["one text", "another"])
    with pytest.raises(UsageError, match="batch_size"):
        shared.pipe(["a"], batch_size=0)
    with pytest.raises(UsageError, match="processes is 0"):
        SharedPipeline("tag", Shouting, 0)


def test_several_pipes_of_one_pipeline_do_not_mix(shared: SharedPipeline) -> None:
    outer = shared.pipe([f"outer {n}" for n in range(20)], batch_size=1)
    found = [next(outer)[1]]
    assert shared("between")[1] == "BETWEEN"
    found += [text for _, text in outer]
    assert found == [f"OUTER {n}" for n in range(20)]
    pairs = zip(shared.pipe(["a", "b", "c"], batch_size=1), shared.pipe(["d", "e", "f"], batch_size=1), strict=True)
    assert [(one[1], other[1]) for one, other in pairs] == [("A", "D"), ("B", "E"), ("C", "F")]


def test_what_is_answered_is_told_before_more_is_read(shared: SharedPipeline) -> None:
    """A pipe whose writer pauses is not held back until more comes."""
    told: list[str] = []

    def texts() -> Iterator[str]:
        yield "one"
        time.sleep(2)  # by far enough for an answer
        yield "two"
        assert told[:1] == ["ONE"]  # and perhaps the next one already
        yield "three"

    shared.start()
    for _, text in shared.pipe(texts(), batch_size=1):
        told.append(text)
    assert told == ["ONE", "TWO", "THREE"]


def test_an_error_tells_where_it_arose(shared: SharedPipeline) -> None:
    with pytest.raises(UsageError) as caught:
        list(shared.pipe(["stop"]))
    assert "shouting.py" in caught.value.__notes__[-1]


def test_an_error_that_cannot_be_sent_still_ends_as_it_would(shared: SharedPipeline) -> None:
    with pytest.raises(NlpseqError, match="Odd") as caught:
        list(shared.pipe(["peculiar"]))
    assert caught.value.exit_code == 7


def test_chunks_grow_and_are_shared_out_evenly() -> None:
    line = "a" * 100
    sizes = [len(chunk) for chunk in _chunks([line] * 1300, None, "translate", 2)]
    assert sizes == [64, 64, 128, 128, 256, 256, 202, 202]  # the last two share what is left
    assert [len(chunk) for chunk in _chunks([line] * 1300, None, "translate", 1)] == [64, 128, 256, 512, 340]
    assert [len(chunk) for chunk in _chunks([line] * 5, None, "translate", 2)] == [5]  # not worth two processes
    assert [len(chunk) for chunk in _chunks([line] * 5, 2, "translate", 2)] == [2, 2, 1]


def test_fast_tasks_get_larger_chunks_of_short_texts_alone() -> None:
    assert max(len(chunk) for chunk in _chunks(["x" * 40] * 40_000, None, "tag", 2)) == 4096
    assert max(len(chunk) for chunk in _chunks(["x" * 2000] * 2000, None, "tag", 2)) == CHARACTERS_AHEAD // 2000 + 1


def test_chunks_are_bounded_in_characters() -> None:
    long = ["x" * 64 * CHARACTERS, "y" * 128 * CHARACTERS, "z"]
    assert [len(chunk) for chunk in _chunks(long, None, "translate", 1)] == [1, 1, 1]
    assert [len(chunk) for chunk in _chunks([*long, *"abc"], None, "translate", 2)] == [1, 1, 4]


@given(st.lists(st.text(max_size=3000), max_size=60), st.none() | st.integers(1, 9), st.integers(1, 5))
def test_chunks_lose_nothing(texts: list[str], size: int | None, processes: int) -> None:
    chunks = list(_chunks(texts, size, "translate", processes))
    assert [text for chunk in chunks for text in chunk] == texts
    assert all(chunks)


def test_what_is_no_text_fails_alone(tmp_path: Path) -> None:
    taggers.write_checkpoint(tmp_path / "tagger")
    inputs: list[Any] = ["one two", None, 5, b"abc", ["a", 1], [], (x for x in "ab"), float("nan"), ("one", "two")]
    shared = nlpseq.load(tmp_path / "tagger", processes=1)
    found, alone = list(shared.pipe(inputs)), list(nlpseq.load(tmp_path / "tagger").pipe(inputs))
    shared.close()
    assert [isinstance(one, Failure) for one in found] == [isinstance(one, Failure) for one in alone]
    assert [one.line for one in found if isinstance(one, Failure)] == [2, 3, 4, 5, 7, 8]


def test_a_language_model_is_used_in_one_process(tmp_path: Path) -> None:
    languages.write_checkpoint(tmp_path / "lm", languages.untrained())
    with pytest.raises(UsageError, match="one process"):
        nlpseq.load(tmp_path / "lm", processes=2)


def test_a_checkpoint_says_the_same_in_one_process_and_in_two(tmp_path: Path) -> None:
    taggers.write_checkpoint(tmp_path / "tagger")
    texts = [example.text for example in corpus(60, seed=5)]
    shared = nlpseq.load(tmp_path / "tagger", processes=2)
    assert shared.task == "tag"
    found = list(shared.pipe(texts, batch_size=20))
    shared.close()
    alone = [*nlpseq.load(tmp_path / "tagger").pipe(texts, batch_size=20)]
    assert [[t.ner for t in one.tokens] for one in found] == [[t.ner for t in one.tokens] for one in alone]
    assert [one.tokens[0].score for one in found] == pytest.approx([one.tokens[0].score for one in alone], abs=1e-5)


@pytest.mark.parametrize("settings", [{"threads": 2}, {"device": "cuda"}])
def test_processes_have_one_core_each(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="one CPU core"):
        nlpseq.load("tag-en", processes=2, **settings)


@given(st.lists(st.one_of(st.just(""), st.text(max_size=30), st.just("x" * 50_000)), max_size=40), st.integers(1, 3))
def test_chunks_hold_all_inputs_in_order_and_never_too_many(texts: list[str], processes: int) -> None:
    many = texts * 100
    chunks = list(_chunks(many, None, "translate", processes))
    assert [text for chunk in chunks for text in chunk] == many
    assert all(0 < len(chunk) <= MOST["translate"] for chunk in chunks)


def test_one_long_input_leaves_no_chunk_of_all_the_others() -> None:
    sizes = [len(chunk) for chunk in _chunks(["a"] * 24_000 + ["x" * 300_000] + ["a"] * 9500, None, "tag", 2)]
    assert max(sizes) <= MOST["tag"]


def test_what_cannot_be_made_ready_is_told_with_the_inputs() -> None:
    """An error about a text that nobody gave keeps no one from what can be read."""
    shared = SharedPipeline("tag", partial(Shouting, deaf_to=FIRST_TEXT), 1)
    try:
        assert [text for _, text in shared.pipe(["fine"])] == ["FINE"]
    finally:
        shared.close()
