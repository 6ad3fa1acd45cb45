"""Subword pieces: SentencePiece (Kudo & Richardson 2018) trained on sentences in memory, and kept as bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

from nlpseq.errors import DataError, TrustError

PIECE_PADDING, PIECE_UNKNOWN, BEGIN, END = 0, 1, 2, 3  # ids that every model of ours reserves
NO_CHARACTERS = 261  # pieces beside those of a text's own characters: the reserved ids, the bytes, and the space
PieceKind = Literal["unigram", "bpe"]
SAMPLED_SENTENCES = 1_000_000  # no more are looked at, so that memory stays bounded
LONGEST = 4096  # characters of a sentence that is looked at; longer ones are cut


class Pieces:
    """A SentencePiece model with byte fallback: every text has ids, and they give it back.

    White space is normalised by the model's rule (NFKC, runs of spaces as one). Ids 0 to 3 are padding, unknown (never
    given, thanks to the bytes), begin and end of a sentence.
    """

    def __init__(self, model: bytes) -> None:
        """Raises TrustError where the bytes are no SentencePiece model with our reserved ids."""
        import sentencepiece

        self.model = model
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (RuntimeError, ValueError) as error:
            raise TrustError(f"The subword model cannot be read: {error}.") from None
        reserved = self._processor
        if (reserved.pad_id(), reserved.unk_id(), reserved.bos_id(), reserved.eos_id()) != (0, 1, BEGIN, END):
            raise TrustError(
                "The subword model has other reserved ids than 0 to 3 for padding, unknown, begin and end."
            )

    @classmethod
    def trained(cls, sentences: Iterable[str], size: int, *, kind: PieceKind = "unigram", seed: int = 1) -> Pieces:
        """A model of at most `size` pieces (fewer where the text has no more), 256 bytes and 4 reserved ids among them.

        Raises DataError where the sentences are too few or `size` is too small for their characters.
        """
        import sentencepiece

        target = io.BytesIO()
        sentencepiece.set_random_generator_seed(seed % 2**32)
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(stretch for sentence in sentences for stretch in _stretches(sentence)),
                model_writer=target,
                vocab_size=size,
                model_type=kind,
                byte_fallback=True,
                hard_vocab_limit=False,
                character_coverage=0.9999,
                input_sentence_size=SAMPLED_SENTENCES,
                shuffle_input_sentence=True,
                max_sentence_length=4 * LONGEST,  # bytes, four a character at most; longer ones would be passed over
                num_threads=1,  # more threads give another model each time
                pad_id=PIECE_PADDING,
                unk_id=PIECE_UNKNOWN,
                bos_id=BEGIN,
                eos_id=END,
                minloglevel=2,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise DataError(
                f"No subword model of {size} pieces can be made of the training text: {_reason(str(error))}"
            ) from None
        return cls(target.getvalue())

    def __len__(self) -> int:
        """Number of ids, the reserved ones and the bytes included."""
        return int(self._processor.get_piece_size())

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without begin or end."""
        return list(self._processor.encode(text))

    def ids_of_many(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of several texts."""
        return [list(row) for row in self._processor.encode(list(texts))]

    def normalised(self, text: str) -> str:
        """The text as it is split: white space by the model's rule, `▁` before each word."""
        return str(self._processor.normalize(text))

    def unspelt(self, word: str) -> bool:
        """Whether a word has a character that there is no piece for, but its bytes."""
        return any(map(self._processor.is_byte, self._processor.encode(word)))

    def byte_ids(self, text: str) -> list[int]:
        """The ids of its bytes, for what has no piece."""
        return [int(self._processor.piece_to_id(f"<0x{byte:02X}>")) for byte in text.encode()]

    def scored(self) -> dict[str, tuple[int, float]]:
        """Id and score of each piece of text; bytes and reserved ids are none."""
        model = self._processor
        own = (index for index in range(END + 1, len(self)) if not (model.is_byte(index) or model.is_unused(index)))
        return {str(model.id_to_piece(index)): (index, float(model.get_score(index))) for index in own}

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids spell; reserved ids are silent."""
        return str(self._processor.decode([index for index in ids if index > END]))

    def names(self, ids: Sequence[int]) -> list[str]:
        """The pieces as they are written in the model, `▁` for a space before."""
        return [str(self._processor.id_to_piece(index)) for index in ids]

    @cached_property
    def capitals_alone(self) -> bool:
        """Whether the pieces have capitals and no small letters."""
        letters = "".join(self.names(range(NO_CHARACTERS - 1, len(self))))
        return any(map(str.isupper, letters)) and not any(map(str.islower, letters))


def _reason(error: str) -> str:
    """What SentencePiece says, or where that is how many pieces it needs, what to do."""
    if least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", error):
        return (
            f"its characters, the bytes and the reserved ids are {least[1]} already. Set pieces.size (of a language "
            f"model text.size) to {least[1]} or more."
        )
    return error.strip().splitlines()[-1]


def _stretches(text: str) -> Iterator[str]:
    """A text cut at spaces where there are any, no stretch longer than LONGEST."""
    begin = 0
    while len(text) - begin > LONGEST:
        end = text.rfind(" ", begin + 1, begin + LONGEST)
        end = end if end > 0 else begin + LONGEST
        yield text[begin:end]
        begin = end
    yield text[begin:]
