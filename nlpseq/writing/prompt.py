"""A text that is to be continued, as a language model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nlpseq.text.units import Units
from nlpseq.writing.memory import Array, Memory, Reader

WHOLE = 0.5  # a word is whole where what begins after it has more probability than this
RARE = 0.05  # one is half of another where its own probability is less than this part of that of all that begin so


class Prompt(NamedTuple):
    """A text to be continued, its ids, what they spell, which need not be the very text, and the units they are of.

    Where it ends in `half` a word that is to be completed at once, the ids stop before that, and the first unit is of
    those that the word `may_be`.
    """

    text: str
    ids: list[int]
    spelt: str
    units: Units
    half: str = ""
    may_be: frozenset[int] = frozenset()

    @classmethod
    def of(cls, units: Units, text: str, reader: Reader | None = None) -> Prompt:
        """The prompt as it is read; white space at its end is not, since it begins the next word.

        A last word that could be half of others, as "t" or "go", is whole, unless there is a reader who hardly expects
        it to be.
        """
        units = units.meet([text])
        before, half, may_be, own = units.begun(text)
        ids = units.ids(before.rstrip())
        if own is not None and (reader is None or not _rare(reader.read(ids, units), own, may_be)):
            half, ids = "", units.ids(text.rstrip())
        if not half:
            return cls(text, ids, units.text(ids), units)
        one = min(may_be)
        whole, word = units.text([*ids, one]), units.text([one])
        return cls(text, ids, whole[: -len(word)] + half, units, half, may_be)

    def read_by(self, reader: Reader, more: Sequence[int] = ()) -> Memory:
        """What a model remembers of it, and of more units behind it."""
        return reader.read([*self.ids, *more], self.units)

    def continued(self, ids: Sequence[int]) -> str:
        """What ids behind the prompt add to its text; a space that the prompt ends in is not there twice."""
        added = self.units.text([*self.ids, *ids])[len(self.spelt) :]
        return added.lstrip(" ") if self.text[-1:].isspace() or not self.text else added

    def word(self, ids: Sequence[int]) -> str:
        """The word that ids behind the prompt make, with the half of it that stands there."""
        return self.half + self.continued(ids).strip()

    def allowed(self, log_V: Array) -> frozenset[int] | None:
        """The units that may come next, where not all may: the last word cannot go on where it is whole, so that
        "Paris" does not become "Parish".

        It is whole where white space stands behind it, or where, after a letter, the model expects that more than not.
        """
        if self.may_be:
            return self.may_be
        closed = self.text[-1:].isspace()
        if not self.ids or not (closed or self.text[-1:].isalpha()):
            return None
        if closed:
            return self.units.begins(False) | {self.units.end}
        opening = self.units.opening
        return opening if float(np.exp(log_V[sorted(opening)]).sum()) > WHOLE else None


def _rare(memory: Memory, unit: int, others: frozenset[int]) -> bool:
    """Whether a unit hardly comes next, of those that might."""
    among_X = np.exp(memory.log_BV[0, sorted(others)])
    return bool(np.exp(memory.log_BV[0, unit]) < RARE * among_X.sum())
