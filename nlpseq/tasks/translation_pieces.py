"""The subword pieces of two languages: one model for both, or one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, NamedTuple
from unicodedata import normalize

from msgspec import Meta

from nlpseq.config import Section
from nlpseq.text.piece_draws import PieceDraws
from nlpseq.text.pieces import END, NO_CHARACTERS, PieceKind, Pieces
from nlpseq.text.scripts import CHARACTERS_A_WORD, spaceless

USUAL_PIECES, FEWEST_PIECES = 8000, 800  # without a word from the user, by how much text there is
WORDS_A_PIECE = 25  # running words of the training text, at least, for each piece of a model
SPACELESS_A_PIECE = WORDS_A_PIECE * CHARACTERS_A_WORD  # characters without spaces, for each piece that joins some


class PiecesConfig(Section, frozen=True):
    """How text is split into pieces."""

    size: Annotated[
        Annotated[int, Meta(ge=300)] | None,
        Meta(description="pieces of a model, 256 bytes among them; null: 8,000, of a small corpus fewer"),
    ] = None
    kind: Annotated[PieceKind, Meta(description="how SentencePiece makes them")] = "unigram"
    joint: Annotated[bool, Meta(description="one model for both languages")] = True
    sampling: Annotated[
        float, Meta(ge=0, le=1, description="part of the training pairs that are split at random, each time anew")
    ] = 0.0
    alpha: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="unigram: the larger, the more the usual way to split is preferred (Kudo 2018); bpe: part of "
            "the merges left out, the larger, the rarer is the usual way (Provilkov et al. 2020)",
        ),
    ] = 0.2


class PiecePair(NamedTuple):
    """The models of the source and the target; where they are joint, the same object."""

    source: Pieces
    target: Pieces

    @property
    def joint(self) -> bool:
        """Whether one model is for both."""
        return self.source is self.target

    @classmethod
    def trained(cls, config: PiecesConfig, sources: Sequence[str], targets: Sequence[str], seed: int) -> PiecePair:
        """Models of the training text. Raises DataError where it is too little."""
        if config.joint:
            joint = _trained(config, [*chain.from_iterable(zip(sources, targets, strict=True))], seed)
            return cls(joint, joint)
        return cls(_trained(config, sources, seed), _trained(config, targets, seed))

    @staticmethod
    def ids(pieces: Pieces, text: str) -> list[int]:
        """The ids of a text with an end."""
        return [*pieces.ids(text), END]

    def draws(self, config: PiecesConfig) -> tuple[PieceDraws, PieceDraws]:
        """What draws ways to split sources, and targets."""
        source = PieceDraws(self.source, config.kind, config.alpha)
        return source, source if self.joint else PieceDraws(self.target, config.kind, config.alpha)

    def fits(self, text: str, limit: int) -> bool:
        """Whether a source is of so many pieces at most, its end included."""
        return len(self.ids(self.source, text)) <= limit

    def to_plain(self) -> dict[str, Any]:
        """The bytes of the models, by name."""
        return (
            {"pieces": self.source.model} if self.joint else {"source": self.source.model, "target": self.target.model}
        )

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PiecePair:
        """The inverse of `to_plain`. Raises TrustError for bytes that are no model."""
        if "pieces" in plain:
            joint = Pieces(plain["pieces"])
            return cls(joint, joint)
        return cls(Pieces(plain["source"]), Pieces(plain["target"]))


def _trained(config: PiecesConfig, sentences: Sequence[str], seed: int) -> Pieces:
    return Pieces.trained(sentences, config.size or _usual_size(sentences), kind=config.kind, seed=seed)


def _usual_size(sentences: Sequence[str]) -> int:
    """Few pieces for few words; where there are no spaces, one for each character, and others by how many come."""
    words = sum(len(sentence.split()) for sentence in sentences)
    alphabet = len(set(chain.from_iterable(normalize("NFKC", sentence) for sentence in sentences)))
    joining = sum(map(spaceless, sentences)) // SPACELESS_A_PIECE
    return min(USUAL_PIECES, max(FEWEST_PIECES, words // WORDS_A_PIECE, NO_CHARACTERS + alphabet + joining))
