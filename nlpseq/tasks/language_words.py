"""Words as the units of a language model on torch, which makes tensors of the ids that their vectors are made from."""

from __future__ import annotations

from nlpseq.tasks.words import WordTable
from nlpseq.text.word_units import WordUnits


class Words(WordUnits[WordTable]):
    """Words, each a row of a `WordTable`."""

    def _no_rows(self) -> WordTable:
        return WordTable(self.words, self.word_length)
