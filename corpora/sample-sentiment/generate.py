"""Writes train.csv and dev.csv of the sample corpus from templates.txt and words.toml. CC0.

    python corpora/sample-sentiment/generate.py

The result is the same on every run. Three stars have no polarity. Texts differ between the splits, and so does a share
of the words and templates.
"""

from __future__ import annotations

import csv
import random
import re
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZES = {"train": 600, "dev": 150}
SEED = 2024
SLOT = re.compile(r"\{(\w+)\}")
LINE = re.compile(r"(\[dev\] )?([1-5]) (.+)")
ARTICLE = re.compile(r"\b([Aa])n? (?=(\w\w))")  # a useful app, an unbearable one
POLARITY = {"1": "negative", "2": "negative", "3": "", "4": "positive", "5": "positive"}


def words(split: str) -> dict[str, list[str]]:
    """The words of each slot that a split may use."""
    lists = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    return {slot: kinds["both"] + kinds.get(split, []) for slot, kinds in lists.items()}


def templates(split: str) -> dict[str, list[str]]:
    """The templates that a split uses, by their stars."""
    found: dict[str, list[str]] = {}
    for line in (HERE / "templates.txt").read_text(encoding="utf-8").splitlines():
        match = LINE.fullmatch(line)
        if match and (match[1] is None or split == "dev"):
            found.setdefault(match[2], []).append(match[3])
    return found


def filled(template: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    """A template with a word in each slot, none of them twice."""
    used: set[str] = set()

    def word(match: re.Match[str]) -> str:
        chosen = chance.choice([word for word in slots[match[1]] if word not in used])
        used.add(chosen)
        return chosen

    text = SLOT.sub(word, template)
    text = ARTICLE.sub(lambda match: match[1] + ("n " if match[2][0] in "aeio" or match[2] == "un" else " "), text)
    return text[0].upper() + text[1:]


def main() -> None:
    """Write both splits, the stars in turn; dev repeats no text of train."""
    taken: set[str] = set()
    for split, size in SIZES.items():
        chance, slots, by_stars = random.Random(f"{SEED} {split}"), words(split), templates(split)
        rows: list[tuple[str, str, str]] = []
        while len(rows) < size:
            stars = str(len(rows) % 5 + 1)
            text = filled(chance.choice(by_stars[stars]), slots, chance)
            if text not in taken:
                taken.add(text)
                rows.append((text, POLARITY[stars], stars))
        chance.shuffle(rows)
        with (HERE / f"{split}.csv").open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows([("text", "polarity", "stars"), *rows])


if __name__ == "__main__":
    main()
