"""How well a tagger does on labelled sentences, and where it fails: per class, confusions, rare words, lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nlpseq.records import TaggedSentence
from nlpseq.tasks.tagging import Labelled, Tagger
from nlpseq.text.metrics import Accuracy, SpanScore
from nlpseq.text.tags import spans_of

LENGTHS = (10, 20, 40)  # upper bounds of the slices by sentence length, in tokens; the last is open


@dataclass
class ColumnReport:
    """Accuracy of one column, and of its slices: words that are rare in training, and sentences by length."""

    all: Accuracy = field(default_factory=Accuracy)
    rare: Accuracy = field(default_factory=Accuracy)
    by_length: dict[str, Accuracy] = field(default_factory=dict)


@dataclass
class SpanReport:
    """Span scores, those of sentences by length, and how often entities of words that are rare in training were found.

    `rare` and `known` count (found, in the gold) entities with and without a word rare or unseen in training.
    """

    all: SpanScore = field(default_factory=SpanScore)
    by_length: dict[str, SpanScore] = field(default_factory=dict)
    rare: list[int] = field(default_factory=lambda: [0, 0])
    known: list[int] = field(default_factory=lambda: [0, 0])


@dataclass
class TaggingReport:
    """What `evaluate` tells of a tagger."""

    sentences: int = 0
    tokens: int = 0
    columns: dict[str, ColumnReport] = field(default_factory=dict)
    spans: SpanReport | None = None
    errors: list[tuple[int, TaggedSentence, Labelled]] = field(default_factory=list)  # wrong labels, worst first


def report(tagger: Tagger, examples: Sequence[TaggedSentence], *, worst: int = 5) -> TaggingReport:
    """Predicts the tokens of the examples and compares with every column that both they and the tagger have."""
    result = TaggingReport()
    for example, labelled in zip(examples, tagger.predict([e.tokens for e in examples]), strict=True):
        result.sentences += 1
        result.tokens += len(example.tokens)
        wrong = 0
        for column, gold in example.columns.items():
            if column in labelled.labels:
                wrong += sum(a != b for a, b in zip(gold, labelled.labels[column], strict=True))
                _count(result, tagger, example, column, labelled.labels[column])
        if wrong:
            result.errors.append((wrong, example, labelled))
    result.errors = sorted(result.errors, key=lambda e: -e[0] / len(e[1].tokens) ** 0.5)[:worst]
    return result


def _count(result: TaggingReport, tagger: Tagger, example: TaggedSentence, column: str, got: list[str]) -> None:
    gold = example.columns[column]
    known = [tagger.words.frequent(token) for token in example.tokens]
    if column == "ner":
        result.spans = result.spans or SpanReport()
        result.spans.all.add(gold, got)
        result.spans.by_length.setdefault(_slice(len(gold)), SpanScore()).add(gold, got)
        found = set(spans_of(got))
        for span in spans_of(gold):
            counts = result.spans.known if all(known[span[1] : span[2]]) else result.spans.rare
            counts[0] += span in found
            counts[1] += 1
        return
    part = result.columns.setdefault(column, ColumnReport())
    part.all.add(gold, got)
    part.by_length.setdefault(_slice(len(gold)), Accuracy()).add(gold, got)
    unseen = [index for index, is_known in enumerate(known) if not is_known]
    part.rare.add([gold[i] for i in unseen], [got[i] for i in unseen])


def _slice(length: int) -> str:
    """The name of the slice by length: `1-10`, `11-20`, `21-40`, `41-`, sorted as they stand in LENGTHS."""
    low = 1
    for high in LENGTHS:
        if length <= high:
            return f"{low}-{high}"
        low = high + 1
    return f"{low}-"
