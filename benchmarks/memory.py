"""The most memory that a process of `nlpseq tag` ever holds, and its speed, by the number of short lines it is given.

    python benchmarks/memory.py                 # a million lines: some 10 minutes
    python benchmarks/memory.py --lines 1000 10000
    python benchmarks/memory.py --quick

Each line is a development sentence of at most ten words with one word more that no other line has, so that whatever is
remembered of words is put to the test as well. Every run is a process of its own, from the file to a file.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from itertools import cycle, islice

from harness import data
from harness.contest import surroundings
from harness.processes import run_fresh
from harness.results import Row, Table
from harness.scripts import US, Places, finish, parser, places

import nlpseq
from nlpseq.corpora.sources import read_source

SHORT = 10  # words


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--checkpoint", default="tag-en")
    result.add_argument("--lines", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    result.add_argument("--threads", type=int, default=2)
    return result.parse_args()


def short_lines() -> Iterator[str]:
    """Short sentences without end, each with a word of its own."""
    sentences = [s.text for s in read_source(data.TAGGING, "dev") if len(s.tokens) <= SHORT]
    for number, text in enumerate(cycle(sentences)):
        yield f"{text} {_letters(number)}"


def _letters(number: int) -> str:
    """A number as letters, so that it is a word and no figure: each number another."""
    result = ""
    while True:
        number, digit = divmod(number, 20)
        result += "bcdfghjklmnpqrstvwxz"[digit] + "aeiou"[digit % 5]
        if not number:
            return result


def measured(given: Namespace, count: int, where: Places) -> Row:
    """A run over so many lines."""
    texts, answers = where.work / f"short-{count}.txt", where.work / "short-answers.jsonl"
    if not texts.exists():
        where.work.mkdir(parents=True, exist_ok=True)
        data.write_lines(texts, islice(short_lines(), count))
    tag = [str(US), "-m", "nlpseq.cli.main", "tag", "-c", given.checkpoint, "--threads", str(given.threads)]
    command = [*tag, "-i", str(texts), "-o", str(answers)]
    usage = run_fresh(command, surroundings(given.threads), where.logs / "memory.log")
    assert sum(1 for _ in answers.open("rb")) == count, "one answer for each line"
    size = texts.stat().st_size / 2**20
    answers.unlink()
    cells = {
        "peak of the largest process, MiB": usage.peak / 2**20,
        "input, MiB": size,
        "s": usage.seconds,
        "lines/s": count / usage.seconds,
    }
    return Row(f"{count:,} lines", cells, True)


def main() -> None:
    given = arguments()
    where = places(given)
    if given.prepare:
        return
    rows = [measured(given, count, where) for count in ([100, 1_000] if given.quick else given.lines)]
    about = f"`nlpseq tag -i FILE -o FILE`, {given.threads} processes; start-up counted; every line has a new word."
    finish(given, "memory", {"nlpseq": nlpseq.__version__}, [Table("Memory against input", about, tuple(rows))], {})


if __name__ == "__main__":
    main()
