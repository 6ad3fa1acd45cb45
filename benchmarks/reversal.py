"""What source reversal does: BLEU over {no attention, attention} x {as is, reversed} x {rnn, gru, lstm}, pair by pair.

    python benchmarks/reversal.py run --results docs/reversal.jsonl --rows 1
    python benchmarks/reversal.py run --results docs/reversal.jsonl --pair es-pt=my-es-pt.tsv.gz --longest 12 --seed 2
    python benchmarks/reversal.py table --results docs/reversal.jsonl

`run` trains the rows that the results do not have yet, one at a time, and writes each down when it is done, so it may
be stopped and started again. All rows of a pair have the same budget: the same training pairs in the same batches, as
often and from the same seed, the same pieces, the same widths. The encoder reads in one direction alone, since of one
that reads from both ends reversal only exchanges the two. A pair is NAME=SOURCE, where a source is a corpus (whose
`dev` part is translated) or a file (of which a tenth is held out). `table` prints Markdown; where the results have
several budgets or seeds, a row says of which it is, and is compared with its own kind alone.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import msgspec
import torch

from nlpseq.config import build
from nlpseq.corpora.sources import read_sources
from nlpseq.device import flush_denormals
from nlpseq.records import SentencePair
from nlpseq.tasks.translation import TranslationConfig, Translator
from nlpseq.text.overlap import bleu, chrf
from nlpseq.training.loop import Run, fit
from nlpseq.training.train import hold_out

PAIRS = ("en-fr=multi30k@en-fr", "en-mr=tatoeba@en-mr")
ATTENTION, REVERSE, CELLS = ("none", "luong"), (False, True), ("rnn", "gru", "lstm")
SEED = 1  # of the pairs that are drawn, whatever that of the training
TOLD = {
    "train_pairs": "{:,} training pairs",
    "dev_pairs": "{:,} development pairs",
    "epochs": "{} epochs",
    "seed": "seed {}",
}


class Row(msgspec.Struct, frozen=True):
    """One training and what came of it. Scores are per cent, of beam search, cased, on the development pairs."""

    pair: str
    attention: str
    reverse: bool
    cell: str
    train_pairs: int
    epochs: int
    longest: int = 0  # words of either side, at most; 0: any number
    dev_pairs: int = 1_000
    seed: int = 1
    bleu: float = 0.0
    chrf: float = 0.0
    loss: float = 0.0
    seconds: float = 0.0

    def budgeted(self) -> Row:
        """The row without what came of it: two trainings that are the same have the same."""
        return msgspec.structs.replace(self, bleu=0.0, chrf=0.0, loss=0.0, seconds=0.0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--results", type=Path, default=Path("docs/reversal.jsonl"))
    parser.add_argument("--pair", dest="pairs", action="append", metavar="NAME=SOURCE", default=[])
    parser.add_argument("--train-pairs", type=int, default=20_000, help="at most; drawn at random")
    parser.add_argument("--longest", type=int, default=0, help="words of either side, at most; 0: any number")
    parser.add_argument("--dev-pairs", type=int, default=1_000, help="at most")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1, help="of the training")
    parser.add_argument("--rows", type=int, help="rows to train now; all that are missing where it is not given")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def rows_of(results: Path) -> list[Row]:
    lines = results.read_bytes().splitlines() if results.exists() else []
    return [msgspec.json.decode(line, type=Row) for line in lines]


def missing(given: argparse.Namespace) -> Iterator[tuple[Row, str]]:
    """The rows that are still to be trained, each with the source of its pair."""
    done = {row.budgeted() for row in rows_of(given.results)}
    for name_and_source in given.pairs or PAIRS:
        name, _, source = name_and_source.partition("=")
        for attention, cell, reverse in product(ATTENTION, CELLS, REVERSE):
            budget = given.train_pairs, given.epochs, given.longest, given.dev_pairs, given.seed
            row = Row(name, attention, reverse, cell, *budget)
            if row not in done:
                yield row, source


def settings(row: Row) -> TranslationConfig:
    """The same for all rows, but for what the table compares."""
    return build(
        TranslationConfig,
        {
            "pieces": {"size": 4000},
            "source": {"reverse": row.reverse},
            "encoder": {"cell": row.cell, "bidirectional": False, "width": 256, "layers": 1},
            "decoder": {"attention": row.attention, "width": 256},
            "teaching": {"dev_sentences": 200},
            "training": {
                "epochs": row.epochs,
                "batch_tokens": 1000,
                "learning_rate": 2e-3,
                "patience": 0,
                "seed": row.seed,
            },
        },
    )


def data(source: str, row: Row) -> tuple[list[SentencePair], list[SentencePair]]:
    """Training and development pairs, the same for every row of a pair."""
    train: Sequence[SentencePair] = read_sources("translate", [source], "train")
    if Path(source).is_file():
        train, dev = hold_out(train, SEED)
    else:
        dev = read_sources("translate", [source], "dev")
    parts = [[pair for pair in part if not row.longest or longest_side(pair) <= row.longest] for part in (train, dev)]
    chance = random.Random(SEED)
    most = row.train_pairs, row.dev_pairs
    own = [chance.sample(part, min(len(part), count)) for part, count in zip(parts, most, strict=True)]
    return own[0], own[1]


def longest_side(pair: SentencePair) -> int:
    """Words of the longest of all sides of a pair."""
    return max(len(side.split()) for side in (pair.source, *pair.targets))


def trained(row: Row, source: str) -> Row:
    """Trains one row."""
    train, dev = data(source, row)
    config, started = settings(row), time.monotonic()
    torch.manual_seed(row.seed)
    translator = Translator.create(config, train)
    loss = 0.0
    for report in fit(Run(translator, config.training), [translator.encode(pair) for pair in train], dev):
        loss = report.loss
        if report.scores:
            print(f"  epoch {report.epoch:.0f}  loss {loss:.3f}  greedy BLEU {report.scores['bleu']:.2f}", flush=True)
    seconds = time.monotonic() - started
    texts = [one.translation for one in translator.translate([pair.source for pair in dev])]
    scores = {metric.__name__: metric(texts, [pair.targets for pair in dev]).percent for metric in (bleu, chrf)}
    return msgspec.structs.replace(row, **scores, loss=loss, seconds=seconds)


def run(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    flush_denormals()
    for number, (row, source) in enumerate(missing(given)):
        if given.rows is not None and number >= given.rows:
            return
        print(row.pair, row.attention, row.cell, "reversed" if row.reverse else "as is", flush=True)
        done = trained(row, source)
        with given.results.open("ab") as out:
            out.write(msgspec.json.encode(done) + b"\n")


def named(row: Row, several: Sequence[str]) -> str:
    """The pair of a row, and those of its conditions of which the results have several."""
    words = [f"up to {row.longest} words"] if row.longest else []
    return ", ".join([row.pair, *words, *(TOLD[name].format(getattr(row, name)) for name in several)])


def table(given: argparse.Namespace) -> None:
    """BLEU as Markdown: a row for each pair, attention and cell."""
    rows = rows_of(given.results)
    several = [name for name in TOLD if len({getattr(row, name) for row in rows}) > 1]
    found = {(named(row, several), row.attention, row.cell, row.reverse): row for row in rows}
    print("| pair | attention | cell | as is | reversed | gained |\n|---|---|---|---|---|---|")
    for pair, attention, cell in dict.fromkeys(key[:3] for key in found):
        before, after = (found.get((pair, attention, cell, reverse)) for reverse in REVERSE)
        cells = [f"{row.bleu:.2f}" if row else "" for row in (before, after)]
        gained = f"{after.bleu - before.bleu:+.2f}" if before and after else ""
        print(f"| {pair} | {attention} | {cell} | {cells[0]} | {cells[1]} | {gained} |")


if __name__ == "__main__":
    options = arguments()
    {"run": run, "table": table}[options.what](options)
