"""The settings of a translator. No torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nlpseq.config import DecoderConfig, EncoderConfig, SearchConfig, Section, TrainingConfig
from nlpseq.tasks.translation_pieces import PiecesConfig


class VectorsConfig(Section, frozen=True):
    """How a piece becomes a vector, and a vector a piece again."""

    width: Annotated[
        int, Meta(ge=1, description="dimensions of a piece's vector, and of what the output layer reads")
    ] = 256
    tied: Annotated[
        Literal["none", "target", "all"],
        Meta(description="one matrix for the decoder's input and output; all: for a source of the same pieces, too"),
    ] = "all"
    dropout: Annotated[float, Meta(ge=0, lt=1, description="variational dropout on the vectors of pieces")] = 0.2


class SourceConfig(Section, frozen=True):
    """How a source is read."""

    reverse: Annotated[bool, Meta(description="from its end to its beginning (Sutskever et al. 2014)")] = True
    limit: Annotated[
        int, Meta(ge=8, description="longest sentence in pieces, on either side; what comes after it is not read")
    ] = 200


class AugmentConfig(Section, frozen=True):
    """Other names and numbers in training pairs."""

    replace_copied: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="part of the pairs with a name or number that both sides have, read with another one",
        ),
    ] = 0.0
    names: Annotated[
        tuple[str, ...],
        Meta(description="lists of names to draw from, each a file or one in corpora/names"),
    ] = ("given-names", "surnames")


class TeachingConfig(Section, frozen=True):
    """How a translator is taught and examined."""

    label_smoothing: Annotated[float, Meta(ge=0, lt=1, description="probability spread over all pieces")] = 0.1
    teacher_forcing: Annotated[
        float,
        Meta(ge=0, le=1, description="part of the decoder's inputs that are true; the others are its own predictions"),
    ] = 1.0
    dev_sentences: Annotated[
        int, Meta(ge=1, description="development sentences, evenly drawn, that are translated at an evaluation")
    ] = 1000


class TranslationConfig(Section, frozen=True):
    """All settings of a translator."""

    pieces: PiecesConfig = PiecesConfig()
    source: SourceConfig = SourceConfig()
    vectors: VectorsConfig = VectorsConfig()
    encoder: EncoderConfig = EncoderConfig(layers=1, width=256, dropout=0.3)
    decoder: DecoderConfig = DecoderConfig()
    augment: AugmentConfig = AugmentConfig()
    teaching: TeachingConfig = TeachingConfig()
    search: SearchConfig = SearchConfig()
    training: TrainingConfig = TrainingConfig()
