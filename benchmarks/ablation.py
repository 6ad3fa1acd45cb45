"""What a pre-trained start is worth, by how much labelled data there is: {10, 30, 100%} x starts x seeds.

    python benchmarks/ablation.py run --task sentiment --seeds 1 2 3 \\
      --start vectors=embedding.vectors=runs/sentiment-en-vectors.txt --start lm=encoder.pretrained=runs/sentiment-en-lm
    python benchmarks/ablation.py table

`run` trains the rows that the results do not have yet, one at a time, from random weights (`none`) and from each start,
a name and the settings that make it, and writes each down when it is done, so it may be stopped and started again. All
rows of a task have the same settings but for those of the start. The parts are drawn from the training examples at
random, the same for every start and seed, and a smaller one lies within a larger one; the development part is always
whole, and chooses the epoch. Smaller parts are gone through more often, three times as often at most. `table` prints
Markdown: means over seeds, with their standard deviation, and what is gained over no start with the same seeds. Rows of
other numbers of epochs or examples are told apart. `draw` writes the parts of a tagger's examples into `runs/`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import msgspec

from nlpseq.checkpoint import CONFIG, find_checkpoint
from nlpseq.config import override
from nlpseq.corpora.jsonl import format_jsonl
from nlpseq.corpora.sources import read_sources
from nlpseq.training.prepare import prepare
from nlpseq.training.train import train

NONE = "none"
PRETRAINED = "encoder.pretrained="
OFTEN = 3  # how much more often the smallest parts are gone through, at most
CORPORA = {"sentiment": ("sst", "sst"), "tag": ("uner-english-ewt", "uner-english-ewt")}
EPOCHS = {"sentiment": 6, "tag": 12}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "sentiment": {
        "embedding": {"width": 160, "characters": "none", "affix_width": 0, "dropout": 0.4, "vectors_limit": 40_000},
        "encoder": {"width": 150, "layers": 1},
        "classifier": {"ngrams": 0},  # its rows are older than these
        "training": {"batch_tokens": 1000, "learning_rate": 2e-3, "patience": 0},
    },
    "tag": {
        "embedding": {"width": 100, "vectors_limit": 40_000},
        "encoder": {"width": 200, "layers": 2},
        "training": {"learning_rate": 3e-3, "patience": 0},
    },
}
SHOWN = {"sentiment": ("polarity", "stars"), "tag": ("upos", "xpos", "ner")}


class Row(msgspec.Struct, frozen=True):
    """One training and what came of it: scores are per cent, of the development part, after its best epoch."""

    task: str
    start: str
    part: int
    seed: int
    epochs: int
    examples: int = 0
    scores: dict[str, float] = {}
    seconds: float = 0.0

    def planned(self) -> tuple[str, str, int, int, int]:
        """What was to be trained: two rows that are the same have the same."""
        return self.task, self.start, self.part, self.seed, self.epochs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table", "draw"])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/ablation.jsonl"))
    parser.add_argument("--task", choices=sorted(CORPORA), default="sentiment")
    parser.add_argument("--start", dest="starts", action="append", metavar="NAME=SECTION.KEY=VALUE,...", default=[])
    parser.add_argument("--parts", type=int, nargs="+", default=[10, 30, 100], help="per cent of the examples")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def rows_of(results: Path) -> list[Row]:
    lines = results.read_bytes().splitlines() if results.exists() else []
    return [msgspec.json.decode(line, type=Row) for line in lines]


def missing(given: argparse.Namespace) -> Iterator[tuple[Row, list[str]]]:
    """The rows that are still to be trained, each with the settings of its start; small ones first."""
    done = {row.planned() for row in rows_of(given.results)}
    for part, seed, start in product(sorted(given.parts), given.seeds, [NONE, *given.starts]):
        name, _, settings = start.partition("=")
        often = min(OFTEN, 100 / part)
        row = Row(given.task, name, part, seed, round(EPOCHS[given.task] * often))
        if row.planned() not in done:
            yield row, settings.split(",") if settings else []


def trained(row: Row, settings: Sequence[str], threads: int) -> Row:
    """Trains one row."""
    source, dev = CORPORA[row.task]
    given = [*settings, f"training.seed={row.seed}", f"training.epochs={row.epochs}"]
    values = override(msgspec.to_builtins(SETTINGS[row.task]), given)
    if any(
        _of_words(one.removeprefix(PRETRAINED)) for one in settings if one.startswith(PRETRAINED)
    ):  # takes its shape
        values["embedding"] = {k: v for k, v in values["embedding"].items() if k in ("dropout", "vectors_limit")}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        job = prepare(row.task, values, train=[source], dev=[dev], output=Path(folder) / row.task, threads=threads)
        drawn = part_of(job.train, row.part)
        best: dict[str, float] = {}
        for progress in train(msgspec.structs.replace(job, train=drawn)):
            best = progress.scores if progress.best and progress.scores else best
    return msgspec.structs.replace(row, examples=len(drawn), scores=best, seconds=round(time.monotonic() - started, 1))


def part_of(examples: Sequence[Any], part: int) -> list[Any]:
    """So many per cent of the examples, drawn at random; less are always among more."""
    return random.Random(1).sample(list(examples), len(examples))[: len(examples) * part // 100]


def draw(given: argparse.Namespace) -> None:
    """The sentences that a tagger learns from of each part, as files of JSON Lines."""
    examples = read_sources("tag", [CORPORA["tag"][0]], "train")
    for part in given.parts:
        path = Path(f"runs/ablation-tag-{part}.jsonl")
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(map(format_jsonl, part_of(examples, part))), encoding="utf-8")
        print(path)


def _of_words(model: str) -> bool:
    """Whether a language model reads words."""
    config = msgspec.json.decode((find_checkpoint(model) / CONFIG).read_bytes())
    return bool(config["text"]["unit"] == "words")


def run(given: argparse.Namespace) -> None:
    for row, settings in missing(given):
        done = trained(row, settings, given.threads)
        print(msgspec.json.encode(done).decode(), flush=True)
        with given.results.open("ab") as out:
            out.write(msgspec.json.encode(done) + b"\n")


class Kind(NamedTuple):
    """What rows have in common whose seeds may be averaged; without a start first."""

    starts: bool
    start: str
    part: int
    epochs: int
    examples: int

    @classmethod
    def of(cls, row: Row) -> Kind:
        return cls(row.start != NONE, row.start, row.part, row.epochs, row.examples)

    @property
    def plain(self) -> Kind:
        """The same without a start."""
        return self._replace(starts=False, start=NONE)


def table(given: argparse.Namespace) -> None:
    """Means as Markdown: a row for each start, part, number of examples and of epochs."""
    found: dict[Kind, dict[int, Row]] = {}
    for row in rows_of(given.results):
        if row.task == given.task:
            found.setdefault(Kind.of(row), {})[row.seed] = row
    names = SHOWN[given.task]
    print(f"| start | labelled | epochs | seeds | {' | '.join(names)} |\n|---|---|---|---|{'---|' * len(names)}")
    for kind, rows in sorted(found.items()):
        plain = found.get(kind.plain, {}) if kind.starts else {}
        cells = [score_cell(name, rows, plain) for name in names]
        seeds = ", ".join(map(str, sorted(rows)))
        print(f"| {kind.start} | {kind.part}% ({kind.examples:,}) | {kind.epochs} | {seeds} | {' | '.join(cells)} |")


def score_cell(name: str, rows: Mapping[int, Row], plain: Mapping[int, Row]) -> str:
    """The mean of a score over seeds, its spread, and what is gained over `plain` rows, of the seeds that both have."""
    scores = [row.scores[name] for row in rows.values()]
    gains = [rows[seed].scores[name] - plain[seed].scores[name] for seed in rows.keys() & plain.keys()]
    spread = f" ± {stdev(scores):.2f}" if len(scores) > 1 else ""
    gained = f" ({mean(gains):+.2f})" if gains else ""
    return f"{mean(scores):.2f}{spread}{gained}"


if __name__ == "__main__":
    options = arguments()
    {"run": run, "table": table, "draw": draw}[options.what](options)
