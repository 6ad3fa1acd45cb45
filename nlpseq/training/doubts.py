"""What is told of the examples of a training run before it begins, and of its scores at the end: what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nlpseq.corpora.plain import PlainText
from nlpseq.errors import some
from nlpseq.records import LabelledText, TaggedSentence

FEW = 3  # examples that a label has in the middle, below which many labels are hardly learnt
MANY = 20  # labels
TOO_MANY = 0.2  # part of the development examples that may be training examples, too: "Thank you." comes again
LONG = 100_000  # lines of a text, beyond which nothing is to be seen of a training for half a minute or more


def doubts(train: Sequence[Any], dev: Sequence[Any]) -> Iterator[str]:
    """Sentences about labels, of tagged sentences and of labelled texts: those that dev alone has, those that differ in
    case alone, and those that are too many for so few examples. Of a long text, what comes before the first step.
    """
    if isinstance(train, PlainText) and len(train) > LONG:
        yield (
            f"The {len(train):,} lines are read several times and kept as numbers before the first step, which may "
            "take minutes."
        )
    if not train or not isinstance(train[0], TaggedSentence | LabelledText):
        return
    seen, wanted = _counted(train), _counted(dev)
    known = {_read(example) for example in train}
    again = sum(_read(example) in known for example in dev)
    if again > TOO_MANY * len(dev):
        yield (
            f"{again:,} of {len(dev):,} development examples are training examples, too, so that scores on them say "
            "little of others."
        )
    for name, counts in seen.items():
        if len(counts) == 1:
            yield f"{name}: all training examples have the label {next(iter(counts))} alone; there is nothing to learn."
        strange = sorted(wanted.get(name, Counter()).keys() - counts.keys())
        if strange:
            yield f"{name}: development examples have labels that are never trained: {some(strange)}."
        alike = _alike(counts)
        if alike:
            yield f"{name}: labels that differ in case alone are learnt as several: {some(alike)}."
        middle = sorted(counts.values())[len(counts) // 2]
        if len(counts) > MANY and middle < FEW:
            yield f"{name}: half of its {len(counts):,} labels come {middle} time(s) at most; is this the right column?"


def _read(example: Any) -> Any:
    return example.text if isinstance(example, LabelledText) else example.tokens


def doubt_of(scores: Mapping[str, float], dev: Sequence[Any]) -> str | None:
    """A sentence about scores (per cent, on `dev`) that are no better than those of the commonest label everywhere."""
    poor = [f"{name} {scores[name]:.2f}" for name, least in _trivial(dev).items() if scores.get(name, 101) <= least]
    if not poor:
        return None
    return (
        f"{some(poor)}: no better than always giving the commonest label. Train longer (training.epochs), "
        "with less dropout (embedding.dropout, encoder.dropout), or at another training.learning_rate."
    )


def _trivial(dev: Sequence[Any]) -> dict[str, float]:
    """What the commonest label everywhere would score, where there are several: of names, none is found."""
    if not dev or not isinstance(dev[0], TaggedSentence | LabelledText):
        return {}
    counted = {name: counts for name, counts in _counted(dev).items() if len(counts) > 1}
    return {name: 0.0 if name == "ner" else 100 * max(c.values()) / c.total() for name, c in counted.items()}


def _counted(examples: Iterable[Any]) -> dict[str, Counter[str]]:
    result: dict[str, Counter[str]] = {}
    for example in examples:
        if isinstance(example, LabelledText):
            for scheme, label in example.settled().items():
                result.setdefault(scheme, Counter())[label] += 1
        else:
            for column in ("upos", "xpos", "ner"):
                if column in example.columns:
                    result.setdefault(column, Counter()).update(example.columns[column])
    return result


def _alike(labels: Iterable[str]) -> list[str]:
    folded: dict[str, list[str]] = {}
    for label in labels:
        folded.setdefault(label.casefold(), []).append(label)
    return [" and ".join(sorted(same)) for same in folded.values() if len(same) > 1]
