"""The likeliest next words. Axes: B sequences, V units, X those that may begin a word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nlpseq.light.arrays import log_softmax, logsumexp
from nlpseq.records import Suggestion
from nlpseq.writing.completion import Grown, complete
from nlpseq.writing.memory import Array, Memory, Reader
from nlpseq.writing.prompt import Prompt
from nlpseq.writing.sampling import highest

LIKELY = 64  # units that are followed from each beginning of a word


class Row(NamedTuple):
    """One sequence of a memory."""

    memory: Memory
    place: int

    def alone(self) -> Memory:
        """The memory of that one."""
        return self.memory.of([self.place])


def suggest(reader: Reader, text: str, count: int) -> list[Suggestion]:
    """The likeliest next words, best first, with the probability of each, given that a word comes next.

    A word is begun by a unit that `begins` one, and complete where a unit of `opening` would follow: its probability is
    that of its units, one after the other, and of being complete then. Of half a word, and of a word that the model
    hardly expects, it is what this may become.
    """
    units = reader.units
    prompt = Prompt.of(units, text, reader)
    memory = prompt.read_by(reader)
    begins = sorted(prompt.may_be or units.begins(not prompt.ids))
    if not begins:  # a model of characters may have no space
        return []
    log_X = log_softmax(memory.log_BV[0, begins])
    first = list(zip(begins, log_X.tolist(), strict=True))
    opening = np.array(sorted(units.opening))

    def step(sequences: Sequence[tuple[tuple[int, ...], Row]]) -> list[tuple[Grown, Row]]:
        one, *others = (row.alone() for _, row in sequences)
        after = one.beside(others).then([ids[-1] for ids, _ in sequences])
        spelt = [prompt.word(ids) for ids, _ in sequences]
        return [
            (_grown(log_V, opening, whole=any(map(str.isalnum, word))), Row(after, row))
            for row, (log_V, word) in enumerate(zip(after.log_BV, spelt, strict=True))
        ]

    found = complete(step, first, Row(memory, 0), count)
    return [Suggestion(prompt.word(one.ids), math.exp(one.log_probability), prompt.half) for one in found]


def _grown(log_V: Array, opening: Array, *, whole: bool) -> Grown:
    """How likely a word is complete, and its likeliest continuations; without a letter or digit it is none yet."""
    log_V = log_softmax(log_V)
    complete = float(logsumexp(log_V[opening], 0)) if whole else -math.inf
    log_V[opening] = -np.inf
    best = highest(log_V, LIKELY)
    return Grown(complete, [(int(unit), float(log_V[unit])) for unit in best if log_V[unit] > -np.inf])
