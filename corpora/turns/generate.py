"""Writes train.csv from templates.txt and words.toml: short texts in which one word turns another. CC0.

    python corpora/turns/generate.py

The result is the same on every run. Three stars have no polarity. Some texts begin with a capital and end with a full
stop, the others are as they stand.
"""

from __future__ import annotations

import csv
import random
import re
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
EACH = 40  # texts of a template, at most
SEED = 2024
SLOT = re.compile(r"\{(\w+)\}")
ARTICLE = re.compile(r"\b(a)n? (?=([a-z]))")
POLARITY = {"1": "negative", "2": "negative", "3": "", "4": "positive", "5": "positive"}


def filled(template: str, words: dict[str, list[str]], generator: random.Random) -> str:
    """A text of a template."""
    text = SLOT.sub(lambda slot: generator.choice(words[slot[1]]), template)
    text = ARTICLE.sub(lambda match: "an " if match[2] in "aeiou" else "a ", text)
    if generator.random() < 0.6:
        text = text[0].upper() + text[1:] + generator.choice("...!")
    return text


def rows() -> list[tuple[str, str, str]]:
    """(text, stars, polarity), all texts different, in random order."""
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    generator = random.Random(SEED)
    found: dict[str, tuple[str, str, str]] = {}
    for line in (HERE / "templates.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            stars, _, template = line.partition(" ")
            for _ in range(EACH):
                text = filled(template, words, generator)
                found.setdefault(text, (text, stars, POLARITY[stars]))
    result = list(found.values())
    generator.shuffle(result)
    return result


if __name__ == "__main__":
    with (HERE / "train.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("text", "stars", "polarity"), *rows()])
