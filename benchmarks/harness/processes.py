"""Fresh processes, measured from outside: time by the clock, time of the cores, and the most memory they held."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.environments import UnavailableError

LAUNCH = Path(__file__).with_name("launch.py")

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
    launch = [sys.executable, "-I", "-S", str(LAUNCH), *command]
    with log.open("wb") as told:
        done = subprocess.run(
            launch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, env=dict(env), check=False
        )
    if done.returncode:
        raise UnavailableError(f"{command[0]} could not be started (see {log})")
    found = json.loads(done.stdout)
    if found["code"]:
        raise UnavailableError(f"{command[0]} ended with {found['code']} (see {log})")
    return Usage(**found["usage"])
