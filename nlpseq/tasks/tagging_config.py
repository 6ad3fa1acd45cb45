"""The settings of a tagger, and its vocabularies as a checkpoint has them. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nlpseq.config import EmbeddingConfig, EncoderConfig, Section, TokenizerConfig, TrainingConfig
from nlpseq.text.rules import Rules, read_rules
from nlpseq.text.tags import split_tag
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

COLUMNS = ("upos", "xpos", "ner")

Decoder = Literal["softmax", "crf"]


class AugmentConfig(Section, frozen=True):
    """Other names in training sentences."""

    replace_mentions: Annotated[
        float,
        Meta(ge=0, le=1, description="part of the sentences with names that is read with other names, anew each time"),
    ] = 0.0
    listed_part: Annotated[
        float,
        Meta(ge=0, le=1, description="part of those names that comes from lists, not from other training sentences"),
    ] = 0.5
    names: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description='lists by class, each a file or one in corpora/names; "given-names surnames" joins one of each'
        ),
    ] = msgspec.field(default_factory=dict)


class HeadsConfig(Section, frozen=True):
    """What is predicted from the encoder's states."""

    columns: Annotated[
        tuple[Literal["upos", "xpos", "ner"], ...],
        Meta(description="columns of the corpus that are learnt, where the corpus has them"),
    ] = COLUMNS  # type: ignore[assignment]
    upos: Annotated[Decoder, Meta(description="how UPOS is decoded")] = "softmax"
    xpos: Annotated[Decoder, Meta(description="how XPOS is decoded")] = "softmax"
    ner: Annotated[Decoder, Meta(description="how NER is decoded; without the CRF, tag sequences may be broken")] = (
        "crf"
    )
    ner_weight: Annotated[float, Meta(gt=0, description="weight of the NER loss beside 1 for each other column")] = 1.0
    ner_width: Annotated[
        int, Meta(ge=0, description="hidden units, each way, of a further recurrent layer for NER alone; 0: none")
    ] = 0
    label_smoothing: Annotated[
        float, Meta(ge=0, lt=1, description="probability spread over all labels (softmax only)")
    ] = 0.0
    teacher_weight: Annotated[
        float, Meta(ge=0, le=1, description="part of the loss that compares with the teachers, where there are any")
    ] = 0.5


class TaggingConfig(Section, frozen=True):
    """All settings of a tagger."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    encoder: EncoderConfig = EncoderConfig()
    heads: HeadsConfig = HeadsConfig()
    augment: AugmentConfig = AugmentConfig()
    training: TrainingConfig = TrainingConfig()
    lowercase: Annotated[
        float, Meta(ge=0, le=1, description="part of the training sentences that is read lower-cased, each time anew")
    ] = 0.05


def read_plain(plain: Mapping[str, Any]) -> tuple[WordVocabularies, dict[str, Vocabulary], Rules | None]:
    """The words, the labels by column, and the rules of the tokenizer that `Tagger.to_plain` gave.

    Raises ValueError and the like for others.
    """
    labels = {column: Vocabulary(symbols, reserved=0) for column, symbols in plain["labels"].items()}
    for tag in labels["ner"].symbols if "ner" in labels else ():
        split_tag(tag)
    return WordVocabularies.from_plain(plain["words"]), labels, read_rules(plain)
