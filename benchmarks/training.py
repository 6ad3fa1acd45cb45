"""How fast is a tagger trained: nlpseq and spaCy, in words a second, on the same sentences of the web treebank.

    python benchmarks/training.py               # some 10 minutes
    python benchmarks/training.py --quick

Both take the steps of their own loops, in turns of some seconds, on one core and on both, and go on where they were;
evaluations are left out. spaCy is the efficiency configuration with tagger, morphologizer and ner; nlpseq has its usual
settings, UPOS, XPOS and names, and once more those of the recipe of tag-en: narrower layers, larger batches.
benchmarks/translation.py does the same for translation, and benchmarks/tagging.py says to what scores the peers came,
and in what time.
"""

from __future__ import annotations

from argparse import Namespace
from statistics import median

from harness import data
from harness.contest import Contender, contest
from harness.environments import version_of
from harness.results import Measured, Row, Table
from harness.scripts import US, Places, attempt, finish, parser, places, rounds

import nlpseq

TAG_EN = ("encoder.width=128", "training.batch_tokens=2400")


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--seconds", type=float, default=30, help="of a turn")
    result.add_argument("--set", dest="settings", action="append", default=[], metavar="section.key=value")
    return result.parse_args()


def contenders(given: Namespace, where: Places, missing: dict[str, str]) -> list[Contender]:
    """Ours, and spaCy's where it can be installed, with one thread and with two."""
    texts = data.tagging(where.work, where.quick)
    train, dev = str(texts / "train.jsonl"), str(texts / "dev.jsonl")
    result = []
    for name, settings in {"nlpseq": (), "nlpseq, as tag-en": TAG_EN}.items():
        own = {"task": "tag", "train": [train], "settings": [*settings, *given.settings]}
        result += [Contender(f"{name}, threads: {n}", US, "ours_training.py", own, True, 1, n) for n in (1, 2)]
    wanted = not given.only or "spacy" in given.only
    python = attempt("spacy", lambda: where.python("spacy"), missing) if wanted else None
    if python:
        load = {"training": True, "train": train, "dev": dev, "folder": str(where.work / "spacy-speed")}
        result += [Contender(f"spacy, threads: {n}", python, "spacy_tagger.py", load, False, 1, n) for n in (1, 2)]
    return result


def main() -> None:
    given = arguments()
    where, missing = places(given), {}  # type: Places, dict[str, str]
    taking_part = contenders(given, where, missing)
    if given.prepare:
        return
    seconds = 3.0 if given.quick else given.seconds
    records, failed = contest(
        taking_part, lambda *_: {"seconds": seconds}, rounds(given, 3), where.logs, again=False, reload=False
    )
    rows = []
    for name, record in records.items():
        speed = Measured.of([median(lap.values[0]) for lap in record.first])
        rows.append(Row(name, {"words/s": speed}, name.startswith("nlpseq")))
    about = f"Turns of {seconds:.0f} s, the median of their seconds; evaluations left out."
    table = Table("Training of a tagger", about, tuple(rows), {"words/s": "more"})
    versions = {"nlpseq": nlpseq.__version__, "spacy": version_of("spacy").split()[-1]}
    finish(given, "training", versions, [table], {**missing, **failed})


if __name__ == "__main__":
    main()
