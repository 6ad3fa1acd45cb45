"""How well a language model foretells a text, and which lines surprise it most."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import NamedTuple

from nlpseq.tasks.language_model import LanguageModel


class LanguageReport(NamedTuple):
    """Scores of the whole text, read on from line to line, and of lines by themselves.

    `scores` are those of `LanguageModel.score`. `accuracy` is the part (per cent) of the units, each line's end among
    them, that were thought likeliest, each line read by itself; `unknown` the part that the model cannot write.
    `surprising` are the bits per character of the lines that it foretold worst, and those lines, worst first.
    """

    lines: int
    units: int
    characters: int
    scores: dict[str, float]
    accuracy: float
    unknown: float
    surprising: list[tuple[float, str]]


def report(model: LanguageModel, lines: Sequence[str], *, worst: int = 3) -> LanguageReport:
    """Scores lines of text, in their order. Raises DataError where there are none."""
    scores = model.score(lines)
    read = model.foretell(lines)
    items = [model.targets(line) for line in lines]
    right = sum(
        got == unit
        for one, wanted in zip(read, items, strict=True)
        for got, unit in zip(one.likeliest, wanted, strict=True)
    )
    units = sum(map(len, items))
    unknown = sum(unit in model.units.silent for wanted in items for unit in wanted)
    bits = (
        (-sum(one.log_probabilities) / math.log(2) / (len(line) + 1), line)
        for one, line in zip(read, lines, strict=True)
    )
    return LanguageReport(
        lines=len(lines),
        units=units,
        characters=sum(len(line) + 1 for line in lines),
        scores=scores,
        accuracy=100 * right / units,
        unknown=100 * unknown / units,
        surprising=heapq.nlargest(worst, bits),
    )
