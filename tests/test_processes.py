"""Fresh processes of the benchmarks: what they took is theirs alone, and a failure is told."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MIB = 2**20


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("harness.processes")


def usage(processes: Any, folder: Path, code: str) -> Any:
    return processes.run_fresh([sys.executable, "-c", code], os.environ, folder / "log")


def test_the_memory_of_whoever_measures_is_not_counted(processes: Any, tmp_path: Path) -> None:
    """Linux lets a child begin with its parent's peak; 200 MiB are far above what an idle Python holds."""
    held = bytearray(200 * MIB)
    assert usage(processes, tmp_path, "pass").peak < 100 * MIB
    assert len(held) == 200 * MIB


def test_memory_and_time_of_the_process_are_counted(processes: Any, tmp_path: Path) -> None:
    found = usage(processes, tmp_path, "import time; held = bytearray(b'x' * 2**27); time.sleep(0.2); print('said')")
    assert found.peak > 128 * MIB
    assert found.seconds >= 0.2
    assert found.cpu > 0


@pytest.mark.parametrize(
    ("command", "told"),
    [([sys.executable, "-c", "raise SystemExit(7)"], "ended with 7"), (["no-such-command"], "could not be started")],
)
def test_a_failure_names_the_command_and_the_log(processes: Any, tmp_path: Path, command: list[str], told: str) -> None:
    unavailable = importlib.import_module("harness.environments").UnavailableError
    with pytest.raises(unavailable, match=told) as failure:
        processes.run_fresh(command, os.environ, tmp_path / "log")
    assert str(tmp_path / "log") in str(failure.value)
