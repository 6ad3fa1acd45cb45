"""A translator on NumPy: the twin of `tasks/translation.py` and `tasks/translation_network.py`, one sentence at a time.

Axes: S source and T target positions, Q hypotheses, D features of a piece, V target pieces, E features of the ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np

from nlpseq.config import SearchConfig
from nlpseq.light.arrays import Array, log_softmax
from nlpseq.light.decoder import Decoder, DecoderState, Memory
from nlpseq.light.recurrent import RecurrentEncoder
from nlpseq.light.search import beam_search
from nlpseq.light.weights import Weights
from nlpseq.records import Attention
from nlpseq.tasks.translation_answers import LONGER, Translated, answered
from nlpseq.tasks.translation_config import TranslationConfig
from nlpseq.tasks.translation_pieces import PiecePair
from nlpseq.tasks.translation_words import KnownWords
from nlpseq.text.hypothesis import Hypothesis
from nlpseq.text.pieces import BEGIN, END, PIECE_PADDING, PIECE_UNKNOWN


class Growing(NamedTuple):
    """What a search remembers: the decoder's state of each hypothesis, and the memory of the sentence."""

    decoder: DecoderState
    memory: Memory

    def of(self, rows: Sequence[int]) -> Growing:
        """The memory of these hypotheses."""
        return Growing(self.decoder.of(rows), self.memory)


class TranslationNetwork:
    """Piece vectors, an encoder, a decoder and an output layer."""

    def __init__(self, weights: Weights, config: TranslationConfig, pieces: PiecePair) -> None:
        width, sizes = config.vectors.width, (len(pieces.source), len(pieces.target))
        tables = sizes[1:] if pieces.joint and config.vectors.tied == "all" else sizes
        self.vectors = [weights.matrix(f"vectors.{n}.weight", size, width) for n, size in enumerate(tables)]
        self.encoder = RecurrentEncoder(weights, "encoder", config.encoder, width)
        memory, cell = self.encoder.output_width, config.decoder.cell or config.encoder.cell
        ends = memory * config.encoder.layers
        self.decoder = Decoder(weights, "decoder", config.decoder, cell, width, memory, ends)
        tied = config.vectors.tied != "none"
        self.output_VD = self.vectors[-1] if tied else weights.matrix("output.weight", sizes[1], width)
        self.output_bias_V = weights.matrix("output_bias", sizes[1])

    def read(self, source: Sequence[int]) -> Growing:
        """A source, in the order in which it is read, and where the search begins."""
        vectors_1SD, lengths_1 = self.vectors[0][[*source]][None], np.array([len(source)])
        states_1SH, ends_1E = self.encoder.with_ends(vectors_1SD, lengths_1)
        return Growing(self.decoder.start(ends_1E), self.decoder.memory(states_1SH[0]))

    def step(self, last: Sequence[int], state: Growing) -> tuple[Array, Growing]:
        """The step function of a search: log-probabilities (Q, V) of the next pieces, and the state after them."""
        read_QD, decoder, _ = self.decoder.step(self.vectors[-1][[*last]], state.decoder, state.memory)
        return log_softmax(read_QD @ self.output_VD.T + self.output_bias_V), Growing(decoder, state.memory)

    def attention(self, pieces: Sequence[int], state: Growing) -> list[Array]:
        """Where the decoder looked (S) before each of these pieces, which it is taught; nowhere without attention."""
        decoder, looks = state.decoder, list[Array]()
        for piece in (BEGIN, *pieces[:-1]):
            _, decoder, weights_1S = self.decoder.step(self.vectors[-1][[piece]], decoder, state.memory)
            looks += [] if weights_1S is None else [weights_1S[0]]
        return looks


class LightTranslator:
    """A translator: its settings, its pieces and its network."""

    config_type: ClassVar[Any] = TranslationConfig

    def __init__(self, weights: Weights, config: TranslationConfig, pieces: PiecePair, words: KnownWords) -> None:
        self.config, self.pieces, self.words = config, pieces, words
        self.network = TranslationNetwork(weights, config, self.pieces)

    @staticmethod
    def read_plain(config: TranslationConfig, plain: Mapping[str, Any]) -> tuple[PiecePair, KnownWords]:
        """The pieces and the words of a checkpoint."""
        del config
        return PiecePair.from_plain(plain), KnownWords.from_plain(plain)

    def translate(
        self,
        sentences: Sequence[str],
        search: SearchConfig | None = None,
        *,
        alternatives: int = 1,
        attention: bool = False,
    ) -> list[Translated]:
        """Translations of single sentences, in their order; as by `tasks.translation.Translator.translate`."""
        search = search or self.config.search
        if search.beam_size < alternatives:
            search = msgspec.structs.replace(search, beam_size=alternatives)
        return [self._translated(sentence, search, alternatives, attention) for sentence in sentences]

    def fits(self, text: str) -> bool:
        """Whether a source is read to its end."""
        return self.pieces.fits(text, self.config.source.limit)

    def _translated(self, sentence: str, search: SearchConfig, alternatives: int, attention: bool) -> Translated:
        row = self.pieces.ids(self.pieces.source, sentence)[: self.config.source.limit]
        if row == [END]:
            return answered(self.pieces.target.text, row, [], None, alternatives)
        growing = self.network.read(row[::-1] if self.config.source.reverse else row)
        cap = int(np.float32(len(row)) * np.float32(search.length_cap)) + LONGER
        found = beam_search(
            self.network.step,
            growing,
            cap,
            begin=BEGIN,
            end=END,
            config=search,
            never=(PIECE_PADDING, PIECE_UNKNOWN),
            wanted=alternatives,
        )
        look = self._attention(row, found[0], growing) if attention and found else None
        spelt = self.words.speller(self.pieces.target, sentence, search)
        return answered(spelt, row, found, look, alternatives)

    def _attention(self, row: Sequence[int], best: Hypothesis, growing: Growing) -> Attention | None:
        """Where the best translation looked, in the order of the text, whichever way it was read."""
        target = [*best.ids, END]
        looks = self.network.attention(target, growing)
        if not looks:
            return None
        ordered = [look_S[::-1] if self.config.source.reverse else look_S for look_S in looks]
        names = tuple(self.pieces.source.names(row)), tuple(self.pieces.target.names(target))
        return Attention(*names, tuple(tuple(look_S.tolist()) for look_S in ordered))
