"""How fast and how well are opinions judged: nlpseq, scikit-learn, fastText and spaCy, on the treebank and on IMDb.

    python benchmarks/sentiment.py --prepare    # environments and trainings alone: some 20 minutes
    python benchmarks/sentiment.py              # and the measuring: some 5 minutes
    python benchmarks/sentiment.py --quick

Peers are trained from scratch, once, each in an environment of its own: on all phrases of the treebank with two labels,
with five, and on nine tenths of the labelled reviews of IMDb. They are bags of words, and a recurrent network cannot be
as fast. Sentences of the treebank and reviews go from raw text to JSON Lines with all probabilities, by all in turns,
in one process on one core and in two on half of the texts each; nlpseq also in one process with two threads.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness import data
from harness.contest import Contender, Record, Worker, contest
from harness.environments import version_of
from harness.results import Measured, Row, Table
from harness.scripts import US, Places, attempt, finish, kept, parser, places, rounds

import nlpseq
from nlpseq.corpora.sources import read_text_source
from nlpseq.text.metrics import Accuracy

PEERS = {
    "sklearn": ("sklearn", "sklearn_sentiment.py"),
    "fasttext": ("fasttext", "fasttext_sentiment.py"),
    "spacy": ("spacy", "spacy_textcat.py"),
}
CORPORA = {"sst-2": "SST-2", "sst-5": "SST-5", "imdb": "IMDb"}
TIMED = {"sst-2": "Sentences of the treebank", "imdb": "Reviews of IMDb"}


def arguments() -> argparse.Namespace:
    result = parser(__doc__)
    result.add_argument("--checkpoint", default="sentiment-en")
    return result.parse_args()


def trained(peer: str, corpus: str, where: Places) -> dict[str, Any]:
    """A peer trained on a corpus: seconds and accuracy on its development texts. Raises UnavailableError."""
    texts = data.sentiment(where.work, where.quick)
    train, dev = str(texts / f"{corpus}.train.jsonl"), str(texts / f"{corpus}.dev.jsonl")
    settings: dict[str, dict[str, Any]] = {
        "sklearn": {},
        "fasttext": {"epochs": 2 if where.quick else 10},
        "spacy": {"dev": dev, "max_steps": 20 if where.quick else 0},
    }
    environment, script = PEERS[peer]

    def make(folder: Path) -> Mapping[str, Any]:
        log = where.logs / f"{peer}-{corpus}-training.log"
        with Worker(where.python(environment), script, 2, log) as worker:
            seconds = worker.ask("train", train=train, folder=str(folder), **settings[peer])["value"]["seconds"]
            worker.ask("load", folder=str(folder), threads=2)
            found = worker.ask("predict", dev=dev)["value"]
        gold = [row["label"] for row in data.read_objects(texts / f"{corpus}.dev.jsonl")]
        return {"seconds": seconds, "accuracy": accuracy(gold, found)}

    return kept(where.work / f"{peer}-{corpus}", make)


def accuracy(gold: Sequence[str], found: Sequence[str]) -> float:
    """Per cent."""
    count = Accuracy()
    for wanted, got in zip(gold, found, strict=True):
        count.add([wanted], [got])
    return count.percent


def our_accuracy(checkpoint: str, quick: bool) -> dict[str, float]:
    """That of the heads of a checkpoint, by the corpora of `CORPORA`."""
    classifier = nlpseq.load(checkpoint).classifier
    result = {}
    for corpus, source, scheme in (
        ("sst-2", "sst@polarity", "polarity"), ("sst-5", "sst@stars", "stars"), ("imdb", "imdb@polarity", "polarity"),
    ):  # fmt: skip
        if scheme in classifier.labels:
            texts = [text for text in read_text_source(source, "dev") if scheme in text.labels]
            texts = texts[: data.SLICE] if quick else texts
            found = classifier.predict([classifier.tokens(text.text) for text in texts])
            result[corpus] = accuracy([text.labels[scheme] for text in texts], [one[scheme] for one in found])
    return result


def contenders(checkpoint: str, corpus: str, where: Places, peers: Sequence[str]) -> list[Contender]:
    """Everyone in one process and in two; ours with two threads as well."""
    own = {"checkpoint": checkpoint}
    result = [
        Contender("nlpseq, 1 process", US, "ours.py", own, True),
        Contender("nlpseq, 2 threads", US, "ours.py", own, True, 1, 2),
        Contender("nlpseq, 2 processes", US, "ours.py", own, True, 2),
    ]
    for peer in peers:
        environment, script = PEERS[peer]
        folder = {"folder": str(where.work / f"{peer}-{corpus}")}
        result.append(Contender(f"{peer}, 1 process", where.python(environment), script, folder))
        result.append(Contender(f"{peer}, 2 processes", where.python(environment), script, folder, False, 2))
    return result


def share_of(whole: list[Path], halves: list[Path], share: int, shares: int) -> dict[str, Any]:
    """What a worker is to judge."""
    return {"texts": str((whole if shares == 1 else halves)[share])}


def speed_table(title: str, records: Mapping[str, Record], count: int) -> Table:
    rows = []
    for name, record in records.items():
        first, again = (Measured.of([count / lap.seconds for lap in laps]) for laps in (record.first, record.again))
        cpu = Measured.of([count / lap.cpu for lap in record.first])
        cells = {"texts/s, every word new": first, "texts/s, again": again, "texts a CPU second": cpu}
        rows.append(Row(name, cells, name.startswith("nlpseq")))
    about = f"Raw text to JSON Lines with all probabilities, {count:,} texts. Peers answer one question, nlpseq two."
    return Table(title, about, tuple(rows), {"texts/s, every word new": "more", "texts/s, again": "more"})


def score_table(ours: Mapping[str, float], peers: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    rows = [Row("nlpseq", {CORPORA[corpus]: f"{score:.2f}" for corpus, score in ours.items()}, True)]
    for peer, made in peers.items():
        cells: dict[str, Any] = {CORPORA[corpus]: f"{one['accuracy']:.2f}" for corpus, one in made.items()}
        rows.append(Row(peer, {**cells, "training, s": sum(one["seconds"] for one in made.values())}))
    about = "Accuracy on development texts, of IMDb the held-out tenth. Peers have one model for each column."
    return Table("Sentiment: scores", about, tuple(rows))


def main() -> None:
    given = arguments()
    where, missing = places(given), {}  # type: Places, dict[str, str]
    peers: dict[str, dict[str, Any]] = {}
    for peer in (name for name in PEERS if not given.only or name in given.only):
        for corpus in CORPORA:
            if made := attempt(peer, partial(trained, peer, corpus, where), missing):
                peers.setdefault(peer, {})[corpus] = made
    if given.prepare:
        return
    tables = []
    for corpus, title in TIMED.items():
        texts = data.sentiment(where.work, where.quick) / f"{corpus}.txt"
        ready = [peer for peer, made in peers.items() if corpus in made]
        taking_part = contenders(given.checkpoint, corpus, where, ready)
        job = partial(share_of, data.in_shares(texts, 1), data.in_shares(texts, 2))
        records, failed = contest(taking_part, job, rounds(given, 5), where.logs)
        missing |= failed
        tables.append(speed_table(title, records, len(data.read_lines(texts))))
    tables.append(score_table(our_accuracy(given.checkpoint, given.quick), peers))
    versions = {"nlpseq": nlpseq.__version__, **{peer: version_of(PEERS[peer][0]).split()[-1] for peer in peers}}
    finish(given, "sentiment", versions, tables, missing)


if __name__ == "__main__":
    main()
