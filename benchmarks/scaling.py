"""Our own speed against threads, processes, texts read ahead and lengths, beside the limit of our recurrent layers.

    python benchmarks/scaling.py                # some 15 minutes
    python benchmarks/scaling.py --quick

For the tagger and the classifier that ship (and a translator that is named): from raw text to JSON Lines, in words or
texts a second, and the same recurrent layers alone on tensors that lie ready, in the same turns. Texts of one length
are cut from the development sentences; the large file has them all several times over.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import data
from harness.contest import Contender, Lap, Record, contest
from harness.results import Measured, Row, Table
from harness.scripts import US, finish, parser, places, rounds

import nlpseq
from nlpseq.corpora.sources import read_pair_sources, read_source, read_text_source

SIZES = (1, 8, 64, 256, 1024)  # texts read ahead
LENGTHS = (5, 10, 20, 40, 80, 160)  # words between white space
FIRST, AGAIN = "every word new", "again"


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--tagger", default="tag-en")
    result.add_argument("--classifier", default="sentiment-en")
    result.add_argument("--translator", help="a checkpoint that translates from English; none is measured without it")
    result.add_argument("--copies", type=int, default=40, help="of the development sentences in the large file")
    return result.parse_args()


def ours(name: str, checkpoint: str, *, shares: int = 1, threads: int = 1, **load: Any) -> Contender:
    """nlpseq with a checkpoint."""
    return Contender(name, US, "ours.py", {"checkpoint": checkpoint, **load}, True, shares, threads)


class Measuring:
    """The texts and the turns of this run; who drops out is kept in `missing`."""

    def __init__(self, given: Namespace) -> None:
        self.given, self.where = given, places(given)
        self.missing: dict[str, str] = {}
        self.few = data.SLICE if given.quick else None

    def texts(self, name: str, texts: Sequence[str]) -> Path:
        """Texts as a file."""
        folder = self.where.work / "scaling-data"
        folder.mkdir(parents=True, exist_ok=True)
        return data.write_lines(folder / f"{name}.txt", texts)

    def sentences(self) -> list[str]:
        """Development sentences of the treebank."""
        return [sentence.text for sentence in read_source(data.TAGGING, "dev")[: self.few]]

    def turns(self, texts: Path, taking_part: Sequence[Contender]) -> dict[str, Record]:
        """The laps of each, by name."""
        shares = {n: data.in_shares(texts, n) for n in {one.shares for one in taking_part}}

        def job(share: int, count: int) -> dict[str, Any]:
            return {"texts": str(shares[count][share])}

        records, failed = contest(taking_part, job, rounds(self.given, 5), self.where.logs)
        self.missing |= failed
        return records


def units_a_second(laps: Sequence[Lap]) -> Measured:
    return Measured.of([sum(lap.values) / lap.seconds for lap in laps])


def limits(run: Measuring) -> list[Table]:
    """The whole way beside the layers alone, with one thread and with two, for each task."""
    tables = []
    for title, checkpoint, texts, unit in limited(run):
        taking_part = []
        for threads in (1, 2):
            taking_part.append(ours(f"threads: {threads}", checkpoint, threads=threads))
            taking_part.append(ours(f"threads: {threads}, layers", checkpoint, threads=threads, layers=True))
        records = run.turns(texts, taking_part)
        rows = [row for n in (1, 2) for row in beside_layers(f"threads: {n}", f"threads: {n}", records, unit)]
        about = "The layers alone read batches of the same shapes, which lie ready as tensors."
        tables.append(Table(title, about, tuple(rows)))
    return tables


def limited(run: Measuring) -> list[tuple[str, str, Path, str]]:
    """What is held against its layers: a title, a checkpoint, texts and what is counted."""
    tagger, classifier = run.given.tagger, run.given.classifier
    sst = run.texts("sst", [text.text for text in read_text_source("sst", "dev")[: run.few]])
    result = [
        ("Tagging and its layers", tagger, run.texts("sentences", run.sentences()), "words"),
        ("Sentiment and its layers: the treebank", classifier, sst, "texts"),
    ]
    if not run.given.quick:
        imdb = run.texts("imdb", [text.text for text in read_text_source("imdb@polarity", "dev")])
        result.append(("Sentiment and its layers: IMDb", classifier, imdb, "texts"))
    if run.given.translator:
        captions = [pair.source for pair in read_pair_sources(["multi30k@en-fr"], "test")[: run.few]]
        translator = run.given.translator
        result.append(("Translation and its encoder", translator, run.texts("captions", captions), "texts"))
    return result


def beside_layers(name: str, key: str, records: Mapping[str, Record], unit: str) -> list[Row]:
    """A row that holds the contender `key` against its layers; none where either dropped out."""
    if key not in records or f"{key}, layers" not in records:
        return []
    first, again = units_a_second(records[key].first), units_a_second(records[key].again)
    laps = [lap for part in (records[f"{key}, layers"].first, records[f"{key}, layers"].again) for lap in part]
    layers = Measured.of([lap.values[0][unit] / lap.values[0]["seconds"] for lap in laps])
    share = f"{first.median / layers.median:.0%}, again {again.median / layers.median:.0%}"
    speeds = {f"{unit}/s, {FIRST}": first, f"{unit}/s, {AGAIN}": again, "layers alone": layers}
    return [Row(name, {**speeds, "reached": share}, True)]


def large_file(run: Measuring) -> Table:
    """One core and two."""
    texts = run.texts("large", run.sentences() * (1 if run.given.quick else run.given.copies))
    taking_part = [
        ours("one thread", run.given.tagger),
        ours("two threads", run.given.tagger, threads=2),
        ours("two processes of one thread", run.given.tagger, shares=2),
    ]
    records = run.turns(texts, taking_part)
    one = units_a_second(records["one thread"].first).median if "one thread" in records else 0.0
    rows = []
    for name, record in records.items():
        speed = units_a_second(record.first)
        times = speed.median / one if one else ""
        rows.append(Row(name, {f"words/s, {FIRST}": speed, "times one thread's": times}, True))
    return Table("Tagging a large file on one core and on two", "Every sentence comes several times.", tuple(rows))


def read_ahead(run: Measuring) -> Table:
    texts = run.texts("sentences", run.sentences())
    taking_part = [ours(f"{size:,} texts", run.given.tagger, batch_size=size, threads=2) for size in SIZES]
    records = run.turns(texts, [*taking_part, ours("without it", run.given.tagger, threads=2)])
    rows = []
    for name, record in records.items():
        first, again = units_a_second(record.first), units_a_second(record.again)
        rows.append(Row(name, {f"words/s, {FIRST}": first, f"words/s, {AGAIN}": again}, True))
    return Table("Tagging by texts read ahead", "`--batch-size`, two threads.", tuple(rows))


def by_length(run: Measuring) -> Table:
    words = [word for sentence in run.sentences() for word in sentence.split()]
    rows: list[Row] = []
    for length in LENGTHS:
        cut = [" ".join(words[at : at + length]) for at in range(0, len(words) - length + 1, length)]
        texts, tagger = run.texts(f"length-{length}", cut), run.given.tagger
        taking_part = [ours("way", tagger, threads=2), ours("way, layers", tagger, threads=2, layers=True)]
        rows += beside_layers(f"{length} words", "way", run.turns(texts, taking_part), "words")
    about = "Development text cut into texts of so many words between white space; two threads; tokens are counted."
    return Table("Tagging by length", about, tuple(rows))


def main() -> None:
    given = arguments()
    if given.prepare:
        return
    run = Measuring(given)
    tables = [*limits(run), large_file(run), read_ahead(run), by_length(run)]
    finish(given, "scaling", {"nlpseq": nlpseq.__version__}, tables, run.missing)


if __name__ == "__main__":
    main()
