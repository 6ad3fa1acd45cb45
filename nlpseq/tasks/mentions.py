"""Other names in the place of those in a training sentence, so that context has to tell what a name is.

Mention replacement (Dai & Adel 2020): a span of a class becomes another span of that class, seen elsewhere in training
or listed by the user.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from nlpseq.corpora.files import read_lines
from nlpseq.errors import DataError, UsageError, some
from nlpseq.records import TaggedSentence
from nlpseq.shipped import shipped_folder
from nlpseq.tasks.tagging_config import AugmentConfig
from nlpseq.text.tags import spans_of

Name = tuple[str, ...]  # its words
Pattern = Sequence[Sequence[Name]]  # lists of names; one of each, side by side, make a name


class Mentions:
    """Names by class, and how their words are labelled in the other columns.

    Raises DataError where a list of names is missing or empty, UsageError for lists of a class that no example has, or,
    where the lists were `inherited` from another training, leaves them out.
    """

    def __init__(self, config: AugmentConfig, examples: Sequence[TaggedSentence], *, inherited: bool = False) -> None:
        self.listed_part = config.listed_part
        self.listed: dict[str, list[Pattern]] = {
            label: [[read_names(named_file(name)) for name in pattern.split()] for pattern in patterns]
            for label, patterns in config.names.items()
        }
        self.seen: dict[str, list[Name]] = {}
        words: dict[str, dict[str, Counter[str]]] = {}
        names: dict[str, Counter[str]] = {}
        for example in examples:
            inside = self._learn_mentions(example)
            for column, labels in example.columns.items():
                if column != "ner":
                    by_word = words.setdefault(column, {})
                    for index, (token, label) in enumerate(zip(example.tokens, labels, strict=True)):
                        by_word.setdefault(token, Counter())[label] += 1
                        if index in inside and token[:1].isupper():
                            names.setdefault(column, Counter())[label] += 1
        strange = sorted(set(self.listed) - set(self.seen))
        if inherited:
            self.listed = {label: patterns for label, patterns in self.listed.items() if label in self.seen}
        elif strange and self.seen:
            told = some(sorted(self.seen))
            raise UsageError(
                f"augment.names: no training example has names of the class {some(strange)}; they have {told}."
            )
        self._of_words = {c: {w: n.most_common(1)[0][0] for w, n in by.items()} for c, by in words.items()}
        self._of_names = {column: count.most_common(1)[0][0] for column, count in names.items()}

    def _learn_mentions(self, example: TaggedSentence) -> set[int]:
        inside: set[int] = set()
        for label, first, end in spans_of(example.columns.get("ner", ())):
            self.seen.setdefault(label, []).append(example.tokens[first:end])
            inside.update(range(first, end))
        return inside

    def words(self) -> Iterable[str]:
        """Every word of every listed name."""
        lists = (names for patterns in self.listed.values() for pattern in patterns for names in pattern)
        return (word for names in lists for name in names for word in name)

    def replace(self, example: TaggedSentence, seed: int) -> TaggedSentence:
        """The example with every name changed for another of its class; the same seed gives the same names.

        Other columns get, at a name's words, the label that names mostly have, or that a lower-case word itself has.
        """
        generator = random.Random(seed)
        tokens: list[str] = []
        columns: dict[str, list[str]] = {column: [] for column in example.columns}
        at = 0
        for label, first, end in [*spans_of(example.columns["ner"]), ("", len(example.tokens), len(example.tokens))]:
            tokens += example.tokens[at:first]
            for column, labels in example.columns.items():
                columns[column] += labels[at:first]
            if label:
                name = self._other(label, generator)
                tokens += name
                columns["ner"] += [f"B-{label}", *[f"I-{label}"] * (len(name) - 1)]
                for column in columns.keys() - {"ner"}:
                    columns[column] += [self._label(column, word) for word in name]
            at = end
        return TaggedSentence(
            tokens=tuple(tokens), starts=(), text="", columns={name: tuple(labels) for name, labels in columns.items()}
        )

    def _other(self, label: str, generator: random.Random) -> Name:
        if label in self.listed and generator.random() < self.listed_part:
            pattern = generator.choice(self.listed[label])
            return tuple(word for names in pattern for word in generator.choice(names))
        return generator.choice(self.seen[label])

    def _label(self, column: str, word: str) -> str:
        known = self._of_words[column].get(word)
        if word[:1].isupper() or known is None:
            return self._of_names.get(column) or known or next(iter(self._of_words[column].values()))
        return known


def read_names(path: str | Path) -> list[Name]:
    """The names of a file, one a line, as tuples of words (a hyphen is one); lines that begin with # are passed over.

    Raises DataError where there is no such file, or no name in it.
    """
    lines = (line.replace("-", " - ") for _, line in read_lines(path) if not line.startswith("#"))
    names = [tuple(line.split()) for line in lines if line.strip()]
    if not names:
        raise DataError("It holds no name.", path)
    return names


def named_file(name: str) -> Path:
    """The file of a list: a path, or the name of one that came with the install."""
    shipped = shipped_folder("corpora") / "names" / f"{name}.txt"
    return shipped if shipped.is_file() else Path(name)
