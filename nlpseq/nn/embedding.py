"""Words into vectors: the word itself, its characters, its affixes and shape.

Axes: B sentences, T positions, U distinct words, C character positions, A affix slots, D features; S symbols that give
to F features from W places, see `characters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpseq.config import EmbeddingConfig
from nlpseq.errors import UsageError
from nlpseq.nn.characters import CharacterCNN, CharacterLSTM
from nlpseq.text.vocab import UNKNOWN
from nlpseq.text.words import WordVocabularies, normal_form


class WordEmbedding(nn.Module):
    """Joins a vector of the word's form with what its characters and affixes say; `width` is D.

    Forms are looked up for each position, since word dropout hides them there; the rest depends on the word alone and
    is computed once for each distinct word.
    """

    def __init__(self, config: EmbeddingConfig, words: WordVocabularies) -> None:
        super().__init__()
        self.forms = _form_embedding(config, len(words.forms))
        kinds = {"cnn": CharacterCNN, "lstm": CharacterLSTM}
        self.characters = (
            kinds[config.characters](len(words.characters), config.character_width, config.character_features)
            if config.characters != "none"
            else None
        )
        self.affixes = (
            nn.Embedding(len(words.affixes), config.affix_width, padding_idx=0) if config.affix_width else None
        )
        for table in (self.forms, self.affixes):
            if isinstance(table, nn.Embedding):
                table.eight_bit = config.eight_bit  # type: ignore[assignment]  # on disk: see nn/tables.py
        self.counts, self.word_dropout = words.counts, config.word_dropout
        self.width = (
            (self.forms.embedding_dim if self.forms is not None else 0)
            + (config.character_features // 2 * 2 if config.characters == "lstm" else 0)
            + (config.character_features if config.characters == "cnn" else 0)
            + config.affix_width
        )
        if not self.width:
            raise UsageError("embedding: words, characters and affix_width are all off, so nothing of a word is left.")
        if self.affixes is not None:
            nn.init.normal_(self.affixes.weight, std=0.3)
            with torch.no_grad():
                self.affixes.weight[0].zero_()

    def forward(self, forms_BT: Tensor, word_BT: Tensor, characters_UC: Tensor, affixes_UA: Tensor) -> Tensor:
        """Vectors (B, T, D). `word_BT` says which of the U distinct words stands at each position."""
        parts = [part_UD[word_BT] for part_UD in self._seen(characters_UC, affixes_UA)]
        if self.forms is not None:
            parts.insert(0, self.forms(self._hidden(forms_BT)))
        return torch.cat(parts, dim=2)

    def of_words(
        self, forms_U: Tensor, characters_UC: Tensor, affixes_UA: Tensor, symbols_WSF: Tensor | None = None
    ) -> Tensor:
        """Vectors (U, D) of words wherever they stand, without dropout: what may be remembered between sentences.

        `symbols_WSF` is what `of_symbols` gave, where that is asked for once for many calls.
        """
        parts = self._seen(characters_UC, affixes_UA, symbols_WSF)
        if self.forms is not None:
            parts.insert(0, self.forms(forms_U))
        return torch.cat(parts, dim=1)

    def of_symbols(self) -> Tensor | None:
        """What a character CNN gets from each symbol; None without one. Valid as long as its weights stay."""
        return self.characters.given() if isinstance(self.characters, CharacterCNN) else None

    @torch.no_grad()
    def start_from(self, vectors: Mapping[str, Any], words: WordVocabularies, *, fixed: bool = False) -> None:
        """Puts pre-trained vectors, by form, in the place of random ones; they are learnt further unless `fixed`.

        Raises UsageError for another width.
        """
        if not isinstance(self.forms, nn.Embedding) or not vectors:
            return
        width = len(next(iter(vectors.values())))
        if width != self.forms.embedding_dim:
            raise UsageError(
                f"embedding.width is {self.forms.embedding_dim}, and the vectors have {width} dimensions: "
                f"set embedding.width={width}."
            )
        scale = 0.3 / max(float(np.std(np.stack(list(vectors.values())))), 1e-6)
        for index, form in enumerate(words.forms.symbols, start=words.forms.reserved):
            vector = vectors.get(form, vectors.get(normal_form(form)))
            if vector is not None:
                self.forms.weight[index] = torch.from_numpy(vector * scale)
        if fixed:
            self.fix(vectors, words)

    @torch.no_grad()
    def grow(self, like: Sequence[int], counts: list[int]) -> None:
        """Appends a vector for each of further forms, which begins as that of the form whose id `like` names; `counts`
        are of all forms then.

        Raises UsageError where forms have no vectors that are learnt.
        """
        if not isinstance(self.forms, nn.Embedding):
            raise UsageError("embedding.grow: words have no vectors that are learnt (embedding.words). Leave it out.")
        old = self.forms
        rows_V = torch.tensor([*range(old.num_embeddings), *like])
        self.forms = nn.Embedding(len(rows_V), old.embedding_dim, padding_idx=0, device=old.weight.device)
        self.forms.weight.copy_(old.weight[rows_V])
        self.forms.eight_bit = old.eight_bit
        self.counts = counts
        self.__dict__.pop("_hide_V", None)

    def fix(self, forms: Iterable[str], words: WordVocabularies) -> None:
        """Lets the vectors of these forms stay as they are in training."""
        if not isinstance(self.forms, nn.Embedding):
            return
        fixed_V1 = torch.zeros(len(self.forms.weight), 1, dtype=torch.bool)
        fixed_V1[[words.forms.id(form) for form in forms if form in words.forms]] = True
        self.forms.weight.register_hook(  # type: ignore[no-untyped-call]
            lambda grad_VD: grad_VD.masked_fill(fixed_V1.to(grad_VD.device), 0.0)
        )

    def _seen(self, characters_UC: Tensor, affixes_UA: Tensor, symbols_WSF: Tensor | None = None) -> list[Tensor]:
        """What can be seen of the words themselves: features of their characters (U, F) and of their affixes."""
        parts: list[Tensor] = []
        if self.characters is not None:
            known = () if symbols_WSF is None else (symbols_WSF,)
            parts.append(self.characters(characters_UC, *known))
        if self.affixes is not None:
            parts.append(self.affixes(affixes_UA).sum(1))
        return parts

    def _hidden(self, forms_BT: Tensor) -> Tensor:
        """Forms with rare ones replaced by UNKNOWN, with probability a / (a + count) (Kiperwasser & Goldberg 2016)."""
        if not self.training:
            return forms_BT
        hide_BT = torch.rand(forms_BT.shape, device=forms_BT.device) < self._hide_V.to(forms_BT.device)[forms_BT]
        return forms_BT.masked_fill(hide_BT, UNKNOWN)

    @cached_property
    def _hide_V(self) -> Tensor:
        counts_V = torch.tensor(self.counts, dtype=torch.float32)
        hide_V = self.word_dropout / (self.word_dropout + counts_V).clamp(min=1e-9)
        return torch.where(counts_V > 0, hide_V, 0.0)


class OneHot(nn.Module):
    """Words as unit vectors, one dimension a word; nothing is learnt or stored."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embedding_dim = size

    def forward(self, ids: Tensor) -> Tensor:
        """(...) int64 -> (..., V) float32."""
        return nn.functional.one_hot(ids, self.embedding_dim).float()


def _form_embedding(config: EmbeddingConfig, size: int) -> nn.Embedding | OneHot | None:
    if config.words == "none":
        return None
    if config.words == "one_hot":
        return OneHot(size)
    embedding = nn.Embedding(size, config.width, padding_idx=0)
    nn.init.normal_(embedding.weight, std=0.3)
    with torch.no_grad():
        embedding.weight[0].zero_()
    return embedding
