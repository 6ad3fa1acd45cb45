"""Contests: workers that have loaded what they need are let run in turns, so that all meet the same machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from harness.environments import UnavailableError

WORKERS = Path(__file__).resolve().parents[1] / "workers"
Job = Callable[[int, int], dict[str, Any]]  # the arguments of `work` for share k of n


@dataclass(frozen=True)
class Contender:
    """Who takes part: a worker script, the Python that runs it, and what it is to `load`.

    With several `shares` there are as many processes, each with its own part of the work; `threads` are of each.
    """

    name: str
    python: Path
    script: str
    load: dict[str, Any]
    ours: bool = False
    shares: int = 1
    threads: int = 1


class Lap(NamedTuple):
    """One turn of one contender: what the workers returned, and seconds by the clock and of all cores together."""

    values: list[Any]
    seconds: float
    cpu: float


@dataclass
class Record:
    """The laps of a contender: the `first` ones after loading, and those `again` on the same work."""

    first: list[Lap] = field(default_factory=list)
    again: list[Lap] = field(default_factory=list)


class Worker:
    """A process that runs a worker script and answers requests, one at a time."""

    def __init__(self, python: Path, script: str, threads: int, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [str(python), str(WORKERS / script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=surroundings(threads),
        )  # fmt: skip
        self.log = log

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                stream.close()

    def send(self, do: str, **arguments: Any) -> None:
        """Begins a request; `receive` waits for its answer."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The answer to the request. Raises UnavailableError where the worker failed or is gone."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended without an answer"}
        if "error" in answer:
            raise UnavailableError(f"{answer['error']} (see {self.log})")
        return answer

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """A request and its answer."""
        self.send(do, **arguments)
        return self.receive()


def surroundings(threads: int) -> dict[str, str]:
    """The environment of a measured process: so many threads, and bytecode that is kept, as an installed one's is."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    own = dict.fromkeys(names, str(threads)) | {"GOMP_SPINCOUNT": "2000", "TOKENIZERS_PARALLELISM": "false"}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **own}


def contest(
    contenders: Sequence[Contender], job: Job, rounds: int, logs: Path, *, again: bool = True, reload: bool = True
) -> tuple[dict[str, Record], dict[str, str]]:
    """The laps of each contender, and why those that dropped out did.

    A round lets each contender in turn load afresh (with `reload`) and do the work, and with `again` do it once more.
    Before the first round there is one that is not counted.
    """
    records = {one.name: Record() for one in contenders}
    failed: dict[str, str] = {}
    crews = {one.name: [_worker(one, share, logs) for share in range(one.shares)] for one in contenders}
    try:
        for number in range(rounds + 1):
            for one in contenders:
                if one.name not in failed:
                    record, fresh = (records[one.name] if number else Record()), reload or not number
                    if reason := _turn(one, crews[one.name], job, fresh, again, record):
                        failed[one.name] = reason
    finally:
        for crew in crews.values():
            for worker in crew:
                worker.__exit__()
    return {name: record for name, record in records.items() if name not in failed}, failed


def _worker(one: Contender, share: int, logs: Path) -> Worker:
    name = "".join(letter if letter.isalnum() else "-" for letter in one.name)
    return Worker(one.python, one.script, one.threads, logs / f"{name}-{share}.log")


def _turn(one: Contender, crew: Sequence[Worker], job: Job, fresh: bool, again: bool, record: Record) -> str | None:
    """Adds the laps of a turn to the record; why it could not be taken, if so."""
    try:
        if fresh:
            together(crew, [("load", {**one.load, "threads": one.threads})] * len(crew))
        work = [("work", job(share, one.shares)) for share in range(one.shares)]
        record.first.append(together(crew, work))
        if again:
            record.again.append(together(crew, work))
    except UnavailableError as error:
        print(f"{one.name} drops out: {error}", file=sys.stderr, flush=True)
        return str(error)
    return None


def together(crew: Sequence[Worker], requests: Sequence[tuple[str, dict[str, Any]]]) -> Lap:
    """Requests that begin at the same time, one for each worker; the lap ends when the last has answered."""
    started = perf_counter()
    for worker, (do, arguments) in zip(crew, requests, strict=True):
        worker.send(do, **arguments)
    answers = [worker.receive() for worker in crew]
    return Lap([a["value"] for a in answers], perf_counter() - started, sum(a["cpu"] for a in answers))
