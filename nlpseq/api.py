"""What users hold: `load` a checkpoint, and send texts through the pipeline it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from nlpseq.checkpoint import Manifest, find_checkpoint, load_task
from nlpseq.config import build
from nlpseq.device import find_device, use_threads
from nlpseq.errors import UsageError
from nlpseq.generation import GenerationPipeline
from nlpseq.nn.search import SearchConfig
from nlpseq.records import (
    Failure,
    SentimentPrediction,
    Span,
    TagPrediction,
    Token,
    TokenizedText,
    TranslationPrediction,
)
from nlpseq.tasks.judging import judge
from nlpseq.tasks.sentiment import Classifier
from nlpseq.tasks.tagging import Labelled, Tagger
from nlpseq.tasks.translation import Translator
from nlpseq.tasks.translation_paragraphs import joined
from nlpseq.text.paragraphs import Part, parts_of
from nlpseq.text.tags import spans_of
from nlpseq.text.tokenizer import Sentence, Tokenizer

Text = str | Sequence[str] | TokenizedText
READ_AHEAD = 1024  # inputs read before the first of them is answered, at most
FIRST_READ = 16  # the first inputs are answered sooner
MOST_ALTERNATIVES = 100


def load(checkpoint: str | Path, *, device: str = "auto", threads: int | None = None) -> Any:
    """The pipeline of a checkpoint: a folder, or the name of one that came with the install.

    It is a TagPipeline, a SentimentPipeline, a TranslationPipeline or a GenerationPipeline, as its task says; `pipe`,
    and a call, are the same for every task. Raises UsageError where there is no such checkpoint, the device is not
    there or `threads` is less than 1, TrustError where the checkpoint is damaged.
    """
    use_threads(threads)
    task, manifest = load_task(find_checkpoint(checkpoint))
    task.network.to(find_device(device))
    return PIPELINES[manifest.task](task, manifest)


class TagPipeline:
    """Tags texts: raw ones, or tokenised ones given as sequences of words or as `TokenizedText`."""

    task = "tag"

    def __init__(self, tagger: Tagger, manifest: Manifest) -> None:
        self.tagger, self.manifest = tagger, manifest
        settings = tagger.config.tokenizer
        self.tokenizer = Tokenizer(settings.language, settings.sentence_limit)
        self._vectors = tagger.vector_cache()

    def __call__(self, text: Text) -> TagPrediction:
        """What is predicted for one text. Raises ValueError for what is no text."""
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[TagPrediction | Failure]:
        """One prediction an input, lazily, in order.

        At most `batch_size` inputs are read ahead (by default few at first, then up to 1,024), and batched by length.
        What is no text, or has an empty word, gives a Failure in its place. Raises, at once, TypeError where `inputs`
        is one text, UsageError where `batch_size` is less than 1.
        """
        return self._predictions(_chunks(inputs, batch_size))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[TagPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [self._parse(item, number + index) for index, item in enumerate(chunk)]
            sentences = [s for one in parsed if not isinstance(one, Failure) for s in one[1]]
            labelled = iter(self.tagger.predict([s.tokens for s in sentences], self._vectors))
            for one in parsed:
                yield one if isinstance(one, Failure) else _assemble(one[0], one[1], labelled)

    def _parse(self, item: Text, number: int) -> tuple[str, list[Sentence]] | Failure:
        if isinstance(item, str):
            return item, self.tokenizer.sentences(item)
        words = _given_words(item, number)
        if isinstance(words, Failure):
            return words
        text, whole = words
        limit = self.tokenizer.limit
        cuts = range(0, len(whole.tokens), limit)
        return text, [Sentence(whole.tokens[c : c + limit], whole.starts[c : c + limit]) for c in cuts]


class SentimentPipeline:
    """Judges texts, given as for a TagPipeline; with `explain` it says by which words."""

    task = "sentiment"

    def __init__(self, classifier: Classifier, manifest: Manifest, *, explain: bool = False) -> None:
        self.classifier, self.manifest, self.explain = classifier, manifest, explain
        self.tokenizer = classifier.tokenizer
        self._vectors = classifier.vector_cache()

    def explaining(self, explain: bool = True) -> SentimentPipeline:
        """The same pipeline, but its predictions have `contributions` (or have none)."""
        return SentimentPipeline(self.classifier, self.manifest, explain=explain)

    def __call__(self, text: Text) -> SentimentPrediction:
        """What is predicted for one text. Raises ValueError for what is no text."""
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[SentimentPrediction | Failure]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of a TagPipeline."""
        return self._predictions(_chunks(inputs, batch_size))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[SentimentPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [self._parse(item, number + index) for index, item in enumerate(chunk)]
            texts = [one for one in parsed if not isinstance(one, Failure)]
            judged = iter(judge(self.classifier, texts, self._vectors, explain=self.explain))
            for one in parsed:
                yield one if isinstance(one, Failure) else next(judged)

    def _parse(self, item: Text, number: int) -> tuple[str, Sentence] | Failure:
        if not isinstance(item, str):
            return _given_words(item, number)
        tokens, starts = self.tokenizer.words(item)
        return item, Sentence(tuple(tokens), tuple(starts))


class TranslationPipeline:
    """Translates texts of any length, sentence by sentence; the spacing between sentences stays."""

    task = "translate"

    def __init__(
        self,
        translator: Translator,
        manifest: Manifest,
        *,
        search: SearchConfig | None = None,
        alternatives: int = 0,
        attention: bool = False,
    ) -> None:
        self.translator, self.manifest = translator, manifest
        self.search = search or translator.config.search
        self.alternatives, self.attention = alternatives, attention

    def searching(
        self, *, beam_size: int | None = None, alternatives: int = 0, attention: bool = False
    ) -> TranslationPipeline:
        """The same pipeline with another beam (1: greedy), the best so many `alternatives`, or the `attention`.

        Raises UsageError where the beam or the alternatives are out of bounds, or the decoder has no attention.
        """
        given = {} if beam_size is None else {"beam_size": beam_size}
        search = build(SearchConfig, {**msgspec.structs.asdict(self.search), **given}, "search")
        if not 0 <= alternatives <= MOST_ALTERNATIVES:
            raise UsageError(f"alternatives is {alternatives}. Give 1 to {MOST_ALTERNATIVES}, or 0 for none.")
        if attention and self.translator.config.decoder.attention == "none":
            raise UsageError("This checkpoint was trained without attention, so there is none to be shown.")
        own = {"search": search, "alternatives": alternatives, "attention": attention}
        return TranslationPipeline(self.translator, self.manifest, **own)  # type: ignore[arg-type]

    def __call__(self, text: Text) -> TranslationPrediction:
        """The translation of one text. Raises ValueError for what is no text."""
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(
        self, inputs: Iterable[Text], *, batch_size: int | None = None
    ) -> Iterator[TranslationPrediction | Failure]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of a TagPipeline."""
        return self._predictions(_chunks(inputs, batch_size))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[TranslationPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [_as_paragraphs(item, number + index) for index, item in enumerate(chunk)]
            wanted = [p.text for one in parsed if not isinstance(one, Failure) for p in one[1] if p.translated]
            translated = iter(
                self.translator.translate(
                    wanted, self.search, alternatives=max(1, self.alternatives), attention=self.attention
                )
            )
            for one in parsed:
                if isinstance(one, Failure):
                    yield one
                else:
                    own = list(islice(translated, sum(part.translated for part in one[1])))
                    yield joined(*one, own, alternatives=self.alternatives, attention=self.attention)


def _as_paragraphs(item: Text, number: int) -> tuple[str, list[Part]] | Failure:
    """A text and its parts; half a pair of surrogates, which no subword model can read, is U+FFFD in them."""
    if not isinstance(item, str):
        given = _given_words(item, number)
        if isinstance(given, Failure):
            return given
        item = given[0]
    return item, parts_of(item.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _given_words(item: Sequence[str] | TokenizedText, number: int) -> tuple[str, Sentence] | Failure:
    """The text of tokens that were given, which they may spell with a space between them, and the tokens in it."""
    if isinstance(item, TokenizedText):
        if not _lie_in_order(item):
            return Failure("The tokens do not lie in the text, one after the other, where they are said to.", number)
        return item.text, Sentence(tuple(item.tokens), tuple(item.starts))
    words = isinstance(item, Sequence) and not isinstance(item, bytes | bytearray)
    if not words or not all(isinstance(token, str) and token for token in item):
        return Failure("Expected a text or a list of words, none of them empty.", number)
    starts, at = [], 0
    for token in item:
        starts.append(at)
        at += len(token) + 1
    return " ".join(item), Sentence(tuple(item), tuple(starts))


def _lie_in_order(given: TokenizedText) -> bool:
    """Whether the invariants of `given` hold."""
    if len(given.tokens) != len(given.starts):
        return False
    at = 0
    for token, start in zip(given.tokens, given.starts, strict=True):
        if start < at or not token or not given.text.startswith(token, start):
            return False
        at = start + len(token)
    return True


def _chunks(inputs: Iterable[Text], size: int | None) -> Iterator[tuple[int, list[Text]]]:
    """Inputs in lists, each with the number of its first input, from 1. Raises, at once, as `TagPipeline.pipe` says."""
    if isinstance(inputs, str | bytes | TokenizedText):
        raise TypeError("pipe() takes many texts, as a list of them. Call the pipeline itself with one.")
    if size is not None and size < 1:
        raise UsageError(f"batch_size is {size}. Give 1 or more, or None to leave it to the pipeline.")
    return _numbered(read_ahead(inputs, size))


def _numbered(chunks: Iterable[list[Text]]) -> Iterator[tuple[int, list[Text]]]:
    number = 1
    for chunk in chunks:
        yield number, chunk
        number += len(chunk)


def read_ahead(inputs: Iterable[Any], size: int | None) -> Iterator[list[Any]]:
    """Inputs in lists of `size`; where it is None, few at first, for a quick first answer, and then ever more."""
    limit = size or FIRST_READ
    chunk: list[Any] = []
    for item in inputs:
        chunk.append(item)
        if len(chunk) >= limit:
            yield chunk
            chunk = []
            limit = size or min(2 * limit, READ_AHEAD)
    if chunk:
        yield chunk


def _assemble(text: str, sentences: Sequence[Sentence], labelled: Iterator[Labelled]) -> TagPrediction:
    """One text's prediction, from those of its sentences, which are taken from `labelled`."""
    tokens: list[Token] = []
    entities: list[Span] = []
    begins: list[int] = []
    for sentence in sentences:
        one = next(labelled)
        begins.append(len(tokens))
        tokens += _tokens(sentence, one)
        entities += _entities(text, sentence, one)
    return TagPrediction(text, tuple(tokens), tuple(entities), tuple(begins))


def _tokens(sentence: Sentence, labelled: Labelled) -> list[Token]:
    nothing: list[str | None] = [None] * len(sentence.tokens)
    columns = [labelled.labels.get(name, nothing) for name in ("upos", "xpos", "ner")]
    scores = [min(values) for values in zip(*labelled.probabilities.values(), strict=True)]
    rows = zip(sentence.tokens, sentence.starts, *columns, scores, strict=True)
    return [Token(w, s, s + len(w), upos, xpos, ner, score) for w, s, upos, xpos, ner, score in rows]


def _entities(text: str, sentence: Sentence, labelled: Labelled) -> list[Span]:
    if "ner" not in labelled.labels:
        return []
    result: list[Span] = []
    for label, first, end in spans_of(labelled.labels["ner"]):
        start, stop = sentence.starts[first], sentence.starts[end - 1] + len(sentence.tokens[end - 1])
        score = min(labelled.probabilities["ner"][first:end])
        result.append(Span(text[start:stop], label, start, stop, score))
    return result


PIPELINES: dict[str, Callable[[Any, Manifest], Any]] = {
    "tag": TagPipeline,
    "sentiment": SentimentPipeline,
    "translate": TranslationPipeline,
    "lm": GenerationPipeline,
}
