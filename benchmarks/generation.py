"""How soon a language model answers, on one core: the first token of the first text, of later ones, and every other.

    python benchmarks/generation.py
    python benchmarks/generation.py --checkpoint my-lm --quick

Every run is a process of its own that loads the checkpoint and continues each prompt once: on NumPy, as `nlpseq
generate` does, and on torch, as `nlpseq.load` does, in turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from harness.contest import WORKERS, surroundings
from harness.results import Measured, Row, Table
from harness.scripts import US, finish, parser, rounds

import nlpseq

PROMPTS = (
    "The weather in Paris",
    "I would like to",
    "In the history of the United States, there has never been a president who",
    "Once upon a time",
    "The United Nations must",
    "She opened the door and",
)
TOKENS = 40
KINDS = {"numpy": "`nlpseq generate` (NumPy)", "torch": "`nlpseq.load` (torch)"}
SHORT = {"numpy": "NumPy", "torch": "torch"}


def arguments() -> Namespace:
    result = parser(__doc__)
    result.add_argument("--checkpoint", default="lm-en", help="a language model's name or folder")
    return result.parse_args()


def run(checkpoint: str, kind: str) -> dict[str, Any]:
    """What one fresh process measured."""
    command = [str(US), str(WORKERS / "writing.py"), kind, checkpoint, str(TOKENS), *PROMPTS]
    done = subprocess.run(command, env=surroundings(1), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def waited_for(found: Sequence[dict[str, Any]]) -> dict[str, list[list[float]]]:
    """The seconds of each run that were waited for what."""
    return {
        "loading": [[each["load"]] for each in found],
        "first token, first text of the process": [each["prompts"][0][:1] for each in found],
        "first token, later texts": [[times[0] for times in each["prompts"][1:]] for each in found],
        "every other token": [[one for times in each["prompts"] for one in times[1:]] for each in found],
    }


def table(checkpoint: str, found: Mapping[str, Sequence[dict[str, Any]]]) -> Table:
    """One row a thing that is waited for: the median of the runs, and the slowest of any."""
    cells: dict[str, dict[str, Measured | float]] = {}
    for kind, runs_of_kind in found.items():
        for name, runs in waited_for(runs_of_kind).items():
            medians = Measured.of([1000 * statistics.median(times) for times in runs])
            slowest = 1000 * max(map(max, runs))
            cells.setdefault(name, {}).update({f"{KINDS[kind]}, ms": medians, f"slowest ({SHORT[kind]})": slowest})
    about = (
        f"`{checkpoint}` continues {len(PROMPTS)} prompts by {TOKENS} tokens at most, on one thread, once loaded; "
        "torch is imported before."
    )
    return Table("Generation", about, tuple(Row(name, row, ours=True) for name, row in cells.items()))


def main() -> None:
    given = arguments()
    if given.prepare:
        return
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for _ in range(rounds(given, 7)):
        for kind, runs in found.items():
            runs.append(run(given.checkpoint, kind))
    finish(given, "generation", {"nlpseq": nlpseq.__version__}, [table(given.checkpoint, found)], {})


if __name__ == "__main__":
    main()
