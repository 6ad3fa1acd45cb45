"""Which of two pipelines answers which inputs: with pipelines that only say who they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from nlpseq.errors import UsageError
from nlpseq.given import FIRST_READ, read_ahead
from nlpseq.quick import LIGHT_CHARACTERS, QuickPipeline, cost
from nlpseq.records import Failure, TokenizedText

MOST = LIGHT_CHARACTERS["tag"]


class Named:
    """A pipeline that answers with its name, and reads ahead as the real ones do."""

    task = "tag"

    def __init__(self, name: str) -> None:
        self.name = name

    def pipe(self, inputs: Iterable[Any], *, batch_size: int | None = None) -> Iterator[tuple[str, Any]]:
        for chunk in read_ahead(inputs, batch_size):
            yield from ((self.name, item) for item in chunk)


def quick(made: list[Named] | None = None) -> QuickPipeline:
    def on_torch() -> Named:
        (made if made is not None else []).append(Named("torch"))
        return Named("torch")

    return QuickPipeline(Named("light"), on_torch)


@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_a_few_inputs_never_need_torch(batch_size: int | None) -> None:
    made: list[Named] = []
    texts = ["x" * (MOST // 50)] * 50
    assert list(quick(made).pipe(texts, batch_size=batch_size)) == [("light", text) for text in texts]
    assert made == []


@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_many_inputs_are_all_answered_once_and_in_order(batch_size: int | None) -> None:
    made: list[Named] = []
    texts = [f"{n}".rjust(400) for n in range(500)]
    found = list(quick(made).pipe(texts, batch_size=batch_size))
    assert [text for _, text in found] == texts
    names = [name for name, _ in found]
    light = names.index("torch")
    assert names == ["light"] * light + ["torch"] * (500 - light)
    assert 0 < light <= MOST / 400
    assert len(made) == 1


def test_one_giant_input_is_for_torch() -> None:
    assert [name for name, _ in quick().pipe(["x" * (MOST + 1), "y"])] == ["torch", "torch"]


def test_no_more_is_read_ahead_than_by_a_pipeline_itself() -> None:
    read: list[int] = []

    def texts() -> Iterator[str]:
        for n in range(10_000):
            read.append(n)
            yield "x" * 100

    for answered, _ in enumerate(quick().pipe(texts())):
        assert len(read) <= max(4 * (answered + FIRST_READ), answered + 1025)
        if answered > 3000:
            break


class Failing(Named):
    """One that can read nothing."""

    def pipe(self, inputs: Iterable[Any], *, batch_size: int | None = None) -> Iterator[Any]:
        del batch_size
        return (Failure(self.name, number) for number, _ in enumerate(inputs, 1))


def test_what_is_no_text_is_told_with_its_number() -> None:
    both = QuickPipeline(Failing("light"), lambda: Failing("torch"))
    found = list(both.pipe([None, 3, "a", *["x" * 400] * 60]))
    assert [one.line for one in found] == list(range(1, 64))
    assert {one.error for one in found} == {"light", "torch"}


def test_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(TypeError, match="many texts"):
        quick().pipe("one text")
    with pytest.raises(UsageError, match="batch_size"):
        quick().pipe(["a"], batch_size=0)


def test_no_input_is_no_answer() -> None:
    assert list(quick().pipe([])) == []


def test_what_an_input_costs() -> None:
    assert cost("four") == cost(TokenizedText("four", ("four",), (0,))) == 4
    assert cost(["two", "words"]) == 10
    assert cost("ten chars.", explain=True) == 30  # read whole, and without each of about two words
    assert cost("x" * 10_000, explain=True) == 2_000_000  # no more than 200 stretches are weighed
