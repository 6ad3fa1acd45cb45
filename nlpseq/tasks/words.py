"""Words met so far, each with the ids that its vector is made from; one row a word. Shared by every task that reads words."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from nlpseq.batching import pad
from nlpseq.text.words import AFFIXES, WordVocabularies


class WordTable:
    """Rows of ids for distinct words, appended as words are met.

    `forms_R`, `characters_RC` and `affixes_RA` (int64, R rows) are for lookup by row; row 0 is padding.
    """

    def __init__(self, words: WordVocabularies, word_length: int) -> None:
        self.words = words
        self.word_length = word_length
        self.rows: dict[str, int] = {}
        self.forms_R = torch.zeros(1, dtype=torch.int64)
        self.characters_RC = torch.zeros(1, word_length + 2, dtype=torch.int64)
        self.characters_RC[0, 0] = 1
        self.affixes_RA = torch.zeros(1, len(AFFIXES), dtype=torch.int64)

    def __len__(self) -> int:
        """Number of rows, the padding row included."""
        return len(self.rows) + 1

    def add(self, words: Iterable[str]) -> None:
        """Appends a row for each word that has none."""
        fresh = [word for word in dict.fromkeys(words) if word not in self.rows]
        if not fresh:
            return
        for word in fresh:
            self.rows[word] = len(self.rows) + 1
        forms = torch.tensor([self.words.form_id(word) for word in fresh])
        characters = pad([self.words.character_ids(word, self.word_length) for word in fresh])
        characters = torch.nn.functional.pad(characters, (0, self.word_length + 2 - characters.shape[1]))
        affixes = torch.tensor([self.words.affix_ids(word) for word in fresh])
        self.forms_R = torch.cat((self.forms_R, forms))
        self.characters_RC = torch.cat((self.characters_RC, characters))
        self.affixes_RA = torch.cat((self.affixes_RA, affixes))

    def characters_of(self, rows_U: Tensor) -> Tensor:
        """Character ids (U, C) of some rows, as wide as the longest of them needs."""
        characters_UC = self.characters_RC[rows_U]
        return characters_UC[:, : max(1, int((characters_UC != 0).sum(1).max()))]
