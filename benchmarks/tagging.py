"""How fast and how well do taggers tag: nlpseq, spaCy, python-crfsuite and Flair, on the English Web Treebank.

    python benchmarks/tagging.py --prepare      # environments and trainings alone: some 30 minutes
    python benchmarks/tagging.py                # and the measuring: some 10 minutes
    python benchmarks/tagging.py --quick

Peers are trained once, from scratch, on the training sentences with the names of UNER, each in an environment of its
own. Then the training sentences (those for development are read in half a second) go from raw text to JSON Lines, by
all in turns: in one process on one core, and in two on half of the sentences each; nlpseq also in one process with two
threads. Every turn loads afresh, so that every word is new, and is followed by another on the same text. The scores are
of gold tokens of the development sentences, by the same scorer for all.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness import data
from harness.contest import Contender, Record, Worker, contest
from harness.environments import version_of
from harness.results import Measured, Row, Table
from harness.scripts import US, Places, attempt, finish, kept, parser, places, rounds

import nlpseq
from nlpseq.text.metrics import Accuracy, SpanScore

COLUMNS = ("upos", "xpos", "ner")
PEERS = {"spacy": "spacy_tagger.py", "crfsuite": "crfsuite_tagger.py", "flair": "flair_tagger.py"}


def arguments() -> argparse.Namespace:
    result = parser(__doc__)
    result.add_argument("--checkpoint", default="tag-en")
    result.add_argument("--flair-epochs", type=int, default=3)
    return result.parse_args()


def trained(name: str, given: argparse.Namespace, where: Places) -> dict[str, Any]:
    """A trained peer: seconds of its training and its scores on the development sentences. Raises UnavailableError."""
    texts = data.tagging(where.work, where.quick)
    train, dev = str(texts / "train.jsonl"), str(texts / "dev.jsonl")
    settings = {
        "spacy": {"train": train, "dev": dev, "max_steps": 20 if where.quick else 0},
        "crfsuite": {"train": train, "iterations": 5 if where.quick else 100},
        "flair": {"train": train, "dev": dev, "epochs": 1 if where.quick else given.flair_epochs},
    }[name]

    def make(folder: Path) -> Mapping[str, Any]:
        with Worker(where.python(name), PEERS[name], 2, where.logs / f"{name}-training.log") as worker:
            seconds = worker.ask("train", folder=str(folder), **settings)["value"]["seconds"]
            worker.ask("load", folder=str(folder), threads=2)
            found = worker.ask("predict", dev=dev)["value"]
        return {"seconds": seconds, **scores(data.read_objects(texts / "dev.jsonl"), found)}

    return kept(where.work / f"{name}-tagger", make)


def scores(gold: list[dict[str, Any]], found: list[dict[str, list[str]]]) -> dict[str, float]:
    """Accuracy of parts of speech and F1 of whole entities, in per cent, of the columns that were found."""
    result = {}
    for column in (name for name in COLUMNS if name in found[0]):
        count: Accuracy | SpanScore = SpanScore() if column == "ner" else Accuracy()
        for wanted, got in zip(gold, found, strict=True):
            count.add(wanted[column], got[column])
        result[column] = count.total.f1 if isinstance(count, SpanScore) else count.percent
    return result


def our_scores(checkpoint: str, dev: Path) -> dict[str, float]:
    gold = data.read_objects(dev)
    labelled = nlpseq.load(checkpoint).tagger.predict([row["tokens"] for row in gold])
    return scores(gold, [one.labels for one in labelled])


def contenders(given: argparse.Namespace, where: Places, peers: Mapping[str, Any]) -> list[Contender]:
    """Everyone in one process and in two; ours with two threads as well."""
    result = []
    for shares in (1, 2):
        own = {"checkpoint": given.checkpoint}
        result.append(Contender(_name("nlpseq", shares, 1), US, "ours.py", own, True, shares))
        if shares == 1:
            result.append(Contender(_name("nlpseq", 1, 2), US, "ours.py", own, True, 1, 2))
        for name in peers:
            folder = {"folder": str(where.work / f"{name}-tagger")}
            result.append(Contender(_name(name, shares, 1), where.python(name), PEERS[name], folder, False, shares))
    return result


def _name(who: str, processes: int, threads: int) -> str:
    how = f"{threads} threads" if threads > 1 else "1 process" if processes == 1 else f"{processes} processes"
    return f"{who}, {how}"


def speed_table(records: Mapping[str, Record], words: int) -> Table:
    rows = []
    for name, record in records.items():
        first, again = (Measured.of([words / lap.seconds for lap in laps]) for laps in (record.first, record.again))
        cpu = Measured.of([words / lap.cpu for lap in record.first])
        cells = {"words/s, every word new": first, "words/s, again": again, "words a CPU second": cpu}
        rows.append(Row(name, cells, name.startswith("nlpseq")))
    about = (
        f"Raw text to JSON Lines, {words:,} words; nlpseq and spaCy give UPOS, XPOS and names, "
        "crfsuite UPOS and names, Flair names alone."
    )
    better = {"words/s, every word new": "more", "words/s, again": "more"}
    return Table("Tagging: speed", about, tuple(rows), better)  # type: ignore[arg-type]


def score_table(ours: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> Table:
    names = {"upos": "UPOS", "xpos": "XPOS", "ner": "NER F1"}
    rows = [Row("nlpseq", {names[c]: f"{ours[c]:.2f}" for c in COLUMNS if c in ours}, True)]
    for name, made in peers.items():
        found = {names[column]: f"{made[column]:.2f}" for column in COLUMNS if column in made}
        rows.append(Row(name, {**found, "training, s": made["seconds"]}))
    about = "Development sentences, gold tokens. Peers were trained on two cores from scratch on the same sentences."
    return Table("Tagging: scores", about, tuple(rows))


def main() -> None:
    given = arguments()
    where, missing = places(given), {}  # type: Places, dict[str, str]
    wanted = [name for name in PEERS if not given.only or name in given.only]
    made = {name: attempt(name, partial(trained, name, given, where), missing) for name in wanted}
    peers = {name: one for name, one in made.items() if one}
    if given.prepare:
        return
    texts = data.tagging(where.work, where.quick)
    words = sum(len(row["tokens"]) for row in data.read_objects(texts / "train.jsonl"))
    shares = {n: data.in_shares(texts / "train.txt", n) for n in (1, 2)}
    records, failed = contest(
        contenders(given, where, peers), lambda k, n: {"texts": str(shares[n][k])}, rounds(given, 5), where.logs
    )
    tables = [speed_table(records, words), score_table(our_scores(given.checkpoint, texts / "dev.jsonl"), peers)]
    versions = {"nlpseq": nlpseq.__version__, **{n: version_of(n).split()[-1] for n in peers}}
    finish(given, "tagging", versions, tables, {**missing, **failed})


if __name__ == "__main__":
    main()
