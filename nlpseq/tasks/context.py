"""What a language model of pieces or characters makes of words in their sentence, as features beside their vectors.

These are contextual string embeddings (Akbik, Blythe & Vollgraf 2018, section 2.2): a sentence is read as a line of
text, its words joined by spaces. A word has the state in which the reading left its last unit, and, where a second
model reads backwards, that in which the reading from the end left its first. The language model is a copy that stays as
it is; what is learnt is a layer that makes few features of its states.

Axes: B sentences, T words, D features of a word's vector, N positions of what is read (an end, then units), H state
features of all directions together, W of one, F features that are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec
import torch
from torch import Tensor, nn

from nlpseq.batching import pad
from nlpseq.nn.stack import RecurrentStack
from nlpseq.tasks.context_config import CONTEXT, ContextShape
from nlpseq.tasks.language_network import UnitEmbedding
from nlpseq.text.pieces import Pieces
from nlpseq.text.units import RESERVED, Characters, PieceUnits, Units
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import two_ends

FEATURES = 128  # of a word: the encoder stays as small as it is quick, however wide the language model is
WORD_CHARACTERS = 64  # of a word that are read: its two ends, where it is longer
REMEMBERED = 100_000  # words whose units are kept in mind


class ContextFeatures(nn.Module):
    """F features of each word of a sentence, tanh(W s + b) of the states s of a language model; `width` is F.

    Only W and b are learnt. The rest has no gradients and, whatever the network around it does, no dropout.
    """

    def __init__(self, shape: ContextShape, units: Units) -> None:
        super().__init__()
        self.shape, self.units, self.width = shape, units, FEATURES
        self.embedding = UnitEmbedding(len(units), shape.width, hidden=0.0)
        self.forwards = RecurrentStack(shape.cell, shape.width, shape.layers)
        self.backwards = RecurrentStack(shape.cell, shape.width, shape.layers) if shape.backwards else None
        self.requires_grad_(False)
        self.projection = nn.Linear(shape.layers[-1] * (2 if shape.backwards else 1), FEATURES)
        self._gap = units.ids(" ")  # between two words; none where pieces have the space before them
        self._known: dict[str, list[int]] = {}
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Changes nothing: a language model that is only read is always in evaluation."""
        del mode
        return super().train(False)

    def beside(self, vectors_BTD: Tensor, sentences: Sequence[Sequence[str]]) -> Tensor:
        """The vectors of the words of sentences with their features behind them (B, T, D + F)."""
        features_BTF: Tensor = self(sentences)
        return torch.cat((vectors_BTD, features_BTF), dim=2)

    def forward(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        """Features (B, T, F) of the words of sentences; what stands at padded positions is undefined."""
        return torch.tanh(self.projection(self.states(sentences)))

    @torch.no_grad()
    def states(self, sentences: Sequence[Sequence[str]]) -> Tensor:
        """The states (B, T, H) of the last layers; a word without units has those that its neighbours were read to."""
        lines = [_line([self._ids(word) for word in words], self._gap) for words in sentences]
        found = [self._read(self.forwards, [line.ids for line in lines], [line.ends for line in lines])]
        if self.backwards is not None:
            back = [line.ids[::-1] for line in lines], [line.begins for line in lines]
            found.append(self._read(self.backwards, *back))
        return torch.cat(found, dim=2)

    def _read(self, stack: RecurrentStack, rows: Sequence[list[int]], places: Sequence[list[int]]) -> Tensor:
        """The states (B, T, W) that one direction has when it has read so many units of each row, as in its training
        an end before the first.
        """
        device = self.projection.weight.device
        ids_BN, places_BT = pad([[self.units.end, *row] for row in rows]), pad(places)
        states_BNW: Tensor = stack(self.embedding(ids_BN.to(device)))[0]
        return states_BNW.gather(1, places_BT.to(device).unsqueeze(2).expand(-1, -1, states_BNW.shape[2]))

    def _ids(self, word: str) -> list[int]:
        """The units of a word, which is cut once. Threads may share what is remembered."""
        ids = self._known.get(word)
        if ids is None:
            if len(self._known) >= REMEMBERED:
                self._known = {}
            ids = self._known[word] = self.units.ids(two_ends(word, WORD_CHARACTERS))
        return ids

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """The shape and the units, by file name below the checkpoint's `text/`; the weights are the network's."""
        units = {f"{CONTEXT}_{name}": value for name, value in self.units.to_plain().items()}
        return {CONTEXT: msgspec.to_builtins(self.shape), **units}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self | None:
        """The inverse of `to_plain`, with fresh weights; None where there is no language model among the plain values.

        Raises ValueError and the like for what is none.
        """
        if CONTEXT not in plain:
            return None
        shape = msgspec.convert(plain[CONTEXT], ContextShape)
        if shape.unit == "pieces":
            return cls(shape, PieceUnits(Pieces(plain[f"{CONTEXT}_pieces"])))
        return cls(shape, Characters(Vocabulary(plain[f"{CONTEXT}_units"], reserved=RESERVED)))


class _Line(NamedTuple):
    """The units of a sentence, and how many of them have been read where each word ends, and from the end, where each
    begins.
    """

    ids: list[int]
    ends: list[int]
    begins: list[int]


def _line(words: Sequence[list[int]], gap: list[int]) -> _Line:
    """Words, as units, in a row, with `gap` between them."""
    ids: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    for number, word in enumerate(words):
        ids += gap if number else []
        starts.append(len(ids))
        ids += word
        ends.append(len(ids))
    return _Line(ids, ends, [len(ids) - start for start in starts])
