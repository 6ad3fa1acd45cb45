"""What a renderer is given for each input: the prediction, and what came with the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from nlpseq.records import Continuation, Failure, SentimentPrediction, TagPrediction, TranslationPrediction

# Of any task: each new task joins its record here.
Prediction = TagPrediction | SentimentPrediction | TranslationPrediction | Continuation


P = TypeVar("P", TagPrediction, SentimentPrediction, TranslationPrediction, Continuation)


class Answer(NamedTuple):
    """One input's prediction, or its failure, and the keys of the input that are only passed through."""

    prediction: Prediction | Failure
    extra: Mapping[str, object] = {}


def of_kind(answers: Iterable[Answer], kind: type[P]) -> Iterator[tuple[P | Failure, Mapping[str, object]]]:
    """The answers of a task whose predictions are of one kind."""
    for prediction, extra in answers:
        assert isinstance(prediction, kind | Failure), "a task's predictions are of its kind"
        yield prediction, extra


def further(prediction: SentimentPrediction) -> str:
    """The likeliest label of each further scheme, as `, topic: food 81%`."""
    best = {scheme: max(scores.items(), key=lambda pair: pair[1]) for scheme, scores in prediction.others.items()}
    return "".join(f", {scheme}: {label} {score:.0%}" for scheme, (label, score) in best.items())
