"""A pipeline that answers its first inputs on NumPy and lets torch take over when more of them come.

Importing torch takes as long as a light network takes for some hundred words or more, so a few inputs never need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from nlpseq.given import Text, behind, characters_of, must_be_many, read_ahead
from nlpseq.tasks.judging import PARTS

# Characters, from the first on, that are read without torch. A light network takes about as long for so many as torch
# to be imported, so no input takes more than twice as long as it could.
LIGHT_CHARACTERS = {"tag": 10_000, "sentiment": 30_000, "translate": 2_000}


class QuickPipeline:
    """A light pipeline, and the same on torch, which is only made when it is needed."""

    def __init__(self, light: Any, on_torch: Callable[[], Any]) -> None:
        self.light, self.on_torch = light, on_torch
        self.task: str = light.task

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[Any]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of either pipeline."""
        must_be_many(inputs, batch_size)
        return self._answers(iter(inputs), batch_size)

    def _answers(self, inputs: Iterator[Text], batch_size: int | None) -> Iterator[Any]:
        spent = before = 0
        for chunk in read_ahead(inputs, batch_size):
            spent += sum(cost(item, getattr(self.light, "explain", False)) for item in chunk)
            if spent > LIGHT_CHARACTERS[self.task]:
                answers = self.on_torch().pipe(chain(chunk, inputs), batch_size=batch_size)
                yield from (behind(answer, before) for answer in answers)
                return
            yield from (behind(answer, before) for answer in self.light.pipe(chunk, batch_size=len(chunk)))
            before += len(chunk)


def cost(item: Text, explain: bool = False) -> int:
    """Characters that are read for an input; where its words are weighed, it is read once more for each."""
    length = characters_of(item)
    return length * min(1 + length // 5, PARTS) if explain else length
