"""The pipeline for opinions, as users hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import nlpseq
from nlpseq.api import SentimentPipeline
from nlpseq.records import Failure, SentimentPrediction
from tests.classifiers import pipeline, trained, write_checkpoint
from tests.opinions import opinions


def test_a_folder_is_loaded_as_what_it_is(tmp_path: Path) -> None:
    judge = nlpseq.load(write_checkpoint(tmp_path / "it", trained()))
    assert isinstance(judge, SentimentPipeline)
    assert judge("the meal was not bad .").label == "positive"


def test_answers_come_in_order_and_the_same_as_alone() -> None:
    judge = pipeline(trained())
    texts = [e.text * (1 + 3 * (n % 2)) for n, e in enumerate(opinions(60, 4))]
    found = list(judge.pipe(texts))
    assert [one.text for one in found if isinstance(one, SentimentPrediction)] == texts
    for text, one in zip(texts, found, strict=True):
        alone = judge(text)
        assert isinstance(one, SentimentPrediction)
        assert (one.label, one.stars) == (alone.label, alone.stars)
        assert one.scores == pytest.approx(alone.scores, abs=1e-5)  # float32 in another order of sums
        assert sum(one.scores.values()) == pytest.approx(1, abs=1e-5)
        assert one.score == max(one.scores.values()) == one.scores[one.label]


@pytest.mark.parametrize("size", [1, 3])
def test_no_more_is_read_ahead_than_asked(size: int) -> None:
    taken = 0

    def inputs() -> Iterator[str]:
        nonlocal taken
        for text in ("a good film", "a bad one") * 4:
            taken += 1
            yield text

    for given, _ in enumerate(pipeline().pipe(inputs(), batch_size=size), 1):
        assert taken - given < size


def test_what_is_no_text_fails_in_its_place() -> None:
    found = list(pipeline().pipe(["good", 7, ["so", ""], ["so", "good"], b"x"]))  # type: ignore[list-item]
    assert [type(one) for one in found] == [SentimentPrediction, Failure, Failure, SentimentPrediction, Failure]
    assert [one.line for one in found if isinstance(one, Failure)] == [2, 3, 5]
    with pytest.raises(ValueError, match="Expected a text"):
        pipeline()(7)  # type: ignore[arg-type]


def test_given_words_are_judged_as_they_are() -> None:
    judge = pipeline().explaining()
    found = judge(["isn't", "good"])
    assert found.text == "isn't good"
    assert [c.text for c in found.contributions or ()] == ["isn't", "good"]
    assert [c.text for c in judge("isn't good").contributions or ()] == ["is", "n't", "good"]
