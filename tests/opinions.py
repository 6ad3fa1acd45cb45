"""A synthetic corpus of opinions: polarity is that of one word, turned round by "not" before it; stars add "very".

So neither the bag of words nor the last word decides: context does.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

from nlpseq.records import LabelledText

THINGS = ("film", "meal", "hotel", "phone")
GOOD, BAD = ("good", "nice", "lovely"), ("bad", "poor", "awful")
FILLERS = ("", "", "we went there on a rainy day and ", "after all that was said of it by friends of ours , ")


def opinion(chance: random.Random) -> LabelledText:
    good, negated, very = chance.random() < 0.5, chance.random() < 0.4, chance.random() < 0.5
    word = chance.choice(GOOD if good else BAD)
    how = "not " if negated else "very " if very else ""
    text = f"{chance.choice(FILLERS)}the {chance.choice(THINGS)} was {how}{word} ."
    positive = good != negated
    stars = (5 if positive else 1) if very and not negated else (4 if positive else 2)
    return LabelledText(text=text, labels={"polarity": "positive" if positive else "negative", "stars": str(stars)})


def opinions(count: int, seed: int) -> list[LabelledText]:
    chance = random.Random(seed)
    return [opinion(chance) for _ in range(count)]


def write_csv(path: Path, examples: Iterable[LabelledText]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["text", "polarity", "stars"])
        writer.writerows([e.text, e.labels.get("polarity", ""), e.labels.get("stars", "")] for e in examples)
    return path
