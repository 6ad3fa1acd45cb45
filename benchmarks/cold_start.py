"""How long a fresh process takes from its start to its end: one text answered, by nlpseq and by its peers.

    python benchmarks/cold_start.py
    python benchmarks/cold_start.py --quick

Every run is a process of its own, all in turns, after one that is not counted (which leaves bytecode and fills the file
cache). spaCy loads the pipeline that benchmarks/tagging.py trained, once where torch is installed (the environment of
nlpseq) and once where it is not; python-crfsuite, fastText and scikit-learn load theirs. What a process that does
nothing but start takes is the first row.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from harness.contest import WORKERS, surroundings
from harness.environments import UnavailableError, version_of
from harness.processes import Usage, run_fresh
from harness.results import Measured, Row, Table
from harness.scripts import US, Places, attempt, finish, parser, places, rounds

import nlpseq

TEXT = "Sumesh worked at Cisco in Bengaluru"
CAPTION = "Two dogs are running across the snow."
BEGINNING = "The weather in Paris"
OPINION = "The plot is thin, but I could not stop watching."
PEERS = {"spacy": "tagger", "crfsuite": "tagger", "fasttext": "sst-2", "sklearn": "sst-2"}  # and what was trained


class Starter(NamedTuple):
    """A command that is measured."""

    name: str
    command: list[str]
    ours: bool = False


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--threads", type=int, default=2)
    result.add_argument("--translator", help="a checkpoint that translates from English; none is measured without it")
    return result.parse_args()


def ours(translator: str | None) -> list[Starter]:
    """Our commands, as the console script of this environment runs them."""
    script = US.with_name("nlpseq")
    nlpseq_command = [str(script)] if script.exists() else [str(US), "-m", "nlpseq.cli.main"]
    translate = Starter("nlpseq translate", [*nlpseq_command, "translate", "-c", translator or "", CAPTION], True)
    return [
        Starter("python, nothing else", [str(US), "-c", "pass"]),
        Starter("nlpseq --help", [*nlpseq_command, "--help"], True),
        Starter("nlpseq tag", [*nlpseq_command, "tag", TEXT], True),
        Starter("nlpseq sentiment", [*nlpseq_command, "sentiment", OPINION], True),
        *([translate] if translator else []),
        Starter("nlpseq generate, 20 words", [*nlpseq_command, "generate", "--max-tokens", "20", BEGINNING], True),
    ]


def theirs(name: str, where: Places) -> list[Starter]:
    """A peer that loads its trained model and answers one text. Raises UnavailableError where it was not trained."""
    model, tags = where.work / f"{name}-{PEERS[name]}", PEERS[name] == "tagger"
    if not (model / "made.json").exists():
        trainer = "tagging" if tags else "sentiment"
        raise UnavailableError(f"it was not trained yet: run benchmarks/{trainer}.py --prepare")
    arguments = [str(WORKERS / "once.py"), name, str(model), TEXT if tags else OPINION]
    alone = Starter(f"{name}, alone in its environment", [str(where.python(name)), *arguments])
    if name != "spacy":
        return [alone]
    return [Starter("spacy, beside torch", [str(US), *arguments]), alone]


def measured(
    starters: list[Starter], count: int, where: Places, threads: int
) -> tuple[dict[str, list[Usage]], dict[str, str]]:
    """The usages of each, in turns; and why one could not be measured."""
    found: dict[str, list[Usage]] = {starter.name: [] for starter in starters}
    failed: dict[str, str] = {}
    for number in range(count + 1):
        for starter in (one for one in starters if one.name not in failed):
            try:
                usage = run_fresh(starter.command, surroundings(threads), where.logs / "cold-start.log")
            except UnavailableError as error:
                failed[starter.name] = str(error)
                continue
            if number:
                found[starter.name].append(usage)
    return {name: usages for name, usages in found.items() if usages}, failed


def table(starters: list[Starter], found: Mapping[str, list[Usage]]) -> Table:
    rows = []
    for starter in (one for one in starters if one.name in found):
        usages = found[starter.name]
        cells = {
            "s": Measured.of([usage.seconds for usage in usages]),
            "CPU s": Measured.of([usage.cpu for usage in usages]),
            "peak, MiB": Measured.of([usage.peak / 2**20 for usage in usages]),
        }
        rows.append(Row(starter.name, cells, starter.ours))
    about = "A whole process that answers one text, from its start to its end."
    return Table("Cold start", about, tuple(rows))


def main() -> None:
    given = arguments()
    where, missing = places(given), {}  # type: Places, dict[str, str]
    where.work.mkdir(parents=True, exist_ok=True)
    starters = ours(given.translator)
    for name in (name for name in PEERS if not given.only or name in given.only):
        starters += attempt(name, partial(theirs, name, where), missing) or []
    if given.prepare:
        return
    found, failed = measured(starters, rounds(given, 7), where, given.threads)
    peers = [name for name in PEERS if name not in missing]
    versions = {"nlpseq": nlpseq.__version__, **{name: version_of(name).split()[-1] for name in peers}}
    finish(given, "cold_start", versions, [table(starters, found)], {**missing, **failed})


if __name__ == "__main__":
    main()
