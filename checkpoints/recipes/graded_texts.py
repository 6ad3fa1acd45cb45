"""Texts that end in a grade, which decides: what of "3/10" or "four stars out of five" a classifier should hold.

    python checkpoints/recipes/graded_texts.py --texts imdb:unlabelled --without imdb:dev -o graded.jsonl

Behind the last words of each text stands a grade, drawn without a look at the text; the label is the grade's alone:
its stars, and its polarity where it takes a side. In corpora a grade mostly agrees with what stands before it, so that
little is learnt from it. The grades, and the sentences around them, are those of the corpus `turns`. Texts are left out
that have a number already, or that another part has too, as one that is held out.
"""

from __future__ import annotations

import argparse
import random
import re
import tomllib
from pathlib import Path

import msgspec

from nlpseq.corpora.plain import read_plain

TURNS = Path(__file__).resolve().parents[2] / "corpora" / "turns"
POLARITY = {"1": "negative", "2": "negative", "4": "positive", "5": "positive"}
NUMBER = re.compile(r"\d|\*|\bstars?\b")
WORDS = (20, 100)  # of a text, so many are kept: of the end, where a grade stands


def sentences() -> list[tuple[str, str]]:
    """Every sentence of the templates that a grade alone completes, with its stars."""
    words = tomllib.loads((TURNS / "words.toml").read_text(encoding="utf-8"))
    lines = (TURNS / "templates.txt").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        stars, _, template = line.partition(" ")
        slot = f"{{rated{stars}}}"
        if slot in template and "{" not in template.replace(slot, ""):
            found += [(template.replace(slot, grade), stars) for grade in words[slot[1:-1]]]
    return found


def graded(text: str, grade: str, generator: random.Random) -> str:
    """The last words of a text, and the grade behind them."""
    end = " ".join(text.split()[-generator.randint(*WORDS) :])
    return f"{end} {grade[0].upper()}{grade[1:]}{generator.choice(['', '.', '.', '!'])}"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, metavar="CORPUS:SPLIT")
    parser.add_argument("--without", nargs="+", default=[], metavar="CORPUS[:SPLIT]")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    generator = random.Random(1)
    known = set(read_plain(given.without, "dev")) if given.without else set()
    texts = [text for text in read_plain([given.texts], "train") if not NUMBER.search(text) and text not in known]
    grades = sentences()
    with given.output.open("wb") as out:
        for text in generator.sample(texts, min(given.count, len(texts))):
            grade, stars = generator.choice(grades)
            labels = {"stars": stars} | ({"polarity": POLARITY[stars]} if stars in POLARITY else {})
            out.write(msgspec.json.encode({"text": graded(text, grade, generator), **labels}) + b"\n")
    print(f"{given.output}: texts of {len(grades)} grades")


if __name__ == "__main__":
    main()
