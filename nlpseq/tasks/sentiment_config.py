"""The settings of a text classifier, its schemes, and its vocabularies as a checkpoint has them. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from nlpseq.config import EmbeddingConfig, EncoderConfig, Numbers, PoolingKind, Section, TokenizerConfig, TrainingConfig
from nlpseq.text.rules import Rules, read_rules
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

POLARITY, STARS = "polarity", "stars"
NGRAMS = "ngrams"  # the file of a checkpoint that weighs runs of words
NOTHING = ("",)  # the tokens of a text that has none: one word that nobody knows


class WindowsConfig(Section, frozen=True):
    """How long texts are read."""

    size: Annotated[
        int, Meta(ge=8, description="tokens that the encoder reads in one go; longer texts are read in windows")
    ] = 400
    overlap: Annotated[
        int, Meta(ge=0, description="tokens that neighbouring windows share, at least, so that seams have context")
    ] = 40
    text_limit: Annotated[
        int,
        Meta(ge=8, description="tokens of a text that are read; of a longer one its two ends, and the answer says so"),
    ] = 20_000


class OpinionEmbeddingConfig(EmbeddingConfig, frozen=True):
    """How a word becomes a vector; numbers count, since many opinions end in one."""

    numbers: Numbers = 1000


class ClassifierConfig(Section, frozen=True):
    """From states to labels."""

    pooling: Annotated[
        tuple[PoolingKind, ...],
        Meta(
            min_length=1, description="how the states of a text become one vector: last, mean, max, attention, joined"
        ),
    ] = ("max", "attention")
    ngrams: Annotated[
        int,
        Meta(
            ge=0,
            le=5,
            description="runs of one to so many words are weighed as well, by a linear model of its own; 0: none",
        ),
    ] = 3
    ngram_limit: Annotated[
        int,
        Meta(
            ge=1,
            description="so many runs are weighed at most: those that tell labels apart best; of many labels fewer",
        ),
    ] = 150_000
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout on the pooled vector")] = 0.3
    label_smoothing: Annotated[float, Meta(ge=0, lt=1, description="probability spread over all labels")] = 0.05
    teacher_weight: Annotated[
        float, Meta(ge=0, le=1, description="part of the loss that compares with the teachers, where there are any")
    ] = 0.5
    adversarial: Annotated[
        float,
        Meta(
            ge=0,
            description="texts are read once more, the vectors of each window moved so far against the model; 0: not",
        ),
    ] = 0.0
    virtual_adversarial: Annotated[
        float,
        Meta(
            ge=0,
            description="the same, but to where the answer changes most, labelled or not, which it should not; 0: not",
        ),
    ] = 0.0


class SentimentConfig(Section, frozen=True):
    """All settings of a text classifier."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    embedding: OpinionEmbeddingConfig = OpinionEmbeddingConfig()
    encoder: EncoderConfig = EncoderConfig()
    windows: WindowsConfig = WindowsConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    training: TrainingConfig = TrainingConfig()
    lowercase: Annotated[
        float, Meta(ge=0, le=1, description="part of the training texts that is read lower-cased, each time anew")
    ] = 0.05


def main_scheme(schemes: Iterable[str]) -> str:
    """The scheme that an answer's label is of: polarity, else the first of the user's own, else stars."""
    known = list(schemes)
    return next((s for s in (POLARITY, *known) if s in known and s != STARS), STARS)


class Weighed(Section, frozen=True):
    """What a checkpoint tells of the runs of words that it weighs: their number, and how much they count by scheme."""

    runs: Annotated[int, Meta(ge=1)]
    shares: dict[str, Annotated[float, Meta(ge=0, le=100)]]


class Parts(NamedTuple):
    """What `Classifier.to_plain` has of a classifier: words, labels and temperature of each scheme, the rules of the
    tokenizer, and what is known of runs of words, if any are weighed.
    """

    words: WordVocabularies
    labels: dict[str, Vocabulary]
    temperatures: dict[str, float]
    rules: Rules | None
    weighed: Weighed | None


def read_plain(plain: Mapping[str, Any]) -> Parts:
    """The inverse of `Classifier.to_plain`. Raises ValueError for a temperature that is not positive, and the like for
    other values.
    """
    labels = {scheme: Vocabulary(symbols, reserved=0) for scheme, symbols in plain["labels"].items()}
    temperatures = {scheme: float(plain["temperatures"][scheme]) for scheme in labels}
    if not all(0 < value < float("inf") for value in temperatures.values()):
        raise ValueError("a temperature is not a positive number")
    weighed = msgspec.convert(plain[NGRAMS], Weighed) if NGRAMS in plain else None
    if weighed and set(weighed.shares) != set(labels):
        raise ValueError("the shares are not those of the schemes")
    return Parts(WordVocabularies.from_plain(plain["words"]), labels, temperatures, read_rules(plain), weighed)
