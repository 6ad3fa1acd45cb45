"""The settings of a language model, and the units that a checkpoint has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from nlpseq.config import EmbeddingConfig, EncoderConfig, Section, TokenizerConfig, TrainingConfig
from nlpseq.text.pieces import PieceKind, Pieces
from nlpseq.text.rules import read_rules
from nlpseq.text.tokenizer import Tokenizer
from nlpseq.text.units import RESERVED, Characters, PieceUnits, Units
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.word_units import WordUnits
from nlpseq.text.words import WordVocabularies

Softmax = Literal["tied", "full", "adaptive"]

ADAPTIVE_CUTS = (2_000, 10_000)  # of the adaptive softmax: the most frequent words, the next, and the rest


class TextConfig(Section, frozen=True):
    """What the model reads and writes."""

    unit: Annotated[
        Literal["pieces", "characters", "words"],
        Meta(
            description="subword pieces, characters, or words; other tasks start from a model of words, or read the "
            "states of any other"
        ),
    ] = "pieces"
    size: Annotated[int, Meta(ge=RESERVED + 1, description="units that can be written, at most")] = 6000
    min_count: Annotated[int, Meta(ge=1, description="characters seen less often are unknown")] = 3
    pieces: Annotated[PieceKind, Meta(description="how SentencePiece makes its pieces")] = "unigram"
    softmax: Annotated[
        Literal["auto", "tied", "full", "adaptive"],
        Meta(description="the output: with the embedding's weights, its own, adaptive; auto: tied, of words adaptive"),
    ] = "auto"
    softmax_samples: Annotated[
        int,
        Meta(
            ge=0,
            description="units drawn in each step, among which and those of the step it is learnt what comes next, "
            "unless the output is adaptive; 0: among all",
        ),
    ] = 0
    distinct: Annotated[bool, Meta(description="leave out lines that came before, in training and when held out")] = (
        True
    )

    def softmax_kind(self) -> Softmax:
        """What `auto` stands for: words are many, and their vectors usually narrow."""
        if self.softmax == "auto":
            return "adaptive" if self.unit == "words" else "tied"
        return self.softmax


class UnitEmbeddingConfig(EmbeddingConfig, frozen=True):
    """How a unit becomes a vector. All but width, hidden and dropout concern words alone."""

    width: Annotated[int, Meta(ge=1, description="dimensions of the vector of a unit")] = 256
    hidden: Annotated[
        float,
        Meta(ge=0, lt=1, description="part of the characters or pieces whose vector is hidden, all through a batch"),
    ] = 0.05
    dropout: Annotated[float, Meta(ge=0, lt=1, description="variational dropout on the vectors")] = 0.1


class LanguageEncoderConfig(EncoderConfig, frozen=True):
    """The recurrent layers; of a tied softmax the last is as wide as the embedding."""

    width: Annotated[int, Meta(ge=1, le=65536, description="hidden units of a layer")] = 512
    bidirectional: Annotated[
        bool, Meta(description="beside it, a second model that reads backwards: for pre-training other tasks")
    ] = False
    dropout: Annotated[float, Meta(ge=0, lt=1, description="variational dropout on what leaves each layer")] = 0.1
    weight_dropout: Annotated[
        float, Meta(ge=0, lt=1, description="part of the recurrent weights that is hidden, all through a batch")
    ] = 0.1
    activation: Annotated[
        float,
        Meta(ge=0, description="penalty on large states of the last layer (alpha in Merity et al. 2017)"),
    ] = 0.0
    slowness: Annotated[
        float, Meta(ge=0, description="penalty on their changes from unit to unit (beta, the same paper)")
    ] = 0.0


class LanguageTrainingConfig(TrainingConfig, frozen=True):
    """The optimisation. Streams of text are read side by side, as many as make up a batch."""

    unroll: Annotated[
        int, Meta(ge=1, description="positions through which errors are propagated; the state is carried on beyond")
    ] = 64
    forget: Annotated[
        float,
        Meta(ge=0, lt=1, description="chance that a stream's state begins anew at a stretch, as it does in use"),
    ] = 0.05
    batch_tokens: Annotated[
        int, Meta(ge=0, description="tokens of a batch: streams times unroll; 0: by the size of the text")
    ] = 0
    epochs: Annotated[int, Meta(ge=1, description="passes over the text")] = 10
    evaluate_every: Annotated[int, Meta(ge=0, description="steps between evaluations; 0: once an epoch")] = 2000
    clip_norm: Annotated[float, Meta(ge=0, description="gradients are scaled down to this norm; 0: never")] = 1.0


class LanguageModelConfig(Section, frozen=True):
    """All settings of a language model."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    text: TextConfig = TextConfig()
    embedding: UnitEmbeddingConfig = UnitEmbeddingConfig()
    encoder: LanguageEncoderConfig = LanguageEncoderConfig()
    training: LanguageTrainingConfig = LanguageTrainingConfig()


def read_units(config: LanguageModelConfig, plain: Mapping[str, Any], words: type[WordUnits[Any]]) -> Units:
    """The units that `plain`, as a checkpoint has it, was made of; those that are words are of the class `words`."""
    unit = config.text.unit
    if unit == "pieces":
        return PieceUnits(Pieces(plain["pieces"]))
    vocabulary = Vocabulary(plain["units"], reserved=RESERVED)
    if unit == "characters":
        return Characters(vocabulary)
    vocabularies = WordVocabularies.from_plain(plain["words"])
    tokenizer = Tokenizer(config.tokenizer.language, rules=read_rules(plain))
    return words(tokenizer, vocabulary, vocabularies, config.embedding.word_length)
