"""Words met so far, one row a word: the ids that a vector is made from, or the vector itself.

Shared by every task that reads words. Axes: R rows, U distinct words, C character positions, A affix slots, D features.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from nlpseq.batching import length_groups, pad
from nlpseq.config import EmbeddingConfig
from nlpseq.nn.eight_bit import NO_HEADS
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.fast_reader import fast_reader
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.context import ContextFeatures
from nlpseq.text.vectors import read_vectors
from nlpseq.text.word_rows import WordRows
from nlpseq.text.words import AFFIXES, WordVocabularies

CACHE_BYTES = 1 << 27  # of what is remembered of words
CACHE_WORDS = 100_000  # at most: the words themselves, and their places in a dict and a list, take room as well
CHUNK = 4096  # words whose ids are made at once
FEW = 256  # distinct words whose ids are made for one reading alone, where those of all rows are not made yet
ON_GPU = 16  # how much more is read at once there
_SETTLING = threading.RLock()  # of tables: a lock of its own could not be pickled with a table
FRESH = 256  # words whose vectors are computed at once: what is made of their characters stays in the cache


class ReadsVectors(Protocol):
    """A network whose encoder reads the vectors of words, and behind them the features of a context, if it has one."""

    embedding: WordEmbedding
    encoder: RecurrentEncoder
    context: ContextFeatures | None


def word_ids(
    words: Sequence[str], vocabularies: WordVocabularies, limit: int, *, characters: bool = True, affixes: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Form ids (U,), character ids (U, C; at most `limit` characters and two marks) and affix ids (U, A) of words.

    Without `characters` C is 0, without `affixes` A is.
    """
    forms_U = torch.tensor([vocabularies.form_id(word) for word in words])
    characters_UC = pad([vocabularies.character_ids(word, limit) if characters else [] for word in words])
    affixes_UA = torch.tensor([vocabularies.affix_ids(word) if affixes else [] for word in words], dtype=torch.int64)
    return forms_U, characters_UC, affixes_UA


def fix_given_vectors(embedding: WordEmbedding, words: WordVocabularies, config: EmbeddingConfig) -> None:
    """Lets the pre-trained vectors that a checkpoint began with stay, where its settings want it. Raises DataError
    where their file is missing.
    """
    if config.vectors and config.vectors_fixed:
        embedding.fix(read_vectors(config.vectors, limit=config.vectors_limit), words)


def grown(embedding: WordEmbedding, words: WordVocabularies, config: EmbeddingConfig,
          counts: Mapping[str, int]) -> WordVocabularies:  # fmt: skip
    """The vocabularies with what they lack of such words, for which the embedding gets vectors. Raises UsageError where
    words have no vectors that are learnt.
    """
    more = words.grown(counts, min_count=config.min_count, numbers=config.numbers)
    fresh = more.forms.symbols[len(words.forms.symbols) :]
    embedding.grow([words.form_id(form) for form in fresh], more.counts)
    return more


def words_at(names: Sequence[str], rows_BT: Tensor, lengths_B: Tensor) -> list[list[str]]:
    """The words of sentences of such rows, without padding."""
    pairs = zip(rows_BT.tolist(), lengths_B.tolist(), strict=True)
    return [[names[row] for row in rows[:length]] for rows, length in pairs]


class WordTable(WordRows):
    """Words as rows of ids. `forms_R`, `characters_RC` and `affixes_RA` (int64, R rows) are for lookup by row.

    They are made when they, or many rows, are looked at: growing them with every text would copy them as often as there
    are texts.
    """

    def __init__(self, words: WordVocabularies, word_length: int) -> None:
        super().__init__()
        self.words = words
        self.word_length = word_length
        self._forms_R = torch.zeros(1, dtype=torch.int64)
        self._characters_RC = torch.zeros(1, word_length + 2, dtype=torch.int64)
        self._characters_RC[0, 0] = 1
        self._affixes_RA = torch.zeros(1, len(AFFIXES), dtype=torch.int64)
        self._copy: tuple[Tensor, Tensor, Tensor] | None = None  # of these, where the network is on another device

    @property
    def forms_R(self) -> Tensor:
        """Form ids."""
        self._settle()
        return self._forms_R

    @property
    def characters_RC(self) -> Tensor:
        """Character ids."""
        self._settle()
        return self._characters_RC

    @property
    def affixes_RA(self) -> Tensor:
        """Affix ids."""
        self._settle()
        return self._affixes_RA

    def _settle(self) -> None:
        if len(self._affixes_RA) == len(self):  # they are appended to last
            return
        with _SETTLING:
            while len(self._affixes_RA) < len(self):
                first = len(self._affixes_RA)
                self._append(self.names[first : min(first + CHUNK, len(self))])

    def _append(self, fresh: list[str]) -> None:
        forms, characters, affixes = word_ids(fresh, self.words, self.word_length)
        characters = nn.functional.pad(characters, (0, self.word_length + 2 - characters.shape[1]))
        settled = len(self._affixes_RA)
        self._forms_R = torch.cat((self._forms_R[:settled], forms))
        self._characters_RC = torch.cat((self._characters_RC[:settled], characters))
        self._affixes_RA = torch.cat((self._affixes_RA, affixes))

    def _empty(self) -> Self:
        return type(self)(self.words, self.word_length)

    def first(self, count: int) -> Self:
        """A table of the first `count` rows alone."""
        result = super().first(count)
        result._forms_R, result._characters_RC = self.forms_R[:count], self.characters_RC[:count]
        result._affixes_RA = self.affixes_RA[:count]
        return result

    def embedded(self, embedding: WordEmbedding, rows_BT: Tensor, device: torch.device) -> Tensor:
        """Vectors (B, T, D) of rows, on the `device` of the network; each distinct word's characters are read once."""
        rows_U, word_BT = torch.unique(rows_BT.to(device), return_inverse=True)
        few = len(rows_U) <= FEW and len(self._affixes_RA) < len(self)
        forms_U, characters_UC, affixes_UA = self._ids_alone(rows_U) if few else self._ids(rows_U)
        vectors_BTD: Tensor = embedding(forms_U[word_BT], word_BT, _as_wide_as_needed(characters_UC), affixes_UA)
        return vectors_BTD

    def _ids(self, rows_U: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        forms_R, characters_RC, affixes_RA = self._on(rows_U.device)
        return forms_R[rows_U], characters_RC[rows_U], affixes_RA[rows_U]

    def _ids_alone(self, rows_U: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, made of the words: the first to be read of a large table need not wait for all others."""
        rows = rows_U.tolist()  # in order
        ids = word_ids([self.names[row] for row in rows], self.words, self.word_length)
        if rows[:1] == [0]:
            for part, padding in zip(ids, (self._forms_R, self._characters_RC, self._affixes_RA), strict=True):
                part[0] = padding[0] if part.dim() == 1 else padding[0, : part.shape[1]]
        forms_U, characters_UC, affixes_UA = (part.to(rows_U.device) for part in ids)
        return forms_U, characters_UC, affixes_UA

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """All ids, on a device. A copy elsewhere is made anew when words have been added."""
        ids = self.forms_R, self.characters_RC, self.affixes_RA
        if device.type == "cpu":
            return ids
        if self._copy is None or len(self._copy[0]) != len(ids[0]) or self._copy[0].device != device:
            self._copy = ids[0].to(device), ids[1].to(device), ids[2].to(device)
        return self._copy

    def read(self, network: ReadsVectors, rows_BT: Tensor, lengths_B: Tensor, device: torch.device) -> Tensor:
        """What enters the network's encoder: vectors of rows, and behind them the features of its context, if any."""
        vectors_BTD = self.embedded(network.embedding, rows_BT, device)
        if network.context is None:
            return vectors_BTD
        return network.context.beside(vectors_BTD, words_at(self.names, rows_BT, lengths_B))

    def characters_of(self, rows_U: Tensor) -> Tensor:
        """Character ids (U, C) of some rows, as wide as the longest of them needs."""
        return _as_wide_as_needed(self.characters_RC[rows_U])


def _as_wide_as_needed(characters_UC: Tensor) -> Tensor:
    return characters_UC[:, : max(1, int((characters_UC != 0).sum(1).max()))]


class Met(NamedTuple):
    """Words of sentences as rows of what is remembered (R, D), and the word of each row; there may be more rows than
    names. The rows stay as they are, whatever is met later.
    """

    rows: list[list[int]]
    remembered_RD: Tensor
    names: Sequence[str]


class VectorCache:
    """What is remembered of the words met in prediction, so that a word is looked at once, and the encoder of them.

    With `heads`, linear layers that read the encoder, there are scores of theirs, too.

    It is a vector, or, where the encoder is read in eight bits, what the vector gives to the gates of its first layer;
    it lies on `device`, which is that of the network (an embedding of one-hot vectors has no weights that would tell).
    With a `context` nothing is read in fewer bits, since its features are not of a word alone; they are not remembered.
    All is forgotten when it gets too much: when there are more than `limit` words. Valid as long as the weights stay as
    they are. Threads may share it; a copy of it, pickled or not, begins with nothing.
    """

    def __init__(
        self,
        embedding: WordEmbedding,
        encoder: RecurrentEncoder,
        words: WordVocabularies,
        word_length: int,
        device: torch.device,
        context: ContextFeatures | None = None,
        heads: Mapping[str, nn.Linear] = NO_HEADS,
    ) -> None:
        self.embedding, self.encoder, self.words = embedding, encoder, words
        self.word_length, self.device, self.context, self.heads = word_length, device, context, heads
        self.fast = fast_reader(encoder, heads) if context is None else None
        width, kind = (
            (self.fast.entered_width, self.fast.kind) if self.fast else (embedding.width, torch.get_default_dtype())
        )
        self.limit = max(1, min(CACHE_BYTES // (kind.itemsize * width), CACHE_WORDS))
        self._symbols_WSF: Tensor | None = None
        self._remembered_RD = torch.empty(0, width, dtype=kind, device=self.device)
        self._rows: dict[str, int] = {}
        self._names: list[str] = []
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """How to make one that has met no word yet."""
        given = self.embedding, self.encoder, self.words, self.word_length, self.device, self.context, self.heads
        return VectorCache, given

    @torch.inference_mode()
    def meet(self, sentences: Sequence[Sequence[str]]) -> Met:
        """The row of each word of each sentence; words not met before are computed first."""
        with self._lock:
            fresh = self._fresh(sentences)
            if self._rows and len(self._rows) + len(fresh) > self.limit:
                self._rows, self._names, self._remembered_RD = {}, [], self._remembered_RD[:0].clone()
                fresh = self._fresh(sentences)
            self._make_room(len(self._rows) + len(fresh))
            fresh.sort(key=len)  # words are padded to the longest that is read with them
            for start in range(0, len(fresh), FRESH):
                self._add(fresh[start : start + FRESH])
            known = self._rows
            rows = [[known[word] for word in sentence] for sentence in sentences]
            return Met(rows, self._remembered_RD, self._names)

    def groups(self, lengths: Sequence[int], budget: int, in_few_bits: int) -> list[list[int]]:
        """Indices of what is read at once, as of `length_groups`; there are budgets for float32, of which a GPU takes
        many times as much, and for numbers of fewer bits.
        """
        if self.fast:
            return length_groups(lengths, in_few_bits, self.fast.STEP_ROWS)
        return length_groups(lengths, budget if self.device.type == "cpu" else ON_GPU * budget)

    @torch.inference_mode()
    def states(self, met: Met, rows_BT: Tensor, lengths_B: Tensor, *, fine: bool = True) -> Tensor:
        """The encoder's states (B, T, H) of sentences of such rows; `lengths_B` (at least 1) lie on `device`.

        They are float32, or, unless they are to be `fine`, what they were read in.
        """
        if self.fast:
            states_BTH = self.fast.read(met.remembered_RD, rows_BT, lengths_B)
            return states_BTH.float() if fine else states_BTH
        vectors_BTD = met.remembered_RD[rows_BT.to(self.device)]
        if self.context is not None:
            vectors_BTD = self.context.beside(vectors_BTD, words_at(met.names, rows_BT, lengths_B))
        read_BTH: Tensor = self.encoder(vectors_BTD, lengths_B)
        return read_BTH

    @torch.inference_mode()
    def scores(self, met: Met, rows_BT: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """What the heads make of the state of each position, (B, T, K) by name; at padded ones it may be anything."""
        if self.fast:
            return self.fast.scores(met.remembered_RD, rows_BT, lengths_B)
        states_BTH = self.states(met, rows_BT, lengths_B)
        return {name: head(states_BTH) for name, head in self.heads.items()}

    def _fresh(self, sentences: Sequence[Sequence[str]]) -> list[str]:
        known = self._rows
        return list({word: None for sentence in sentences for word in sentence if word not in known})

    def _make_room(self, count: int) -> None:
        """For so many rows, and for more words later: growing copies what is there, which threads may be reading."""
        if count > len(self._remembered_RD):
            used, width = len(self._rows), self._remembered_RD.shape[1]
            room = self.limit if self.device.type == "cpu" else min(2 * used, self.limit)  # a CPU's is taken by writing
            grown_RD = self._remembered_RD.new_empty(max(count, room), width)
            grown_RD[:used] = self._remembered_RD[:used]
            self._remembered_RD = grown_RD

    def _add(self, words: Sequence[str]) -> None:
        characters, affixes = self.embedding.characters is not None, self.embedding.affixes is not None
        ids = word_ids(words, self.words, self.word_length, characters=characters, affixes=affixes)
        first = len(self._rows)
        if self._symbols_WSF is None:
            self._symbols_WSF = self.embedding.of_symbols()
        forms_U, characters_UC, affixes_UA = (part.to(self.device) for part in ids)
        vectors_UD = self.embedding.of_words(forms_U, characters_UC, affixes_UA, self._symbols_WSF)
        own_UD = self.fast.entered(vectors_UD) if self.fast else vectors_UD
        self._remembered_RD[first : first + len(words)] = own_UD
        self._names[first:] = words  # first: should it end here, no row is without a name
        self._rows.update(zip(words, range(first, first + len(words)), strict=True))
