"""What writing asks of a language model, whether it reads by torch (`tasks/reading.py`) or not (`light/language.py`).

Axes: B sequences, V units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np

from nlpseq.errors import NlpseqError
from nlpseq.text.units import Units

Array = np.ndarray[Any, Any]


class Memory(Protocol):
    """What was read of B sequences, and what may follow each."""

    @property
    def log_BV(self) -> Array:
        """log p (nats, float32) of each unit being next; of what is never written -inf."""

    def then(self, ids: Sequence[int]) -> Self:
        """After one more unit of each sequence."""

    def of(self, rows: Sequence[int]) -> Self:
        """Of some of the sequences, in this order."""

    def beside(self, others: Sequence[Self]) -> Self:
        """Of these sequences and those of others."""


class Reader(Protocol):
    """A language model that reads texts from the beginning of a line."""

    @property
    def config(self) -> Any:
        """Its settings, a LanguageModelConfig."""

    @property
    def units(self) -> Units:
        """What it reads and writes."""

    def read(self, ids: Sequence[int], units: Units) -> Memory:
        """After one text, given as the ids of such units; `units` are of `self.units`, or what its `meet` gave."""


def must_be_numbers(log_BV: Array) -> Array:
    """The same log-probabilities. Raises NlpseqError where they are none: states without bounds can overflow."""
    if np.isnan(log_BV).any() or not (log_BV > -np.inf).any(1).all():
        raise NlpseqError(
            "The states of the model have become too large for numbers, so it cannot say what follows this text. A "
            "shorter text may do; an irnn that does so was trained at too high a rate (training.learning_rate)."
        )
    return log_BV
