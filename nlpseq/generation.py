"""The pipeline of a language model, as users hold it: texts are continued, or the next word is suggested."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from nlpseq.config import build
from nlpseq.errors import NlpseqError, UsageError, did_you_mean
from nlpseq.given import must_be_many, must_be_one
from nlpseq.manifest import Manifest
from nlpseq.records import Continuation, Failure, TokenizedText
from nlpseq.writing.continuation import WritingConfig, likeliest, write
from nlpseq.writing.memory import Reader
from nlpseq.writing.suggestion import suggest

Text = str | Sequence[str] | TokenizedText
NO_TEXT = "Expected a text or a list of words, none of them empty."


class GenerationPipeline:
    """Continues texts, each from the beginning of a line.

    With a `seed` the n-th text of a `pipe` is continued the same way each time; without, anew. With `suggestions` it
    gives that many likeliest next words instead.
    """

    task = "lm"

    def __init__(
        self,
        model: Reader,
        manifest: Manifest,
        *,
        writing: WritingConfig | None = None,
        seed: int | None = None,
        suggestions: int = 0,
    ) -> None:
        self.model, self.manifest = model, manifest
        self.writing, self.seed, self.suggestions = writing or WritingConfig(), seed, suggestions

    def writing_with(self, *, seed: int | None = None, suggestions: int = 0, **settings: Any) -> GenerationPipeline:
        """The same pipeline with other settings of writing: those of `WritingConfig`, by name.

        Raises UsageError for unknown settings, values out of bounds, and what is no number.
        """
        if isinstance(suggestions, bool) or not isinstance(suggestions, int) or suggestions < 0:
            raise UsageError(f"suggestions is {suggestions!r}. Give 1 or more, or 0 for none.")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise UsageError(f"seed is {seed!r}. Give a whole number from 0 on, or None for another text each time.")
        known = (*WritingConfig.__struct_fields__, "seed", "suggestions")
        for name in settings:
            if name not in known:
                raise UsageError(f"generate: no setting {name!r}. {did_you_mean(name, known)}")
        values = {**msgspec.structs.asdict(self.writing), **settings}
        writing = build(WritingConfig, values, "generate")
        return GenerationPipeline(self.model, self.manifest, writing=writing, seed=seed, suggestions=suggestions)

    def __call__(self, text: Text) -> Continuation:
        """The continuation of one text, given as a string or as its words; many texts are for `pipe`.

        Raises ValueError for what is no text, TypeError for a list that cannot be the words of one.
        """
        must_be_one(text)
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[Continuation | Failure]:
        """One continuation an input, lazily, in order, and nothing read ahead, whatever `batch_size`.

        What is no text gives a Failure in its place. Raises, at once, as `must_be_many`.
        """
        must_be_many(inputs, batch_size)
        return (self._continued(item, number) for number, item in enumerate(inputs, 1))

    def stream(self, text: Text, number: int = 1) -> Iterator[str]:
        """The continuation of one text in the parts that it is written in; joined, they are that of the `number`th text
        of a pipe. Of a beam search it is one part.

        Raises, at once, as a call does, and UsageError where there are to be suggestions.
        """
        if self.suggestions:
            raise UsageError("Suggestions are no text that is written in parts. Call the pipeline itself, or pipe().")
        must_be_one(text)
        prompt = text_of(text)
        if prompt is None:
            raise ValueError(NO_TEXT)
        return self._parts(_whole(prompt), number)

    def _parts(self, prompt: str, number: int) -> Iterator[str]:
        if self.writing.beam_size:
            yield likeliest(self.model, prompt, self.writing)[0].text
            return
        for piece in write(self.model, prompt, self.writing, self._chance(number)):
            if piece.text:
                yield piece.text

    def _chance(self, number: int) -> np.random.Generator:
        seed = secrets.randbits(60) if self.seed is None else (self.seed * 1_000_003 + number) % 2**63
        return np.random.default_rng(seed)

    def _continued(self, item: Text, number: int) -> Continuation | Failure:
        text = text_of(item)
        if text is None:
            return Failure(NO_TEXT, number)
        try:
            return self._of(text, number)
        except NlpseqError as error:
            return Failure(str(error), number)

    def _of(self, text: str, number: int) -> Continuation:
        prompt = _whole(text)
        if self.suggestions:
            return Continuation(prompt=text, suggestions=tuple(suggest(self.model, prompt, self.suggestions)))
        if self.writing.beam_size:
            best, *others = likeliest(self.model, prompt, self.writing)
            rest = tuple(other.text for other in others)
            return Continuation(prompt=text, **best._asdict(), alternatives=rest)
        pieces = list(write(self.model, prompt, self.writing, self._chance(number)))
        return Continuation(
            prompt=text,
            text="".join(piece.text for piece in pieces),
            tokens=len(pieces) - 1,
            ended=pieces[-1].ended,
            score=sum(piece.log_probability for piece in pieces),
        )


def text_of(item: object) -> str | None:
    """The text that an input is; None where it is none, or has an empty word."""
    if isinstance(item, str):
        return item
    if isinstance(item, TokenizedText):
        return item.text
    words = isinstance(item, Sequence) and not isinstance(item, bytes | bytearray)
    if not words or not all(isinstance(word, str) and word for word in item):  # type: ignore[attr-defined]
        return None
    return " ".join(item)  # type: ignore[arg-type]


def _whole(text: str) -> str:
    """`text` with U+FFFD for half a pair of surrogates, which no subword model can read."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
