"""A recurrent language model: what comes next, in characters, pieces or words. It writes, and it pre-trains the others.

Axes: B streams or texts, T positions, V units.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nlpseq.batching import length_groups
from nlpseq.errors import DataError, UsageError
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.stack import RecurrentStack
from nlpseq.tasks.language_config import LanguageModelConfig, read_units
from nlpseq.tasks.language_network import LanguageNetwork, UnitEmbedding
from nlpseq.tasks.language_streams import ID, Reading, Streams, Stretch, joined, on_disk
from nlpseq.tasks.language_words import Words
from nlpseq.tasks.reading import TorchMemory, read_on
from nlpseq.tasks.words import fix_given_vectors
from nlpseq.text.pieces import Pieces
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.text.units import Characters, PieceUnits, Units
from nlpseq.text.vectors import read_vectors

PIECE_LINES = 200_000  # lines that a model of pieces is made from, evenly taken from all
FORETOLD = 1024  # positions of a line that are foretold at once
SCORED = (16, 1000, 256)  # streams that are scored side by side at most, tokens of each at least, of a stretch
INFERENCE_TOKENS = 2048  # padded tokens of one batch when reading texts


class Batch(NamedTuple):
    """What is read forwards and, where there is a second model, backwards; `begins` where nothing was read before."""

    readings: tuple[Reading, ...]
    begins: bool


class Foretold(NamedTuple):
    """How one text was read: log p (nats) of each of its units and of its end, and the ids that seemed likeliest."""

    log_probabilities: list[float]
    likeliest: list[int]


class LanguageModel:
    """A language model: its settings, its units and its network; `carried` are the states of the streams it reads."""

    task: ClassVar[str] = "lm"
    main_score: ClassVar[str] = "probability"
    config_type: ClassVar[Any] = LanguageModelConfig

    def __init__(self, config: LanguageModelConfig, units: Units) -> None:
        self.config, self.units = config, units
        embedding: WordEmbedding | UnitEmbedding
        if isinstance(units, Words):
            embedding = WordEmbedding(config.embedding, units.words)
        else:
            embedding = UnitEmbedding(len(units), config.embedding.width, config.embedding.hidden)
        softmax, dropout = config.text.softmax_kind(), config.embedding.dropout
        samples, rows = config.text.softmax_samples, units.forms if isinstance(units, Words) else ()
        self.network = LanguageNetwork(embedding, dropout, config.encoder, softmax, len(units), samples, rows)
        self.carried: dict[str, Tensor] = {}

    @classmethod
    def create(cls, config: LanguageModelConfig, examples: Sequence[str]) -> LanguageModel:
        """A model of the units that the lines of the training text have."""
        text, given = config.text, config.embedding
        units: Units
        if text.unit == "characters":
            units = Characters.seen(examples, size=text.size, min_count=text.min_count)
        elif text.unit == "pieces":
            step = -(-len(examples) // PIECE_LINES)
            lines = islice(examples, 0, None, max(1, step))
            units = PieceUnits(Pieces.trained(lines, text.size, kind=text.pieces, seed=config.training.seed))
        else:
            vectors = read_vectors(given.vectors, limit=given.vectors_limit) if given.vectors else {}
            language = config.tokenizer.language
            tokenizer = Tokenizer(language, rules=rules_for(language))
            units = Words.seen(
                examples, tokenizer, size=text.size, min_count=given.min_count, numbers=given.numbers,
                word_length=given.word_length, known=vectors, tied=text.softmax_kind() == "tied",
            )  # fmt: skip
            model = cls(config, units)
            assert isinstance(model.network.embedding, WordEmbedding)
            model.network.embedding.start_from(vectors, units.words, fixed=given.vectors_fixed)
            return model
        return cls(config, units)

    # -- training

    def go_on(self, examples: Sequence[str]) -> None:
        """Fixes the vectors that are to stay. Raises DataError where their file is missing."""
        del examples
        if isinstance(self.network.embedding, WordEmbedding):
            assert isinstance(self.units, Words)
            fix_given_vectors(self.network.embedding, self.units.words, self.config.embedding)

    def encode(self, example: str) -> Stretch:
        """The ids of one line, between two ends."""
        end = self.units.end
        ids = np.array([end, *self.units.ids(example), end], dtype=ID)
        return self._stretch(ids)

    def _stretch(self, ids: Any) -> Stretch:
        return Stretch(ids, ids[::-1] if self.network.backwards is not None else None)

    def kept(self, items: Iterable[Stretch], folder: Path) -> list[Stretch]:
        """The whole text as one stretch, in a file below `folder`."""
        return [on_disk(items, folder / "tokens")]

    def taught(self, items: Sequence[Stretch], examples: Sequence[str], teachers: Sequence[Any]) -> list[Stretch]:
        """Raises UsageError: a language model has no teachers."""
        del items, examples, teachers
        raise UsageError("--teacher: a language model learns from text alone. Leave it out.")

    def length(self, item: Stretch) -> int:
        """Number of units that are foretold."""
        return len(item.ids) - 1

    def batches(self, items: Sequence[Stretch], budget: int, seed: int) -> Streams:
        """The lines as streams that are read side by side, their stretches cut where the seed says."""
        ids, unroll = joined(items), self.config.training.unroll
        budget = budget or min(2048, max(unroll, len(ids) // 150))
        count = max(1, min(budget, len(ids) - 1) // unroll)
        offset = random.Random(seed).randrange(unroll)
        return Streams(ids, count, unroll, offset=offset, backwards=self.network.backwards is not None)

    def collate(self, items: Sequence[Stretch]) -> Batch:
        """Stretches side by side, each direction by itself."""
        size = len(self.units)
        readings = [Reading.of([item.ids for item in items], size)]
        if self.network.backwards is not None:
            readings.append(Reading.of([item.backwards for item in items if item.backwards is not None], size))
        return Batch(tuple(readings), items[0].begins)

    def losses(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """The summed loss (nats) of each direction and the number of units it sums over, and penalties, if any.

        The states at the end of the batch are carried on to the next one, unless it begins anew, but for those of
        streams that forget.
        """
        losses, self.carried = self._losses(batch, {} if batch.begins else self._remembered())
        return losses

    def _remembered(self) -> dict[str, Tensor]:
        """The states carried on, with zeros for streams that forget: else a model comes to count on states that only a
        long text of one kind can have, and reads badly from the beginning.
        """
        chance = self.config.training.forget
        if not chance or not self.carried:
            return self.carried
        streams = next(iter(self.carried.values())).shape[1]
        keeps_1B1 = (torch.rand(streams) >= chance).to(self.device)[None, :, None]
        return {name: states_LBH.masked_fill(~keeps_1B1, 0.0) for name, states_LBH in self.carried.items()}

    def _losses(
        self, batch: Batch, carried: Mapping[str, Tensor]
    ) -> tuple[dict[str, tuple[Tensor, int]], dict[str, Tensor]]:
        losses: dict[str, tuple[Tensor, int]] = {}
        after: dict[str, Tensor] = {}
        vectors = self.vectors(torch.cat([reading.inputs_BT for reading in batch.readings])).chunk(len(batch.readings))
        for (name, stack), reading, vectors_BTD in zip(self.stacks().items(), batch.readings, vectors, strict=True):
            before = [_below(carried, f"{name}/{layer}/") for layer in range(len(stack.layers))] if carried else None
            targets_BT = reading.targets_BT.to(self.device)
            loss, penalty, states = self.network.loss(stack, vectors_BTD, targets_BT, before)
            losses[name] = loss, reading.foretold
            if penalty is not None:
                losses[f"{name} penalty"] = penalty * reading.foretold, reading.foretold
            after |= {f"{name}/{k}/{i}": s.detach() for k, layer in enumerate(states) for i, s in enumerate(layer)}
        return losses, after

    def stacks(self) -> dict[str, RecurrentStack]:
        """The recurrent layers of each direction that there is."""
        back = self.network.backwards
        return {"forwards": self.network.forwards} | ({} if back is None else {"backwards": back})

    def vectors(self, ids_BT: Tensor, units: Units | None = None) -> Tensor:
        """The vectors (B, T, D) of units, or of those that were made by `meet`."""
        embedding = self.network.embedding
        units = self.units if units is None else units
        if isinstance(units, Words):
            assert isinstance(embedding, WordEmbedding)
            return units.table.embedded(embedding, ids_BT, self.device)
        result: Tensor = embedding(ids_BT.to(self.device))
        return result

    # -- reading

    def read(self, ids: Sequence[int], units: Units) -> TorchMemory:
        """What is remembered of one text from the beginning of a line, given as ids of such units, for writing on."""
        return read_on(self, torch.tensor([[units.end, *ids]]), units)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def score(self, examples: Sequence[str]) -> dict[str, float]:
        """How well the lines are foretold, read on and on as in training: in up to 16 streams, each of 1,000 tokens or
        more.

        `probability` is what the next unit is given on average (geometric, per cent, over both directions);
        `perplexity` is its inverse, of the forward direction, and `bits_per_character` are those of that direction,
        the end of a line counting as a character. Raises DataError where there is no line.
        """
        if not examples:
            raise DataError("There is no line of text to be scored.")
        nats = self._nats(examples)
        forwards, count = nats["forwards"]
        total, counts = (sum(part) for part in zip(*nats.values(), strict=True))
        characters = sum(len(line) + 1 for line in examples)
        scores = {
            "probability": 100 * math.exp(-total / counts),
            "perplexity": _perplexity(forwards / count),
            "bits_per_character": forwards / math.log(2) / characters,
        }
        if "backwards" in nats:
            scores["perplexity_backwards"] = _perplexity(nats["backwards"][0] / nats["backwards"][1])
        return scores

    def _nats(self, examples: Sequence[str]) -> dict[str, tuple[float, int]]:
        """The summed loss of each direction, and the number of units."""
        self.network.eval()
        self.units.meet(examples)
        ids = joined([self.encode(example) for example in examples])
        most, least, length = SCORED
        count = max(1, min(most, len(ids) // least))
        sums: dict[str, tuple[float, int]] = {}
        carried: dict[str, Tensor] = {}
        for stretches in Streams(ids, count, length, backwards=self.network.backwards is not None):
            losses, carried = self._losses(self.collate(stretches), carried)
            for name, (loss, number) in losses.items():
                before = sums.get(name, (0.0, 0))
                sums[name] = before[0] + float(loss), before[1] + number
        return sums

    @torch.inference_mode()
    def foretell(self, examples: Sequence[str]) -> list[Foretold]:
        """How each line is read forwards, by itself."""
        self.network.eval()
        self.units.meet(examples)
        items = [self.encode(example) for example in examples]
        result = [Foretold([], [])] * len(items)
        for indices in length_groups([self.length(item) for item in items], INFERENCE_TOKENS):
            found_BT, best_BT = self._foretold(Reading.of([items[index].ids for index in indices], len(self.units)))
            for row, index in enumerate(indices):
                length = self.length(items[index])
                result[index] = Foretold(found_BT[row, :length].tolist(), best_BT[row, :length].tolist())
        return result

    def _foretold(self, reading: Reading) -> tuple[Tensor, Tensor]:
        """log p of the targets, and the likeliest units, both (B, T); long rows are read in stretches, since a
        probability of every unit at every position of theirs would not fit.
        """
        forwards, states = self.network.forwards, None
        found: list[Tensor] = []
        best: list[Tensor] = []
        stretches = (part_BT.split(FORETOLD, dim=1) for part_BT in reading)  # type: ignore[no-untyped-call]
        for inputs_BT, targets_BT in zip(*stretches, strict=True):
            log_BTV, states = self.network.log_probabilities(forwards, self.vectors(inputs_BT), states)
            found.append(log_BTV.gather(2, targets_BT.clamp(min=0).to(self.device).unsqueeze(2)).squeeze(2))
            best.append(log_BTV.argmax(2))
        return torch.cat(found, dim=1), torch.cat(best, dim=1)

    def targets(self, example: str) -> list[int]:
        """The units that are to be foretold of a line, its end among them."""
        reading = Reading.of([self.encode(example).ids], len(self.units))
        return [int(unit) for unit in reading.targets_BT[0].tolist()]

    def calibrate(self, examples: Sequence[str]) -> None:
        """Nothing is fitted after the weights."""

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """What the units are made of, by file name below the checkpoint's `text/`."""
        return self.units.to_plain()

    @classmethod
    def from_plain(cls, config: LanguageModelConfig, plain: Mapping[str, Any]) -> LanguageModel:
        """The inverse of `to_plain`, with fresh weights."""
        return cls(config, read_units(config, plain, Words))


def _below(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Tensor, ...]:
    return tuple(value for name, value in sorted(tensors.items()) if name.startswith(prefix))


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, 50.0))  # a number that JSON can hold, however badly it goes
