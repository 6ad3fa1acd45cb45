"""Texts of corpora or files in a random order, one a line: what a language model should read.

    python checkpoints/recipes/shuffled.py imdb imdb:unlabelled sst --without imdb:dev -o reviews.txt

A corpus often has its texts by label or by source, and a model that reads them so learns from its state, carried on
from text to text, which kind it is in. Texts that another part has too, as one that is held out, can be left out.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlpseq.corpora.plain import read_plain


def lines(sources: Sequence[str], mirror: Path | None) -> Iterator[str]:
    """Each text of the sources, as one line."""
    return (" ".join(text.split()) for text in read_plain(sources, "train", mirror=mirror))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="FILE|CORPUS[:SPLIT]")
    parser.add_argument("--without", nargs="+", default=[], metavar="FILE|CORPUS[:SPLIT]")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--mirror", type=Path)
    given = parser.parse_args()
    left_out = set(lines(given.without, given.mirror))
    texts = [text for text in lines(given.sources, given.mirror) if text not in left_out]
    random.Random(1).shuffle(texts)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text("".join(f"{text}\n" for text in texts if text), encoding="utf-8")
    print(f"{given.output}: {len(texts):,} texts")


if __name__ == "__main__":
    main()
