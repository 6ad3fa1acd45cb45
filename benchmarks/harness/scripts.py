"""What every benchmark script takes and leaves: options, the places of its cache, trained peers, its result."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import results
from harness.environments import UnavailableError, environment
from harness.results import Table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
US = Path(sys.executable)  # nlpseq is measured in the environment that runs the scripts


@dataclass(frozen=True)
class Places:
    """Where a run keeps things. What was made for --quick is kept apart from what counts."""

    cache: Path
    quick: bool

    @property
    def work(self) -> Path:
        """Data and trained peers."""
        return self.cache / ("quick" if self.quick else "full")

    @property
    def logs(self) -> Path:
        """What workers and commands say on stderr."""
        return self.work / "logs"

    def python(self, name: str) -> Path:
        """The Python of a peer's environment. Raises UnavailableError."""
        return environment(name, self.cache / "environments")


def parser(text: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all scripts share; `text` is the script's docstring."""
    result = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("NLPSEQ_BENCH_CACHE", ROOT / "runs" / "bench"))
    result.add_argument("--cache", type=Path, default=cache, help="environments, data and trained peers are kept here")
    result.add_argument("--quick", action="store_true", help="a small slice of everything, to see that it works")
    result.add_argument("--prepare", action="store_true", help="only what is kept in the cache; nothing is measured")
    result.add_argument("--rounds", type=int, help="turns of each contender")
    result.add_argument("--only", action="append", metavar="PEER", help="these peers alone; may be repeated")
    result.add_argument("--results", type=Path, help="where the JSON goes (by default benchmarks/results)")
    return result


def places(given: argparse.Namespace) -> Places:
    """The places that the options name."""
    return Places(given.cache.resolve(), given.quick)


def rounds(given: argparse.Namespace, usual: int) -> int:
    """The rounds that were asked for, or the usual number; with --quick one."""
    return given.rounds or (1 if given.quick else usual)


def kept(folder: Path, make: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
    """What `make` said when it filled the folder, once; the next run finds it. What was cut short is begun again."""
    note = folder / "made.json"
    if not note.exists():
        fresh = folder.with_name(folder.name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.mkdir(parents=True)
        (fresh / "made.json").write_text(json.dumps(make(fresh)), encoding="utf-8")
        fresh.rename(folder)
    made: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    return made


def attempt(name: str, work: Callable[[], Any], missing: dict[str, str]) -> Any:
    """What `work` gives; where it raises UnavailableError, None, and the reason is kept in `missing`."""
    try:
        return work()
    except UnavailableError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        missing[name] = str(error)
        return None


def finish(
    given: argparse.Namespace,
    name: str,
    versions: Mapping[str, str],
    tables: Sequence[Table],
    missing: Mapping[str, str],
) -> None:
    """Prints the tables as Markdown, and writes the result where it belongs: that of --quick into the cache."""
    command = " ".join(["python", f"benchmarks/{name}.py", *_shown(sys.argv[1:])])
    result = results.make_result(name.replace("_", "-"), command, versions, tables, missing)
    folder = places(given).work / "results" if given.quick else RESULTS
    path = given.results or folder / f"{result.benchmark}.json"
    print(results.as_markdown(result), flush=True)  # first: it is not lost where the path is none
    results.save(result, path)
    print(f"written: {path}", file=sys.stderr)


def _shown(arguments: Sequence[str]) -> list[str]:
    """The arguments but for where things are kept, which is nobody else's concern."""
    shown, skip = [], False
    for argument in arguments:
        if not skip and argument not in {"--cache", "--results"}:
            shown.append(argument)
        skip = argument in {"--cache", "--results"}
    return shown
