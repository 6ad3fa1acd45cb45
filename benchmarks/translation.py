"""How fast are translations learnt and found: nlpseq and JoeyNMT, models of the same size, on Multi30k.

    python benchmarks/translation.py --prepare      # the environment, and a model of each, ten minutes of training each
    python benchmarks/translation.py                # and the measuring: some 30 minutes
    python benchmarks/translation.py --quick

Both have a joint unigram model of the same size, tied embeddings of 256, one bidirectional LSTM layer of 256, Luong's
attention without input feeding, and an LSTM decoder of 256. Training is measured in turns of some seconds, on one core
and on both, JoeyNMT with several sizes of batches. Then the same test sentences are translated by what ten minutes of
training left of either, from text to text, greedily and with a beam of five: in one process on one core, with two
threads, and in two processes on half of the sentences each. nlpseq is also measured with a checkpoint of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from harness import data
from harness.contest import Contender, Record, Worker, contest
from harness.environments import version_of
from harness.results import Measured, Row, Table
from harness.scripts import US, Places, attempt, finish, kept, parser, places, rounds

import nlpseq
from nlpseq.text.overlap import bleu

PEER, SCRIPT = "joeynmt", "joeynmt_translation.py"
LIMIT = "nlpseq's matrix products alone, in float32"
SIZE = ("encoder.width=256", "decoder.width=256", "vectors.width=256", "decoder.attention=luong")
BATCHES = (500, 1500, 4000)  # tokens, of JoeyNMT


def arguments() -> argparse.Namespace:
    result = parser(__doc__)
    result.add_argument("--corpus", default="multi30k@en-fr")
    result.add_argument("--minutes", type=float, default=10, help="of training that the translating models get")
    result.add_argument("--seconds", type=float, default=30, help="of a turn of training")
    result.add_argument("--sentences", type=int, default=400, help="that are translated in a turn, at most")
    result.add_argument("--checkpoint", help="one of nlpseq's own to be measured besides")
    return result.parse_args()


class Setting:
    """What the two are given: the corpus as files, and the same number of pieces.

    What is kept lies below the folder of the corpus; models say for how many seconds they were trained.
    """

    def __init__(self, given: argparse.Namespace, where: Places) -> None:
        self.given, self.where = given, where
        self.data = data.translation(where.work, where.quick, given.corpus)
        self.pieces = 600 if where.quick else 8000
        self.seconds = 5.0 if where.quick else 60 * given.minutes
        self.folder = self.data.parent
        self.models = {who: self.folder / f"{who}-{self.seconds:g}s" for who in ("nlpseq", PEER)}

    def ours(self) -> dict[str, Any]:
        """What our trainer is to load."""
        files = [str(self.data / f"train.{side}") for side in ("source", "target")]
        return {"task": "translate", "train": files, "settings": [f"pieces.size={self.pieces}", *SIZE]}

    def theirs(self, folder: Path | None = None, **options: int) -> dict[str, Any]:
        """What JoeyNMT is to load."""
        return {
            "folder": str(folder or self.models[PEER]),
            "data": str(self.data),
            "pieces": self.pieces,
            **options,
        }

    def trained(self, who: str) -> dict[str, Any]:
        """Seconds and steps of the training of a model that translates. Raises UnavailableError."""

        def make(folder: Path) -> Mapping[str, Any]:
            ours = who == "nlpseq"
            python, script = (US, "ours_training.py") if ours else (self.where.python(PEER), SCRIPT)
            load = {**self.ours(), "folder": str(folder)} if ours else self.theirs(folder, batch_tokens=BATCHES[1])
            with Worker(python, script, 2, self.where.logs / f"{who}-training.log") as worker:
                made: dict[str, Any] = worker.ask("train", **load, threads=2, seconds=self.seconds)["value"]
                return made

        return kept(self.models[who], make)


def training_table(setting: Setting, peers: Sequence[str], missing: dict[str, str]) -> Table:
    contenders = [Contender(f"nlpseq, {n} threads", US, "ours_training.py", setting.ours(), True, 1, n) for n in (1, 2)]
    alone = {**setting.ours(), "products": True}
    contenders += [Contender(f"{LIMIT}, {n} threads", US, "ours_training.py", alone, False, 1, n) for n in (1, 2)]
    for size in BATCHES if peers else ():
        folder = setting.folder / "joeynmt-speed"
        load = {**setting.theirs(folder, batch_tokens=size), "training": True}
        for n in (1, 2):
            name, python = f"JoeyNMT, batches of {size:,} tokens, {n} threads", setting.where.python(PEER)
            contenders.append(Contender(name, python, SCRIPT, load, False, 1, n))
    seconds = 3.0 if setting.where.quick else setting.given.seconds
    records, failed = contest(
        contenders,
        lambda *_: {"seconds": seconds},
        rounds(setting.given, 3),
        setting.where.logs,
        again=False,
        reload=False,
    )
    missing |= failed
    rows = []
    for name, record in records.items():
        found = Measured.of([median(lap.values[0]) for lap in record.first])
        rows.append(Row(name, {"target tokens/s": found}, name.startswith("nlpseq,")))
    about = f"Turns of {seconds:.0f} s, the median of their seconds; evaluations left out; {setting.pieces:,} pieces."
    return Table("Translation: training", about, tuple(rows), {"target tokens/s": "more"})


def decoding_table(setting: Setting, beam: int, peers: Sequence[str], texts: Path, missing: dict[str, str]) -> Table:
    shares = {n: data.in_shares(texts, n) for n in (1, 2)}
    contenders = []
    for shared, threads, how in ((1, 1, "1 process"), (1, 2, "2 threads"), (2, 1, "2 processes")):
        own = {"nlpseq": str(setting.models["nlpseq"] / "checkpoint")}
        if setting.given.checkpoint:
            own[f"nlpseq {Path(setting.given.checkpoint).name}"] = setting.given.checkpoint
        for name, checkpoint in own.items():
            load = {"checkpoint": checkpoint, "beam": beam}
            contenders.append(Contender(f"{name}, {how}", US, "ours.py", load, True, shared, threads))
        for _ in peers:
            load = setting.theirs(beam=beam)
            python = setting.where.python(PEER)
            contenders.append(Contender(f"JoeyNMT, {how}", python, SCRIPT, load, False, shared, threads))
    records, failed = contest(
        contenders,
        lambda k, n: {"texts": str(shares[n][k])},
        rounds(setting.given, 3),
        setting.where.logs,
        again=False,
    )
    missing |= failed
    return _decoding_table(records, beam, len(data.read_lines(texts)))


def _decoding_table(records: Mapping[str, Record], beam: int, count: int) -> Table:
    rows = []
    for name, record in records.items():
        speed = Measured.of([count / lap.seconds for lap in record.first])
        rows.append(Row(name, {"sentences/s": speed}, name.startswith("nlpseq")))
    how = "greedy" if beam == 1 else f"beam {beam}"
    about = f"Text to text, {count:,} sentences of the test part, sorted by length."
    return Table(f"Translation: {how}", about, tuple(rows), {"sentences/s": "more"})


def model_table(setting: Setting, made: Mapping[str, Mapping[str, Any]], texts: Path) -> Table:
    """The models that were measured: their size, training and scores, and how much they write."""
    references = [(line,) for line in data.read_lines(texts.with_suffix(".references"))]
    rows = []
    for who, one in made.items():
        ours = who == "nlpseq"
        python, script = (US, "ours.py") if ours else (setting.where.python(PEER), SCRIPT)
        own = {"checkpoint": str(setting.models[who] / "checkpoint"), "beam": 5}
        with Worker(python, script, 2, setting.where.logs / f"{who}-scores.log") as worker:
            worker.ask("load", **(own if ours else setting.theirs(beam=5)), threads=2)
            found = worker.ask("translate", texts=str(texts))["value"]
            size = worker.ask("size")["value"]
        cells = {
            "weights": size, "training, s": one["seconds"], "steps": one["steps"],
            "BLEU, beam 5": f"{bleu(found, references).percent:.2f}",
            "words a sentence": sum(len(text.split()) for text in found) / len(found),
        }  # fmt: skip
        rows.append(Row("nlpseq" if ours else "JoeyNMT", cells, ours))
    about = "What was trained for the measuring, on two threads; not what more time would give."
    return Table("Translation: the models", about, tuple(rows))


def chosen_sentences(setting: Setting) -> Path:
    """Some test sentences, evenly drawn, sorted by length, with their translations beside them.

    Not as turn.target: JoeyNMT would read that as well, and spend time on it.
    """
    sides = [data.read_lines(setting.data / f"test.{side}") for side in ("source", "target")]
    pairs = list(zip(*sides, strict=True))
    drawn = pairs[:: max(1, len(pairs) // setting.given.sentences)][: setting.given.sentences]
    drawn.sort(key=lambda pair: len(pair[0].split()))
    folder = setting.folder / "turns"
    folder.mkdir(exist_ok=True)
    data.write_lines(folder / "turn.references", (target for _, target in drawn))
    return data.write_lines(folder / "turn.source", (source for source, _ in drawn))


def main() -> None:
    given = arguments()
    where, missing = places(given), {}  # type: Places, dict[str, str]
    setting = Setting(given, where)
    wanted = ["nlpseq", *([PEER] if not given.only or PEER in given.only else [])]
    made = {who: attempt(who, partial(setting.trained, who), missing) for who in wanted}
    made = {who: one for who, one in made.items() if one}
    if given.prepare:
        return
    peers, texts = [who for who in made if who == PEER], chosen_sentences(setting)
    tables = [
        training_table(setting, peers, missing),
        *(decoding_table(setting, beam, peers, texts, missing) for beam in (5, 1)),
        model_table(setting, made, texts),
    ]
    versions = {"nlpseq": nlpseq.__version__, **{who: version_of(who).split()[-1] for who in peers}}
    finish(given, "translation", versions, tables, missing)


if __name__ == "__main__":
    main()
