"""What a program may use of a machine, by the files in which Linux says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlpseq import machine
from nlpseq.machine import OtherWork, busy_seconds, quota, quota_of, usable_cores, wanted_cores


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("100000 100000\n", 1.0),
        ("250000 100000\n", 2.5),
        ("max 100000\n", None),
        ("-1\n 100000\n", None),
        (" ", None),
        ("", None),
    ],
)
def test_a_limit(text: str, cores: float | None) -> None:
    assert quota_of(text) == cores


def written(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"cpu.{name}").write_text(text)


def test_a_container_sees_its_group_as_the_root(tmp_path: Path) -> None:
    written(tmp_path, max="150000 100000\n")
    assert quota("0::/\n", tmp_path) == 1.5
    assert quota("0::/../other\n", tmp_path) == 1.5
    assert quota("", tmp_path) == 1.5


def test_the_least_limit_of_all_groups_above_holds(tmp_path: Path) -> None:
    written(tmp_path / "user", max="200000 100000\n")
    written(tmp_path / "user" / "shell", max="max 100000\n")
    assert quota("0::/user/shell\n", tmp_path) == 2
    assert quota("0::/\n", tmp_path) is None
    written(tmp_path / "user" / "shell", max="50000 100000\n")
    assert quota("0::/user/shell\n", tmp_path) == 0.5


def test_groups_of_the_older_kind(tmp_path: Path) -> None:
    """A container's own is the root there, too, while its path is that outside."""
    written(tmp_path / "cpu", cfs_quota_us="300000\n", cfs_period_us="100000\n")
    assert quota("4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/\n", tmp_path) == 3
    assert quota("4:memory:/docker/1\n", tmp_path) is None
    written(tmp_path / "cpu", cfs_quota_us="-1\n")
    assert quota("3:cpu,cpuacct:/docker/1\n", tmp_path) is None


def test_no_more_cores_than_the_limit_says_and_one_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cores", lambda: range(64))
    for limit, cores in ((1.0, 1), (0.2, 1), (3.6, 4), (100.0, 64), (None, 64)):
        monkeypatch.setattr(machine, "quota", lambda *_, limit=limit: limit)
        assert usable_cores() == cores
    monkeypatch.setenv("OMP_NUM_THREADS", "6,2")
    assert wanted_cores() == 6
    monkeypatch.setenv("OMP_NUM_THREADS", "0")
    assert wanted_cores() == 64


STAT = """cpu  700 0 0 900 5 0 0 0 0 0
cpu0 100 20 30 9000 500 1 2 3 0 0
cpu1 500 0 0 9000 500 0 0 0 0 0
intr 12 13
"""


def test_busy_is_neither_idle_nor_waiting_for_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "sysconf", lambda _: 100)
    assert busy_seconds(STAT, {0}) == 1.56
    assert busy_seconds(STAT, {0, 1, 2}) == 6.56
    assert busy_seconds("", {0}) == 0


@pytest.mark.parametrize(
    ("busy", "own", "free"),
    [(0.0, 0.0, 4), (10.0, 10.0, 4), (20.0, 10.0, 3), (44.0, 4.0, 1), (24.0, 0.0, 2), (5.0, 9.0, 4)],
)
def test_cores_that_others_take_are_not_free(
    monkeypatch: pytest.MonkeyPatch, busy: float, own: float, free: int
) -> None:
    """In ten seconds on four cores; what this process itself does takes none."""
    monkeypatch.setattr(machine, "_cores", lambda: range(4))
    monkeypatch.setattr(machine, "quota", lambda *_: None)
    measured = iter([(0.0, 100.0, 1.0), (10.0, 100.0 + busy, 1.0 + own)])
    monkeypatch.setattr(OtherWork, "_measured", lambda _: next(measured))
    assert OtherWork().free_cores() == free


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="The system does not tell.")
def test_another_process_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does nothing but turn in circles on the one core that is looked at."""
    core = max(machine._cores())
    monkeypatch.setattr(machine, "_cores", lambda: [core])
    script = f"import os\nos.sched_setaffinity(0, [{core}])\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        work = OtherWork()
        machine.time.sleep(0.3)
        _, busy, own = (after - before for before, after in zip(work.began, work._measured(), strict=True))
        other.kill()
    assert busy - own > 0.1
