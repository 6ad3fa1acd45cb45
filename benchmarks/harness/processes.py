"""Fresh processes, measured from outside: time by the clock, time of the cores, and the most memory they held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.environments import UnavailableError

if sys.platform == "win32":
    raise SystemExit("These measurements need wait4, which Windows has not.")


class Usage(NamedTuple):
    """What a process took: seconds by the clock, seconds of all cores, and bytes at its peak."""

    seconds: float
    cpu: float
    peak: int


def run_fresh(command: Sequence[str], env: Mapping[str, str], log: Path) -> Usage:
    """Runs a command to its end, with nothing on stdin. Raises UnavailableError where it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as told:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told, env=dict(env)
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UnavailableError(f"{command[0]} ended with {process.returncode} (see {log})")
    scale = 1 if sys.platform == "darwin" else 1024
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)
