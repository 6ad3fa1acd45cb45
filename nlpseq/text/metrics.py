"""Scores, each defined once: label accuracy, and precision, recall and F1 of spans as conlleval counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nlpseq.text.tags import spans_of

BINS = 15


@dataclass
class Accuracy:
    """Counts of right labels among all, and of (gold, predicted) where they differ."""

    right: int = 0
    total: int = 0
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        """Counts one sentence; both sequences have one label a token."""
        for wanted, got in zip(gold, predicted, strict=True):
            self.total += 1
            if wanted == got:
                self.right += 1
            else:
                self.confusions[wanted, got] += 1

    @property
    def percent(self) -> float:
        """Accuracy in per cent; 0 where nothing was counted."""
        return 100 * self.right / self.total if self.total else 0.0


@dataclass
class Calibration:
    """Whether probabilities mean what they say: how often answers of about the same confidence are right.

    The expected calibration error (Naeini et al. 2015; Guo et al. 2017, section 2) over BINS equal bins.
    """

    counts: list[int] = field(default_factory=lambda: [0] * BINS)
    right: list[int] = field(default_factory=lambda: [0] * BINS)
    confidence: list[float] = field(default_factory=lambda: [0.0] * BINS)

    def add(self, confidence: float, right: bool) -> None:
        """Counts one answer, given with the probability of its label (0 to 1)."""
        place = min(int(confidence * BINS), BINS - 1)
        self.counts[place] += 1
        self.right[place] += right
        self.confidence[place] += confidence

    @property
    def error(self) -> float:
        """The mean distance of confidence and accuracy, per cent, each bin weighed by its answers; 0 without any."""
        distances = (abs(c - r) for c, r in zip(self.confidence, self.right, strict=True))
        return 100 * sum(distances) / max(sum(self.counts), 1)


@dataclass
class SpanCounts:
    """Spans of one class: found and right, found in all, in the gold."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        """Right among predicted, per cent."""
        return 100 * self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Right among gold, per cent."""
        return 100 * self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, per cent."""
        return 200 * self.right / (self.predicted + self.gold) if self.predicted + self.gold else 0.0


@dataclass
class SpanScore:
    """Strict span scores (same class, same first and last token), per class and together (micro-averaged)."""

    classes: dict[str, SpanCounts] = field(default_factory=dict)

    def add(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        """Counts one sentence of gold and predicted tags (any BIO scheme, see `spans_of`)."""
        wanted, got = set(spans_of(gold)), set(spans_of(predicted))
        for spans, name in ((wanted, "gold"), (got, "predicted"), (wanted & got, "right")):
            for label, _, _ in spans:
                counts = self.classes.setdefault(label, SpanCounts())
                setattr(counts, name, getattr(counts, name) + 1)

    @property
    def total(self) -> SpanCounts:
        """The counts of all classes together."""
        every = self.classes.values()
        return SpanCounts(sum(c.right for c in every), sum(c.predicted for c in every), sum(c.gold for c in every))
