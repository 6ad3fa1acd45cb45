"""How well a classifier does on labelled texts: per label, by length, confusions, and what its probabilities mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nlpseq.records import LabelledText
from nlpseq.tasks.sentiment import STARS, Classifier
from nlpseq.text.metrics import Accuracy, Calibration, SpanCounts

LENGTHS = (10, 20, 40, 200)  # upper bounds of the slices by length, in tokens; the last is open


@dataclass
class SchemeReport:
    """Scores of one scheme. `classes` counts texts of each label: found and right, found in all, in the gold.

    `ngram_share` is how much the scores of runs of words count, `distance` the sum of the distances between found and
    gold stars.
    """

    all: Accuracy = field(default_factory=Accuracy)
    calibration: Calibration = field(default_factory=Calibration)
    by_length: dict[str, Accuracy] = field(default_factory=dict)
    classes: dict[str, SpanCounts] = field(default_factory=dict)
    temperature: float = 1.0
    ngram_share: float = 0.0
    distance: int = 0


@dataclass
class SentimentReport:
    """What `evaluate` tells of a classifier; `errors` are (probability, gold, found, text), surest first."""

    texts: int = 0
    tokens: int = 0
    schemes: dict[str, SchemeReport] = field(default_factory=dict)
    errors: list[tuple[float, str, str, str]] = field(default_factory=list)


def report(classifier: Classifier, examples: Sequence[LabelledText], *, worst: int = 5) -> SentimentReport:
    """Judges the texts and compares with every scheme that both they and the classifier have."""
    tokens = [classifier.tokens(example.text) for example in examples]
    result = SentimentReport(len(examples), sum(map(len, tokens)))
    for scheme, scores_NK in classifier.probabilities(tokens).items():
        symbols = classifier.labels[scheme].symbols
        best_N, columns_N = (part.tolist() for part in scores_NK.max(1))
        for example, words, score, column in zip(examples, tokens, best_N, columns_N, strict=True):
            gold = example.settled().get(scheme)
            if gold is None:
                continue
            part = result.schemes.setdefault(scheme, SchemeReport())
            part.temperature = classifier.temperatures[scheme]
            part.ngram_share = classifier.shares[scheme] if classifier.network.ngrams else 0.0
            _count(part, scheme, gold, symbols[column], score, len(words))
            if gold != symbols[column] and scheme == classifier.main_scheme:
                result.errors.append((score, gold, symbols[column], example.text))
    result.errors = sorted(result.errors, key=lambda error: -error[0])[:worst]
    return result


def _count(part: SchemeReport, scheme: str, gold: str, got: str, score: float, length: int) -> None:
    part.all.add([gold], [got])
    part.by_length.setdefault(slice_of(length), Accuracy()).add([gold], [got])
    part.calibration.add(score, gold == got)
    part.classes.setdefault(gold, SpanCounts()).gold += 1
    part.classes.setdefault(got, SpanCounts()).predicted += 1
    part.classes[gold].right += gold == got
    if scheme == STARS:
        part.distance += abs(int(gold) - int(got))


def slice_of(length: int) -> str:
    """The name of the slice by length: `1-10`, `11-20` and so on."""
    lows = (1, *(high + 1 for high in LENGTHS))
    return next((f"{low}-{high}" for low, high in zip(lows, LENGTHS, strict=False) if length <= high), f"{lows[-1]}-")
