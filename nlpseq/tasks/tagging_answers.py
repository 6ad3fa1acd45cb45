"""What a tagger says of sentences, put together into the prediction for the text that they are of. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add
from typing import NamedTuple

from nlpseq.records import Span, TagPrediction, Token
from nlpseq.text.tags import spans_of
from nlpseq.text.tokenizer import Sentence


class Labelled(NamedTuple):
    """Predicted labels of one sentence, by column, with the marginal probability of each."""

    labels: dict[str, list[str]]
    probabilities: dict[str, list[float]]


def assembled(
    text: str, sentences: Sequence[Sentence], labelled: Iterator[Labelled], *, as_one: bool = False
) -> TagPrediction:
    """One text's prediction, from those of its sentences, which are taken from `labelled`.

    With `as_one` they are parts of one sentence, cut for the network alone.
    """
    tokens: list[Token] = []
    entities: list[Span] = []
    begins: list[int] = []
    for sentence in sentences:
        one = next(labelled)
        begins.append(len(tokens))
        tokens += _tokens(sentence, one)
        entities += _entities(text, sentence, one)
    return TagPrediction(text, tuple(tokens), tuple(entities), tuple(begins[:1] if as_one else begins))


def _tokens(sentence: Sentence, labelled: Labelled) -> list[Token]:
    nothing: list[str | None] = [None] * len(sentence.tokens)
    columns = [labelled.labels.get(name, nothing) for name in ("upos", "xpos", "ner")]
    ends = map(add, sentence.starts, map(len, sentence.tokens))
    shares = [*labelled.probabilities.values()]
    scores = map(min, *shares) if len(shares) > 1 else shares[0]
    return list(map(Token, sentence.tokens, sentence.starts, ends, *columns, scores))


def _entities(text: str, sentence: Sentence, labelled: Labelled) -> list[Span]:
    if "ner" not in labelled.labels:
        return []
    result: list[Span] = []
    for label, first, end in spans_of(labelled.labels["ner"]):
        start, stop = sentence.starts[first], sentence.starts[end - 1] + len(sentence.tokens[end - 1])
        score = min(labelled.probabilities["ner"][first:end])
        result.append(Span(text[start:stop], label, start, stop, score))
    return result
