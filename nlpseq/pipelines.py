"""The pipelines that users hold: texts in, predictions out, in order. They know no torch; what they hold may.

Each is made of a model of its task, which is one of `tasks/` or its light twin in `light/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec

from nlpseq.config import SearchConfig, build
from nlpseq.errors import UsageError
from nlpseq.given import FAR_AHEAD, Text, chunks_of, given_words, must_be_one
from nlpseq.manifest import Manifest
from nlpseq.records import Failure, SentimentPrediction, TagPrediction, TranslationPrediction
from nlpseq.tasks.judging import Judge, judge
from nlpseq.tasks.tagging_answers import Labelled, assembled
from nlpseq.tasks.tagging_config import TaggingConfig
from nlpseq.tasks.translation_answers import Translated
from nlpseq.tasks.translation_paragraphs import better, in_pieces, joined, losses, mended
from nlpseq.text.paragraphs import parts_of, short_parts
from nlpseq.text.parts import Part
from nlpseq.text.rules import Rules
from nlpseq.text.tokenizer import Sentence, Tokenizer

MOST_ALTERNATIVES = 100


class TagsWords(Protocol):
    """A tagger, on torch or on NumPy."""

    @property
    def config(self) -> TaggingConfig:
        """All settings."""

    @property
    def rules(self) -> Rules | None:
        """Those of the tokenizer, where spaCy need not be asked."""

    def vector_cache(self) -> Any:
        """A fresh memory of word vectors."""

    def predict(self, sentences: Sequence[Sequence[str]], cache: Any = None) -> list[Labelled]:
        """Labels of tokenised sentences, in their order."""


class JudgesWords(Judge, Protocol):
    """A classifier, on torch or on NumPy."""

    @property
    def tokenizer(self) -> Tokenizer:
        """What makes words of its texts."""

    def vector_cache(self) -> Any:
        """A fresh memory of word vectors."""


class Translates(Protocol):
    """A translator, on torch or on NumPy."""

    @property
    def config(self) -> Any:
        """All settings."""

    @property
    def pieces(self) -> Any:
        """The subword models, of `source` and `target`."""

    def fits(self, text: str) -> bool:
        """Whether a source is read to its end."""

    def translate(
        self,
        sentences: Sequence[str],
        search: SearchConfig | None = None,
        *,
        alternatives: int = 1,
        attention: bool = False,
    ) -> list[Translated]:
        """Translations of single sentences, in their order."""


class TagPipeline:
    """Tags texts: raw ones, or tokenised ones given as sequences of words or as `TokenizedText`."""

    task = "tag"

    def __init__(self, tagger: TagsWords, manifest: Manifest) -> None:
        self.tagger: Any = tagger
        self.manifest = manifest
        settings = tagger.config.tokenizer
        self.tokenizer = Tokenizer(settings.language, settings.sentence_limit, tagger.rules)
        self._vectors = tagger.vector_cache()

    def __call__(self, text: Text) -> TagPrediction:
        """What is predicted for one text, given as a string or as its words; many texts are for `pipe`.

        Raises ValueError for what is no text, TypeError for a list that cannot be the words of one.
        """
        must_be_one(text)
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
        return self._predictions(chunks_of(inputs, batch_size, FAR_AHEAD))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[TagPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [self._parse(item, number + index) for index, item in enumerate(chunk)]
            sentences = [s for one in parsed if not isinstance(one, Failure) for s in one[1]]
            labelled = iter(self.tagger.predict([s.tokens for s in sentences], self._vectors))
            for item, one in zip(chunk, parsed, strict=True):
                given = not isinstance(item, str)  # in tokens, as one sentence however long
                yield one if isinstance(one, Failure) else assembled(*one, labelled, as_one=given)

    def _parse(self, item: Text, number: int) -> tuple[str, list[Sentence]] | Failure:
        if isinstance(item, str):
            return item, self.tokenizer.sentences(item)
        words = given_words(item, number)
        if isinstance(words, Failure):
            return words
        text, whole = words
        limit = self.tokenizer.limit
        cuts = range(0, len(whole.tokens), limit)
        return text, [Sentence(whole.tokens[c : c + limit], whole.starts[c : c + limit]) for c in cuts]


class SentimentPipeline:
    """Judges texts, given as for a TagPipeline; with `explain` it says by which words."""

    task = "sentiment"

    def __init__(self, classifier: JudgesWords, manifest: Manifest, *, explain: bool = False) -> None:
        self.classifier: Any = classifier
        self.manifest, self.explain = manifest, explain
        self.tokenizer = classifier.tokenizer
        self._vectors = classifier.vector_cache()

    def explaining(self, explain: bool = True) -> SentimentPipeline:
        """The same pipeline, but with (or without) `contributions` in its predictions: by which words it judges.

        That costs one more reading of the text for each of its words.
        """
        return SentimentPipeline(self.classifier, self.manifest, explain=explain)

    def __call__(self, text: Text) -> SentimentPrediction:
        """What is predicted for one text, given as a string or as its words; many texts are for `pipe`.

        Raises ValueError for what is no text, TypeError for a list that cannot be the words of one.
        """
        must_be_one(text)
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[SentimentPrediction | Failure]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of a TagPipeline."""
        return self._predictions(chunks_of(inputs, batch_size, FAR_AHEAD))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[SentimentPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [self._parse(item, number + index) for index, item in enumerate(chunk)]
            texts = [one for one in parsed if not isinstance(one, Failure)]
            judged = iter(judge(self.classifier, texts, self._vectors, explain=self.explain))
            for one in parsed:
                yield one if isinstance(one, Failure) else next(judged)

    def _parse(self, item: Text, number: int) -> tuple[str, Sentence] | Failure:
        if not isinstance(item, str):
            return given_words(item, number)
        tokens, starts = self.tokenizer.words(item)
        return item, Sentence(tuple(tokens), tuple(starts))


class TranslationPipeline:
    """Translates texts of any length, sentence by sentence; the spacing between sentences stays."""

    task = "translate"

    def __init__(
        self,
        translator: Translates,
        manifest: Manifest,
        *,
        search: SearchConfig | None = None,
        alternatives: int = 0,
        attention: bool = False,
    ) -> None:
        self.translator: Any = translator
        self.manifest = manifest
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
        """The translation of one text, given as a string or as its words; many texts are for `pipe`.

        Raises ValueError for what is no text, TypeError for a list that cannot be the words of one.
        """
        must_be_one(text)
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(
        self, inputs: Iterable[Text], *, batch_size: int | None = None
    ) -> Iterator[TranslationPrediction | Failure]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of a TagPipeline."""
        return self._predictions(chunks_of(inputs, batch_size))

    def _predictions(self, chunks: Iterable[tuple[int, list[Text]]]) -> Iterator[TranslationPrediction | Failure]:
        for number, chunk in chunks:
            parsed = [self._as_paragraphs(item, number + index) for index, item in enumerate(chunk)]
            answers = iter(self._translated([one[1] for one in parsed if not isinstance(one, Failure)]))
            for one in parsed:
                if isinstance(one, Failure):
                    yield one
                else:
                    parts, own = next(answers)
                    yield joined(one[0], parts, own, alternatives=self.alternatives, attention=self.attention)

    def _translated(self, texts: Sequence[Sequence[Part]]) -> list[tuple[list[Part], list[Translated]]]:
        """The parts of each text, and the translations of those that are to be translated.

        Parts that come back without their numbers are asked again with others in their place, and parts that come back
        without their addresses are cut there, and their pieces translated as well.
        """
        first = iter(self._asked(part.asked for parts in texts for part in parts if part.translated))
        found = [(parts, list(islice(first, sum(part.translated for part in parts)))) for parts in texts]
        lost = [losses(parts, own, self.translator.pieces.source) for parts, own in found]
        second = iter(self._asked(one.instead.asked for each in lost for one in each if one.instead))
        found = [better(*one, each, second) for one, each in zip(found, lost, strict=True)]
        cut = [in_pieces(parts, own) for parts, own in found]
        again = iter(self._asked(p.asked for each in cut for pieces in each for p in pieces if p.translated))
        return [mended(*one, each, again) for one, each in zip(found, cut, strict=True)]

    def _asked(self, sentences: Iterable[str]) -> list[Translated]:
        wanted = list(sentences)
        if not wanted:
            return []
        alternatives = max(1, self.alternatives)
        found: list[Translated] = self.translator.translate(
            wanted, self.search, alternatives=alternatives, attention=self.attention
        )
        return found

    def _as_paragraphs(self, item: Text, number: int) -> tuple[str, list[Part]] | Failure:
        """A text and its parts; half a pair of surrogates, which no subword model can read, is U+FFFD in them."""
        if not isinstance(item, str):
            given = given_words(item, number)
            if isinstance(given, Failure):
                return given
            item = given[0]
        text = item.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        parts = parts_of(text, as_written=self.translator.pieces.source.capitals_alone)
        return item, short_parts(parts, self.translator.fits)
