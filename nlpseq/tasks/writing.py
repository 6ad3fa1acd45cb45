"""What a language model writes: continuations, drawn or searched for, and suggestions of the next word.

Axes: B sequences, V units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import torch
from msgspec import Meta
from torch import Tensor

from nlpseq.nn.completion import Grown, complete
from nlpseq.nn.fused import State
from nlpseq.nn.sampling import SamplingConfig, draw
from nlpseq.nn.search import SearchConfig, beam_search
from nlpseq.records import Suggestion
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.text.units import Units

LIKELY = 64  # units that are followed from each beginning of a word
WHOLE = 0.5  # a word is whole where what begins after it has more probability than this


class WritingConfig(SamplingConfig, frozen=True):
    """How a continuation is written."""

    max_tokens: Annotated[int, Meta(ge=1, description="units that are written, at most")] = 60
    beam_size: Annotated[
        int, Meta(ge=0, le=256, description="search for the likeliest continuation with so many; 0: draw one")
    ] = 0


class Piece(NamedTuple):
    """What was written with one more unit: its text, and its log p (nats); at the end `ended` instead of a text."""

    text: str
    log_probability: float
    ended: bool = False


class Memory:
    """What was read of B sequences: log p (B, V) of what follows, and the states; what is never written is -inf."""

    def __init__(self, model: LanguageModel, log_BV: Tensor, states: Sequence[State]) -> None:
        self.model, self.log_BV, self.states = model, log_BV, states

    @classmethod
    def of(cls, model: LanguageModel, prompt: Prompt, ids: Sequence[int] = ()) -> Memory:
        """After a prompt, read from the beginning of a line, and more units behind it."""
        ids_BT = torch.tensor([[model.units.end, *prompt.ids, *ids]])
        return cls._read(model, model.vectors(ids_BT, prompt.units), None)

    @classmethod
    def _read(cls, model: LanguageModel, vectors_BTD: Tensor, states: Sequence[State] | None) -> Memory:
        network = model.network
        log_BV, after = network.last_log_probabilities(network.forwards, vectors_BTD, states)
        log_BV[:, sorted(model.units.silent)] = -torch.inf
        return cls(model, log_BV, after)

    def then(self, ids_B: Tensor) -> Memory:
        """After one more unit of each sequence."""
        return self._read(self.model, self.model.vectors(ids_B.unsqueeze(1)), self.states)

    def of_rows(self, rows_B: Tensor) -> Memory:
        """Of some of the sequences, in this order."""
        states = [tuple(part.index_select(1, rows_B) for part in layer) for layer in self.states]
        return Memory(self.model, self.log_BV.index_select(0, rows_B), states)


class Row(NamedTuple):
    """One sequence of a memory."""

    memory: Memory
    place: int


def joined(rows: Sequence[Row]) -> Memory:
    """The memory of several sequences, of whatever memories."""
    parts = [row.memory.of_rows(torch.tensor([row.place], device=row.memory.log_BV.device)) for row in rows]
    layers = zip(*(part.states for part in parts), strict=True)
    states = [tuple(torch.cat(same, dim=1) for same in zip(*layer, strict=True)) for layer in layers]
    return Memory(parts[0].model, torch.cat([part.log_BV for part in parts]), states)


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
    def of(cls, units: Units, text: str) -> Prompt:
        """The prompt as it is read; white space at its end is not, since it begins the next word."""
        units = units.meet([text])
        before, half, may_be = units.begun(text)
        ids = units.ids(before.rstrip())
        if not half:
            return cls(text, ids, units.text(ids), units)
        one = min(may_be)
        whole, word = units.text([*ids, one]), units.text([one])
        return cls(text, ids, whole[: -len(word)] + half, units, half, may_be)

    def continued(self, ids: Sequence[int]) -> str:
        """What ids behind the prompt add to its text; a space that the prompt ends in is not there twice."""
        added = self.units.text([*self.ids, *ids])[len(self.spelt) :]
        return added.lstrip(" ") if self.text[-1:].isspace() or not self.text else added

    def word(self, ids: Sequence[int]) -> str:
        """The word that ids behind the prompt make, with the half of it that stands there."""
        return self.half + self.continued(ids).strip()


@torch.inference_mode()
def write(model: LanguageModel, text: str, config: WritingConfig, chance: torch.Generator) -> Iterator[Piece]:
    """Continues a text unit by unit, until the model ends it or there are `max_tokens`; the last Piece says which.

    Half a character, of those that are written in several units, is held back until it is whole.
    """
    units = model.units
    prompt, written, shown = Prompt.of(units, text), list[int](), ""
    memory = _opened(_begun(model, prompt), prompt)
    for _ in range(config.max_tokens):
        unit = draw(memory.log_BV[0].cpu(), config, chance)
        log = float(memory.log_BV[0, unit])
        if unit == units.end:
            yield Piece("", log, ended=True)
            return
        written.append(unit)
        whole = prompt.continued(written)
        added = "" if whole.endswith("\ufffd") else whole[len(shown) :]
        shown += added
        yield Piece(added, log)
        memory = memory.then(torch.tensor([unit]))
    yield Piece(prompt.continued(written)[len(shown) :], 0.0)


def _begun(model: LanguageModel, prompt: Prompt) -> Memory:
    model.network.eval()
    return Memory.of(model, prompt)


def _opened(memory: Memory, prompt: Prompt) -> Memory:
    """The same memory, in which the last word of the prompt cannot go on where it is whole: "Paris" not as "Parish".

    It is whole where white space stands behind it, or where, after a letter, the model expects that more than not.
    """
    units, log_V = memory.model.units, memory.log_BV[0]
    if prompt.may_be:
        return _only(memory, prompt.may_be)
    closed = prompt.text[-1:].isspace()
    if not prompt.ids or not (closed or prompt.text[-1:].isalpha()):
        return memory
    allowed = units.begins(False) | {units.end} if closed else units.opening
    ids_X = torch.tensor(sorted(allowed), device=log_V.device)
    if not closed and float(log_V[ids_X].exp().sum()) <= WHOLE:
        return memory
    return _only(memory, allowed)


def _only(memory: Memory, allowed: frozenset[int]) -> Memory:
    """The same memory of one text, in which nothing but these units comes next."""
    log_V = memory.log_BV[0]
    ids_X = torch.tensor(sorted(allowed), device=log_V.device)
    alone_V = torch.full_like(log_V, -torch.inf).index_copy(0, ids_X, log_V[ids_X])
    return Memory(memory.model, alone_V.unsqueeze(0), memory.states)


class _Beams(NamedTuple):
    """What the search remembers; before its first step nothing but the prompt was read."""

    memory: Memory
    fresh: bool

    def of(self, rows: Tensor, sentences: Tensor | None) -> _Beams:
        """Of these hypotheses."""
        del sentences
        return _Beams(self.memory.of_rows(rows), fresh=False)


def _as_they_are(log_RV: Tensor) -> tuple[Tensor, Tensor]:
    return log_RV.clone(), log_RV.new_zeros(len(log_RV))


class Likely(NamedTuple):
    """A continuation that was searched for: its text, how many units it has, whether the model ended it, its log p."""

    text: str
    tokens: int
    ended: bool
    score: float


@torch.inference_mode()
def likeliest(model: LanguageModel, text: str, config: WritingConfig) -> list[Likely]:
    """Continuations found by beam search, best first."""
    units = model.units
    prompt = Prompt.of(units, text)

    def step(last_NK: Tensor, state: _Beams) -> tuple[Tensor, _Beams]:
        memory = state.memory if state.fresh else state.memory.then(last_NK.flatten().cpu())
        return memory.log_BV.view(*last_NK.shape, -1), _Beams(memory, fresh=False)

    caps_N = torch.tensor([config.max_tokens + 1], device=model.device)
    found = beam_search(
        step, _as_they_are, _Beams(_opened(_begun(model, prompt), prompt), fresh=True), caps_N, begin=0, end=units.end,
        config=SearchConfig(beam_size=config.beam_size), wanted=config.beam_size,
    )  # fmt: skip
    result = []
    for one in found[0]:
        score = one.total
        if one.capped:  # the search ends it all the same, and counts that
            score -= float(Memory.of(model, prompt, one.ids).log_BV[0, units.end])
        result.append(Likely(prompt.continued(one.ids), len(one.ids), not one.capped, score))
    return result


@torch.inference_mode()
def suggest(model: LanguageModel, text: str, count: int) -> list[Suggestion]:
    """The likeliest next words, best first, with the probability of each, given that a word comes next.

    A word is begun by a unit that `begins` one, and complete where a unit of `opening` would follow: its probability is
    that of its units, one after the other, and of being complete then. Of half a word it is what this may become.
    """
    units = model.units
    prompt = Prompt.of(units, text)
    memory = _begun(model, prompt)
    begins = torch.tensor(sorted(prompt.may_be or units.begins(not prompt.ids)))
    log_X = memory.log_BV[0].cpu()[begins].log_softmax(0)
    first = list(zip(begins.tolist(), log_X.tolist(), strict=True))
    opening = torch.tensor(sorted(units.opening))

    def step(sequences: Sequence[tuple[tuple[int, ...], Row]]) -> list[tuple[Grown, Row]]:
        after = joined([row for _, row in sequences]).then(torch.tensor([ids[-1] for ids, _ in sequences]))
        spelt = [prompt.word(ids) for ids, _ in sequences]
        return [
            (_grown(log_V, opening, whole=any(map(str.isalnum, word))), Row(after, row))
            for row, (log_V, word) in enumerate(zip(after.log_BV.cpu(), spelt, strict=True))
        ]

    found = complete(step, first, Row(memory, 0), count)
    return [Suggestion(prompt.word(one.ids), math.exp(one.log_probability)) for one in found]


def _grown(log_V: Tensor, opening: Tensor, *, whole: bool) -> Grown:
    """How likely a word is complete, and its likeliest continuations; without a letter or digit it is none yet."""
    log_V = log_V.log_softmax(0)
    complete = float(log_V[opening].logsumexp(0)) if whole else -math.inf
    within_V = log_V.index_fill(0, opening, -torch.inf)
    best = within_V.topk(min(LIKELY, len(within_V)))
    following = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Grown(complete, [(unit, log) for unit, log in following if log > -math.inf])
