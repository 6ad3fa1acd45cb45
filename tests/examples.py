"""A synthetic tagging corpus: some words have one label (a lookup), some only have one in context.

"can" is a noun after "the" and an auxiliary elsewhere; a name is a person after "Mr" and a place after "in".
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from nlpseq.records import TaggedSentence

NAMES = ("Paris", "Jordan", "Austin", "Sydney", "Chelsea")
NOUNS = ("dog", "cook", "river", "can")
VERBS = ("sing", "sleep", "fall")

Row = tuple[str, str, str, str]  # word, upos, xpos, ner


def tagged(rows: Iterable[Row], columns: tuple[str, ...] = ("upos", "xpos", "ner")) -> TaggedSentence:
    words, *labels = zip(*rows, strict=True)
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    given = dict(zip(("upos", "xpos", "ner"), labels, strict=True))
    return TaggedSentence(
        tokens=words, starts=tuple(starts), text=" ".join(words), columns={name: given[name] for name in columns}
    )


def rows(chance: random.Random) -> list[Row]:
    name, place = chance.choice(NAMES), chance.choice(NAMES)
    noun = chance.choice(NOUNS)
    person = [("Mr", "PROPN", "NNP", "B-PER"), (name, "PROPN", "NNP", "I-PER")]
    thing = [("the", "DET", "DT", "O"), (noun, "NOUN", "NN", "O")]
    where = [("in", "ADP", "IN", "O"), (place, "PROPN", "NNP", "B-LOC")]
    subject = chance.choice([person, thing])
    verb = chance.choice(VERBS)
    ending = chance.choice([[], where, [*where, ("City", "PROPN", "NNP", "I-LOC")]])
    return [*subject, ("can", "AUX", "MD", "O"), (verb, "VERB", "VB", "O"), *ending, (".", "PUNCT", ".", "O")]


def corpus(count: int, seed: int, columns: tuple[str, ...] = ("upos", "xpos", "ner")) -> list[TaggedSentence]:
    chance = random.Random(seed)
    return [tagged(rows(chance), columns) for _ in range(count)]


def write_conllu(path: Path, examples: Iterable[TaggedSentence]) -> Path:
    """As a user's file: entities in MISC."""
    blocks = []
    for example in examples:
        columns = zip(example.tokens, *(example.columns[c] for c in ("upos", "xpos", "ner")), strict=True)
        lines = [
            f"{number}\t{word}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\tNER={ner}"
            for number, (word, upos, xpos, ner) in enumerate(columns, 1)
        ]
        blocks.append("\n".join([f"# text = {example.text}", *lines]) + "\n\n")
    path.write_text("".join(blocks), encoding="utf-8")
    return path
