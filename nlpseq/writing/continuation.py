"""Continuations of a text, drawn or searched for. Axes: B sequences, V units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from nlpseq.config import SearchConfig
from nlpseq.light.search import beam_search
from nlpseq.writing.memory import Array, Memory, Reader
from nlpseq.writing.prompt import Prompt
from nlpseq.writing.sampling import SamplingConfig, draw


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


def write(reader: Reader, text: str, config: WritingConfig, chance: np.random.Generator) -> Iterator[Piece]:
    """Continues a text unit by unit, until the model ends it or there are `max_tokens`; the last Piece says which.

    Half a character, of those that are written in several units, is held back until it is whole.
    """
    end = reader.units.end
    prompt, written, shown = Prompt.of(reader.units, text), list[int](), ""
    memory = prompt.read_by(reader)
    log_V = _opened(memory, prompt)
    for count in range(1, config.max_tokens + 1):
        unit = draw(log_V, config, chance)
        log = float(log_V[unit])
        if unit == end:
            yield Piece("", log, ended=True)
            return
        written.append(unit)
        whole = prompt.continued(written)
        added = "" if whole.endswith("\ufffd") else whole[len(shown) :]
        shown += added
        yield Piece(added, log)
        if count < config.max_tokens:
            memory = memory.then([unit])
            log_V = memory.log_BV[0]
    yield Piece(prompt.continued(written)[len(shown) :], 0.0)


def _opened(memory: Memory, prompt: Prompt) -> Array:
    """log p (V) of what comes behind a prompt, of those alone that may."""
    log_V: Array = memory.log_BV[0]
    allowed = prompt.allowed(log_V)
    if allowed is None:
        return log_V
    alone_V, ids = np.full_like(log_V, -np.inf), sorted(allowed)
    alone_V[ids] = log_V[ids]
    return alone_V


class _Beams(NamedTuple):
    """What the search remembers; before its first step nothing but the prompt was read."""

    memory: Memory
    fresh: bool = False

    def of(self, rows: Sequence[int]) -> _Beams:
        """Of these hypotheses."""
        return _Beams(self.memory.of(rows))


class Likely(NamedTuple):
    """A continuation that was searched for: its text, how many units it has, whether the model ended it, its log p."""

    text: str
    tokens: int
    ended: bool
    score: float


def likeliest(reader: Reader, text: str, config: WritingConfig) -> list[Likely]:
    """Continuations found by beam search, best first."""
    end = reader.units.end
    prompt = Prompt.of(reader.units, text)
    begun = prompt.read_by(reader)

    def step(last: Sequence[int], state: _Beams) -> tuple[Array, _Beams]:
        if state.fresh:
            return _opened(begun, prompt)[None].copy(), _Beams(begun)
        memory = state.memory.then(last)
        return memory.log_BV.copy(), _Beams(memory)

    size = config.beam_size
    search = SearchConfig(beam_size=size)
    found = beam_search(
        step, _Beams(begun, fresh=True), config.max_tokens + 1, begin=0, end=end, config=search, wanted=size
    )
    result = []
    for one in found:
        score = one.total
        if one.capped:  # the search ends it all the same, and counts that
            score -= float(prompt.read_by(reader, one.ids).log_BV[0, end])
        result.append(Likely(prompt.continued(one.ids), len(one.ids), not one.capped, score))
    return result or [Likely("", 0, True, float(begun.log_BV[0, end]))]  # where nothing but the end may come
