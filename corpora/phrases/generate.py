"""Writes train.tsv: everyday phrases, and sentences with names, places, days and numbers, in three languages. CC0.

    python corpora/phrases/generate.py

The result is the same on every run: English, French and German, with tabs between. What ends in an exclamation mark
stands there with a full stop and without a mark, too.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
LISTS = {"name": "given-names", "surname": "surnames", "firm": "organisations"}  # of ../names
EACH = 20  # sentences of a template
SEED = 2024
SLOT = re.compile(r"\{([a-z]+)(2?)\}")
ELIDED = re.compile(r"\b(d|qu)e (?!onze)(?=[aeiouyAEIOUYÉ])")
ENGLISH, FRENCH, GERMAN = 0, 1, 2

Row = tuple[str, ...]  # one text for each language


def rows_of(text: str) -> list[Row]:
    """The lines of a file that are not comments, each divided into its languages."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [tuple(part.strip() for part in line.split(" | ")) for line in lines]


def read(name: str) -> str:
    """A file beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


class Words:
    """What the slots of a template are filled with."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator
        self.listed: dict[str, list[Row]] = {
            slot: [(line,) * 3 for line in read(f"../names/{file}.txt").splitlines()[1:]]
            for slot, file in LISTS.items()
        }
        self.listed |= {slot: rows_of(block) for slot, block in tomllib.loads(read("words.toml")).items()}

    def draw(self, slot: str) -> Row:
        """One filling, in each language."""
        below = self.generator.randrange
        if slot == "day":
            day = below(1, 32)
            return str(day), "1er" if day == 1 else str(day), str(day)
        if slot == "year":
            return (str(below(1750, 2031)),) * 3
        if slot == "number":
            return (str(below(2, self.generator.choice([30, 100, 1000]))),) * 3
        if slot == "price":
            euros, cents = below(1, 100), below(10, 100)
            return f"{euros}.{cents}", f"{euros},{cents}", f"{euros},{cents}"
        if slot == "thousands":
            thousands, rest = below(2, 900), below(1000)
            return tuple(f"{thousands}{mark}{rest:03}" for mark in ", .")
        return self.generator.choice(self.listed[slot])


def filled(template: Row, words: Words) -> Row:
    """A template with its slots filled, the same in each language; what is in two slots of a kind differs."""
    slots = {match[0]: match[1] for text in template for match in SLOT.finditer(text)}
    chosen: dict[str, Row] = {}
    for slot, kind in sorted(slots.items()):
        while slot not in chosen or list(chosen.values()).count(chosen[slot]) > 1:
            chosen[slot] = words.draw(kind)
    texts = [SLOT.sub(lambda match, i=i: chosen[match[0]][i], text) for i, text in enumerate(template)]  # type: ignore[misc]
    texts[FRENCH] = ELIDED.sub(r"\1'", texts[FRENCH])
    return tuple(texts)


def marked(row: Row) -> Iterator[Row]:
    """A row, and what it is with less emphasis."""
    yield row
    if row[ENGLISH].endswith("!"):
        calm = [text.removesuffix("!").rstrip() for text in row]
        yield tuple(f"{text}." for text in calm)
        yield tuple(calm)


def rows() -> list[Row]:
    """All lines, the phrases first, none of them twice."""
    words = Words(random.Random(SEED))
    phrases = [again for row in rows_of(read("phrases.txt")) for again in marked(row)]
    made = [filled(template, words) for template in rows_of(read("templates.txt")) for _ in range(EACH)]
    return list(dict.fromkeys([*phrases, *made]))


if __name__ == "__main__":
    lines = "".join("\t".join(row) + "\n" for row in rows())
    (HERE / "train.tsv").write_text(lines, encoding="utf-8", newline="")
