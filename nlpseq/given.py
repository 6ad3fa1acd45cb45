"""What users give to a pipeline: texts, or tokens in their place, read ahead a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from nlpseq.errors import UsageError
from nlpseq.records import Failure, TokenizedText
from nlpseq.text.tokenizer import Sentence

Text = str | Sequence[str] | TokenizedText
READ_AHEAD = 1024  # inputs read before the first of them is answered, at most
FAR_AHEAD = 4096  # the same of tasks that answer thousands a second: the more at once, the fuller their batches
CHARACTERS_AHEAD = 200 * READ_AHEAD  # no more inputs are read when those that wait have so many
FIRST_READ = 16  # the first inputs are answered sooner
GROWTH = 4  # times as many are read ahead after each, until they are the most: small batches are slow


def given_words(item: Sequence[str] | TokenizedText, number: int) -> tuple[str, Sentence] | Failure:
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


def must_be_one(given: Any) -> None:
    """Raises TypeError for a list of what cannot be the words of one text, since there is white space in them."""
    if isinstance(given, list | tuple) and any(isinstance(word, str) and len(word.split()) > 1 for word in given):
        raise TypeError(
            "A list is read as the words of one text, and these have white space in them. Give many texts to pipe(), "
            "and words with white space as a TokenizedText."
        )


def must_be_many(inputs: Iterable[Text], size: int | None) -> None:
    """Raises TypeError where `inputs` is one text, UsageError where `size` is less than 1."""
    if isinstance(inputs, str | bytes | TokenizedText):
        raise TypeError("pipe() takes many texts, as a list of them. Call the pipeline itself with one.")
    if size is not None and size < 1:
        raise UsageError(f"batch_size is {size}. Give 1 or more, or None to leave it to the pipeline.")


def characters_of(item: Any) -> int:
    """The characters of an input, with a space behind each word where it is given as words; of what is none, 0."""
    if isinstance(item, str):
        return len(item)
    if isinstance(item, TokenizedText):
        return len(item.text)
    words = item if isinstance(item, list | tuple) else ()
    return sum(len(word) + 1 for word in words if isinstance(word, str))


def behind(answer: Any, before: int) -> Any:
    """The answer to an input that has so many others before those that it was asked with: a Failure tells its place."""
    if before and isinstance(answer, Failure):
        return msgspec.structs.replace(answer, line=answer.line + before)
    return answer


def chunks_of(inputs: Iterable[Text], size: int | None, most: int = READ_AHEAD) -> Iterator[tuple[int, list[Text]]]:
    """Inputs in lists, each with the number of its first input, from 1. Raises, at once, as `must_be_many`."""
    must_be_many(inputs, size)
    return _numbered(read_ahead(inputs, size, most))


def _numbered(chunks: Iterable[list[Text]]) -> Iterator[tuple[int, list[Text]]]:
    number = 1
    for chunk in chunks:
        yield number, chunk
        number += len(chunk)


def read_ahead(inputs: Iterable[Any], size: int | None, most: int = READ_AHEAD) -> Iterator[list[Any]]:
    """Inputs in lists of `size`; where it is None, few at first, for a quick first answer, and then ever more, up to
    `most`, or fewer where they are long.
    """
    limit, characters = size or FIRST_READ, 0
    chunk: list[Any] = []
    for item in inputs:
        chunk.append(item)
        characters += characters_of(item)
        if len(chunk) >= limit or (size is None and characters >= CHARACTERS_AHEAD):
            yield chunk
            chunk, characters = [], 0
            limit = size or min(GROWTH * limit, most)
    if chunk:
        yield chunk
