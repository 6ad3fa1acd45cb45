"""Translation: an encoder reads a sentence, by default backwards, and a decoder writes it in another language.

Axes: B sentences, S source and T target positions, N target positions of all sentences together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, ClassVar, NamedTuple

import msgspec
import torch
from torch import Tensor

from nlpseq.batching import length_groups, mask_of, pad, reverse_sources, shuffled
from nlpseq.config import SearchConfig
from nlpseq.errors import DataError
from nlpseq.nn.search import Hypothesis
from nlpseq.records import Attention, SentencePair
from nlpseq.tasks.translation_answers import Translated, answered
from nlpseq.tasks.translation_config import TranslationConfig
from nlpseq.tasks.translation_names import Copied
from nlpseq.tasks.translation_network import TranslationNetwork
from nlpseq.tasks.translation_pieces import PiecePair
from nlpseq.tasks.translation_reading import Readers
from nlpseq.tasks.translation_search import searched
from nlpseq.tasks.translation_words import KnownWords
from nlpseq.text.overlap import bleu, chrf
from nlpseq.text.piece_draws import PieceDraws
from nlpseq.text.pieces import BEGIN, END

__all__ = ["Translated", "TranslationConfig", "Translator"]

SEARCH_TOKENS = 19_200  # padded source tokens of one batch, for each of its hypotheses
SEARCH_ROWS = 64  # what a step of a search costs beside its sentences, as sentences
TAUGHT_TOKENS = 2048  # padded tokens of one batch where translations are given
_log = logging.getLogger(__name__)


class Encoded(msgspec.Struct, frozen=True):
    """A training pair as text and as ids, each side with its end; a side over the limit is cut and has none."""

    source: str
    target: str
    source_ids: list[int]
    target_ids: list[int]


class Batch(NamedTuple):
    """Pairs of one batch: sources (B, S) in the order in which they are read, targets (B, T), and their lengths (B)."""

    sources_BS: Tensor
    source_lengths_B: Tensor
    targets_BT: Tensor
    target_lengths_B: Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(*(part.to(device) for part in self))


class Translator:
    """A translator: its settings, its pieces and its network."""

    task: ClassVar[str] = "translate"
    main_score: ClassVar[str] = "bleu"
    config_type: ClassVar[Any] = TranslationConfig

    def __init__(self, config: TranslationConfig, pieces: PiecePair, words: KnownWords | None = None) -> None:
        self.carried: dict[str, Tensor] = {}
        self.config, self.pieces, self.words = config, pieces, words or KnownWords()
        self._readers = Readers()
        sizes = len(pieces.source), len(pieces.target)
        self.network = TranslationNetwork(config.vectors, config.encoder, config.decoder, sizes, joint=pieces.joint)

    @classmethod
    def create(cls, config: TranslationConfig, examples: Sequence[SentencePair]) -> Translator:
        """A translator with the pieces of the training examples. Raises DataError where they are too few."""
        pieces = PiecePair.trained(
            config.pieces, [e.source for e in examples], [e.targets[0] for e in examples], config.training.seed
        )
        return cls(config, pieces)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.network.output_bias.device

    # -- training

    @cached_property
    def copied(self) -> Copied:
        """What can stand in for the names of training pairs."""
        return Copied(self.config.augment)

    def go_on(self, examples: Sequence[SentencePair]) -> None:
        """Nothing is taken from these but what they teach."""

    def encode(self, example: SentencePair) -> Encoded:
        """The source and the first of the targets, as ids."""
        source, target = example.source, example.targets[0]
        self.words.learn(source, target)
        if self.config.augment.replace_copied:
            self.copied.learn(source, target)
        return self._encoded(source, target)

    def _encoded(self, source: str, target: str) -> Encoded:
        return Encoded(source, target, self.source_ids(source), self.target_ids(target))

    def _split_anew(self, source: str, target: str, chance: Random) -> Encoded:
        """The same pair, split in ways that are drawn."""
        rows = [[*draws.ids(text, chance), END] for draws, text in zip(self._draws, (source, target), strict=True)]
        source_ids, target_ids = (row[: self.config.source.limit] for row in rows)
        return Encoded(source, target, source_ids, target_ids)

    @cached_property
    def _draws(self) -> tuple[PieceDraws, PieceDraws]:
        return self.pieces.draws(self.config.pieces)

    def source_ids(self, text: str) -> list[int]:
        """The pieces of a source and an end, cut at the limit."""
        return self.pieces.ids(self.pieces.source, text)[: self.config.source.limit]

    def fits(self, text: str) -> bool:
        """Whether a source is read to its end."""
        return self.pieces.fits(text, self.config.source.limit)

    def target_ids(self, text: str) -> list[int]:
        """The same of a target."""
        return self.pieces.ids(self.pieces.target, text)[: self.config.source.limit]

    def taught(
        self, items: Sequence[Encoded], examples: Sequence[SentencePair], teachers: Sequence[Translator]
    ) -> list[Encoded]:
        """The items, and each source with what each teacher makes of it (Kim & Rush 2016, section 3.2).

        Translations that were cut short are left out: they would teach to stop in the middle.
        """
        result, cut, source_ids = list(items), 0, {item.source: item.source_ids for item in items}
        sources = list(dict.fromkeys(example.source for example in examples if example.source.strip()))
        for teacher in teachers:
            for source, found in zip(sources, teacher.translate(sources), strict=True):
                cut += found.cut_short
                if found.translation and not found.cut_short:
                    target_ids = self.target_ids(found.translation)
                    result.append(Encoded(source, found.translation, source_ids[source], target_ids))
        if cut:
            _log.warning(
                "Note: %d of %d translations of the teachers were cut short, and are not learnt "
                "(search.length_cap and source.limit of the teacher).", cut, len(sources) * len(teachers),
            )  # fmt: skip
        return result

    def length(self, item: Encoded) -> int:
        """Pieces of the target, the end included."""
        return len(item.target_ids)

    def kept(self, items: Iterable[Encoded], folder: Path) -> list[Encoded]:  # noqa: ARG002
        """The items, in memory."""
        return list(items)

    def batches(self, items: Sequence[Encoded], budget: int, seed: int) -> list[list[Encoded]]:
        """The items in batches that are narrow on both sides, in random order."""
        sources = [len(item.source_ids) for item in items]
        return shuffled(items, [self.length(item) for item in items], budget, seed, sources)

    def collate(self, items: Sequence[Encoded]) -> Batch:
        """Pairs as a batch, some of them with other names or split into other pieces than usual."""
        rows, texts = list(items), [(item.source, item.target) for item in items]
        for index in _drawn(len(rows), self.config.augment.replace_copied):
            texts[index] = self.copied.replace(*texts[index], _seed())
        sampled = set(_drawn(len(rows), self.config.pieces.sampling))
        chance = Random(_seed() if sampled else 0)
        for index, (row, text) in enumerate(zip(items, texts, strict=True)):
            if index in sampled:
                rows[index] = self._split_anew(*text, chance)
            elif text != (row.source, row.target):
                rows[index] = self._encoded(*text)
        return self.batch([row.source_ids for row in rows], [row.target_ids for row in rows])

    def batch(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
        """Rows of ids, of at least one each, as a batch; sources are reversed where the settings say so."""
        sources_BS, source_lengths_B = pad(sources), torch.tensor([len(row) for row in sources])
        if self.config.source.reverse:
            sources_BS = reverse_sources(sources_BS, source_lengths_B)
        return Batch(sources_BS, source_lengths_B, pad(targets), torch.tensor([len(row) for row in targets]))

    def losses(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """The summed, smoothed cross-entropy (nats), and the number of target pieces."""
        self._readers.forget()  # a step of a training follows
        batch, settings = batch.to(self.device), self.config.teaching
        inputs_BT, reading = _shifted(batch.targets_BT), self.network.read(batch.sources_BS, batch.source_lengths_B)
        if self.network.training and settings.teacher_forcing < 1:
            inputs_BT = self._partly_predicted(inputs_BT, reading)
        mask_BT = mask_of(batch.target_lengths_B, inputs_BT.shape[1])
        features_ND = self.network.taught(inputs_BT, reading)[0][mask_BT]
        loss = self.network.loss(features_ND, batch.targets_BT[mask_BT], settings.label_smoothing)
        return {"pieces": (loss, len(features_ND))}

    @torch.no_grad()
    def _partly_predicted(self, inputs_BT: Tensor, reading: Any) -> Tensor:
        """Inputs of which some are what the decoder makes of the true ones before (Duckworth et al. 2019)."""
        features_BTD = self.network.taught(inputs_BT, reading)[0]
        predicted_BT = torch.stack([self.network.scores(row_TD).argmax(1) for row_TD in features_BTD])
        own_BT = torch.cat((inputs_BT[:, :1], predicted_BT[:, :-1]), dim=1)
        true_BT = torch.rand(inputs_BT.shape, device=self.device) < self.config.teaching.teacher_forcing
        return torch.where(true_BT, inputs_BT, own_BT)

    # -- prediction

    @torch.inference_mode()
    def translate(
        self,
        sentences: Sequence[str],
        search: SearchConfig | None = None,
        *,
        alternatives: int = 1,
        attention: bool = False,
    ) -> list[Translated]:
        """Translations of single sentences, in their order; they are searched in batches by length.

        `search` is by default that of the checkpoint; the beam is never narrower than the number of `alternatives`.
        """
        search = search or self.config.search
        if search.beam_size < alternatives:
            search = msgspec.structs.replace(search, beam_size=alternatives)
        self.network.eval()
        rows = [self.source_ids(sentence) for sentence in sentences]
        found: list[list[Hypothesis]] = [[] for _ in rows]
        for indices in self._groups(rows, SEARCH_TOKENS // search.beam_size):
            batch = self._search([rows[i] for i in indices], search, alternatives)
            for index, hypotheses in zip(indices, batch, strict=True):
                found[index] = hypotheses
        looks = self._attention(rows, found) if attention else [None] * len(rows)
        spelt = [self.words.speller(self.pieces.target, sentence, search) for sentence in sentences]
        return [answered(*one, alternatives) for one in zip(spelt, rows, found, looks, strict=True)]

    def _groups(self, rows: Sequence[Sequence[int]], budget: int) -> Iterator[list[int]]:
        """Indices of rows that are more than an end, by length."""
        filled = [index for index, row in enumerate(rows) if row != [END]]
        for group in length_groups([len(rows[index]) for index in filled], budget, SEARCH_ROWS):
            yield [filled[index] for index in group]

    def _search(self, rows: Sequence[Sequence[int]], search: SearchConfig, wanted: int) -> list[list[Hypothesis]]:
        batch = self.batch(rows, [[END]] * len(rows)).to(self.device)
        return searched(self._readers.of(self.network), batch.sources_BS, batch.source_lengths_B, search, wanted)

    def _attention(self, rows: Sequence[list[int]], found: Sequence[Sequence[Hypothesis]]) -> list[Attention | None]:
        """The attention of the best hypothesis of each row, by teaching the network its own translations."""
        targets = [[*hypotheses[0].ids, END] if hypotheses else [] for hypotheses in found]
        result: list[Attention | None] = [None] * len(rows)
        for index, _, weights_TS in self.told(rows, targets):
            if weights_TS is not None:
                source, target = self.pieces.source.names(rows[index]), self.pieces.target.names(targets[index])
                result[index] = Attention(tuple(source), tuple(target), tuple(map(tuple, weights_TS.tolist())))
        return result

    @torch.inference_mode()
    def told(
        self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, Tensor, Tensor | None]]:
        """The index of each pair that has a target, the log-probability of its pieces (T), and the attention (T, S).

        The attention is in the order of the text, whichever way it was read, and None of a decoder without it.
        """
        self.network.eval()
        filled = [index for index, row in enumerate(targets) if row]
        for group in length_groups([len(sources[i]) + len(targets[i]) for i in filled], TAUGHT_TOKENS):
            indices = [filled[index] for index in group]
            batch = self.batch([sources[i] for i in indices], [targets[i] for i in indices]).to(self.device)
            reading = self.network.read(batch.sources_BS, batch.source_lengths_B)
            features_BTD, weights_BTS = self.network.taught(_shifted(batch.targets_BT), reading)
            for place, index in enumerate(indices):
                length, width = len(targets[index]), len(sources[index])
                scores_TV = self.network.scores(features_BTD[place, :length]).log_softmax(1)
                pieces_T1 = batch.targets_BT[place, :length, None]
                weights_TS = None if weights_BTS is None else weights_BTS[place, :length, :width]
                if weights_TS is not None and self.config.source.reverse:
                    weights_TS = reverse_sources(weights_TS, torch.full((length,), width, device=self.device))
                yield index, scores_TV.gather(1, pieces_T1).squeeze(1), weights_TS

    # -- examination

    def score(self, examples: Sequence[SentencePair]) -> dict[str, float]:
        """BLEU and chrF, cased, of greedy translations, against all targets, of at most `dev_sentences` examples.

        BLEU cuts targets into words by their script, and counts shorter runs of words where no translation has four, so
        that it can tell models apart where there are no spaces, and where all targets are short.

        Raises DataError where there is no example.
        """
        if not examples:
            raise DataError("There are no pairs to be scored.")
        count = min(len(examples), self.config.teaching.dev_sentences)
        drawn = [examples[number * len(examples) // count] for number in range(count)]
        greedy = msgspec.structs.replace(self.config.search, beam_size=1)
        found = [one.translation for one in self.translate([example.source for example in drawn], greedy)]
        references = [example.targets for example in drawn]
        return {"bleu": bleu(found, references, effective_order=True).percent, "chrf": chrf(found, references).percent}

    def calibrate(self, examples: Sequence[SentencePair]) -> None:
        """Nothing comes after the weights."""

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """The subword models, and the words of the training text, by file name below the checkpoint's `text/`."""
        return {**self.pieces.to_plain(), **self.words.to_plain()}

    @classmethod
    def from_plain(cls, config: TranslationConfig, plain: Mapping[str, Any]) -> Translator:
        """The inverse of `to_plain`, with fresh weights. Raises TrustError for bytes that are no subword model."""
        return cls(config, PiecePair.from_plain(plain), KnownWords.from_plain(plain))


def _drawn(count: int, part: float) -> list[int]:
    """Which of `count` rows are drawn, each with the chance `part`."""
    return [index for index, chance in enumerate(torch.rand(count).tolist()) if chance < part] if part else []


def _seed() -> int:
    return int(torch.randint(2**31, ()))


def _shifted(targets_BT: Tensor) -> Tensor:
    """What the decoder reads before it says each target piece: the one before it, and at first a beginning."""
    begin_B1 = torch.full_like(targets_BT[:, :1], BEGIN)
    return torch.cat((begin_B1, targets_BT[:, :-1]), dim=1)
