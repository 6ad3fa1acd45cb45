"""The most memory that a process of `nlpseq tag` or `sentiment` ever holds, and its speed, by the number of inputs.

    python benchmarks/memory.py                 # a million of each: some 10 minutes
    python benchmarks/memory.py --task sentiment --lines 1000 10000
    python benchmarks/memory.py --quick

Each input is a development sentence of at most ten words with one word more that no other has, so that whatever is
remembered of words is put to the test as well: a line of text for `tag`, an object of JSON Lines for `sentiment`. Every
run is a process of its own, from the file to a file.
"""

from __future__ import annotations

import json
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
TASKS = {"tag": ("tag-en", "txt", ()), "sentiment": ("sentiment-en", "jsonl", ("--text-key", "body"))}


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--task", dest="tasks", action="append", choices=tuple(TASKS), help="both, unless given")
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


def measured(task: str, given: Namespace, count: int, where: Places) -> Row:
    """A run over so many inputs."""
    checkpoint, kind, options = TASKS[task]
    texts, answers = where.work / f"short-{count}.{kind}", where.work / "short-answers.jsonl"
    if not texts.exists():
        where.work.mkdir(parents=True, exist_ok=True)
        lines = islice(short_lines(), count)
        data.write_lines(texts, lines if kind == "txt" else (json.dumps({"body": line}) for line in lines))
    command = [str(US), "-m", "nlpseq.cli.main", task, "-c", checkpoint, "--threads", str(given.threads), *options]
    command += ["-i", str(texts), "-o", str(answers)]
    usage = run_fresh(command, surroundings(given.threads), where.logs / "memory.log")
    assert sum(1 for _ in answers.open("rb")) == count, "one answer for each input"
    size = texts.stat().st_size / 2**20
    answers.unlink()
    cells = {
        "peak of the largest process, MiB": usage.peak / 2**20,
        "input, MiB": size,
        "s": usage.seconds,
        "inputs/s": count / usage.seconds,
    }
    return Row(f"`{task}`, {count:,}", cells, True)


def main() -> None:
    given = arguments()
    where = places(given)
    if given.prepare:
        return
    counts = [100, 1_000] if given.quick else given.lines
    rows = [measured(task, given, count, where) for task in given.tasks or TASKS for count in counts]
    about = f"From a file to a file, {given.threads} processes; start-up counted; every input has a new word."
    finish(given, "memory", {"nlpseq": nlpseq.__version__}, [Table("Memory against input", about, tuple(rows))], {})


if __name__ == "__main__":
    main()
