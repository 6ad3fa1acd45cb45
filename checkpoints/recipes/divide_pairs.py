"""A file of English sentences and their translations, a pair a line, into parts for training, choosing and testing.

    python checkpoints/recipes/divide_pairs.py en-de.tsv.gz -o parts

writes `train.tsv`, and `dev.jsonl` and `test.jsonl`, each with 2,000 English sentences of 4 to 20 words and all their
translations: divided by sentence as the corpus `tatoeba` is, always the same way. With `--towards-english` each pair is
turned round, and no sentence of dev or test is left in train on either side.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from nlpseq.corpora.parallel import PARTS, divided


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--towards-english", action="store_true")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        pairs = divided(given.pairs, part, from_english=not given.towards_english)
        if part == "train":
            count = write(given.output / "train.tsv", (f"{pair.source}\t{pair.targets[0]}" for pair in pairs))
        else:
            lines = (json.dumps({"source": pair.source, "targets": pair.targets}, ensure_ascii=False) for pair in pairs)
            count = write(given.output / f"{part}.jsonl", lines)
        print(f"{part}: {count:,}")


def write(path: Path, lines: Iterable[str]) -> int:
    """Writes lines and counts them."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count


if __name__ == "__main__":
    main()
