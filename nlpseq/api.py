"""What users hold: `load` a checkpoint, and send texts through the pipeline it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nlpseq.checkpoint import Manifest, find_checkpoint, load_task
from nlpseq.device import find_device, use_threads
from nlpseq.errors import UsageError
from nlpseq.records import Failure, Span, TagPrediction, Token, TokenizedText
from nlpseq.tasks.tagging import Labelled, Tagger
from nlpseq.text.tags import spans_of
from nlpseq.text.tokenizer import Sentence, Tokenizer

Text = str | Sequence[str] | TokenizedText
READ_AHEAD = 1024  # inputs read before the first of them is answered, at most
FIRST_READ = 16  # the first inputs are answered sooner


def load(checkpoint: str | Path, *, device: str = "auto", threads: int | None = None) -> TagPipeline:
    """The pipeline of a checkpoint: a folder, or the name of one that came with the install.

    Raises UsageError where there is none, the device is not there or `threads` is less than 1, TrustError where it
    is damaged.
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
        if isinstance(inputs, str | bytes | TokenizedText):
            raise TypeError("pipe() takes many texts, as a list of them. Call the pipeline itself with one.")
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}. Give 1 or more, or None to leave it to the pipeline.")
        return self._predictions(inputs, batch_size)

    def _predictions(self, inputs: Iterable[Text], batch_size: int | None) -> Iterator[TagPrediction | Failure]:
        for number, chunk in _numbered(read_ahead(inputs, batch_size)):
            parsed = [self._parse(item, number + index) for index, item in enumerate(chunk)]
            sentences = [s for one in parsed if not isinstance(one, Failure) for s in one[1]]
            labelled = iter(self.tagger.predict([s.tokens for s in sentences], self._vectors))
            for one in parsed:
                yield one if isinstance(one, Failure) else _assemble(one[0], one[1], labelled)

    def _parse(self, item: Text, number: int) -> tuple[str, list[Sentence]] | Failure:
        if isinstance(item, str):
            return item, self.tokenizer.sentences(item)
        if isinstance(item, TokenizedText):
            if not _lie_in_order(item):
                return Failure(
                    "The tokens do not lie in the text, one after the other, where they are said to.", number
                )
            return item.text, self._cut(item.tokens, item.starts)
        words = isinstance(item, Sequence) and not isinstance(item, bytes | bytearray)
        if not words or not all(isinstance(token, str) and token for token in item):
            return Failure("Expected a text or a list of words, none of them empty.", number)
        text = " ".join(item)
        starts, at = [], 0
        for token in item:
            starts.append(at)
            at += len(token) + 1
        return text, self._cut(item, starts)

    def _cut(self, tokens: Sequence[str], starts: Sequence[int]) -> list[Sentence]:
        """Tokens that were given, in pieces of the longest length that a sentence may have."""
        limit = self.tokenizer.limit
        cuts = range(0, len(tokens), limit)
        return [Sentence(tuple(tokens[c : c + limit]), tuple(starts[c : c + limit])) for c in cuts]


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


PIPELINES: dict[str, Callable[[Any, Manifest], TagPipeline]] = {"tag": TagPipeline}
