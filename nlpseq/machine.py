"""What a program may use of the machine, and what a measurement was made on."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_WATCHED = 0.2  # seconds, at least: the system counts in hundredths


def describe_machine() -> dict[str, str]:
    """Processor, cores that this process may use, memory, system and Python, as a reader of figures wants to know."""
    return {
        "processor": _processor(),
        "cores": str(usable_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def usable_cores() -> int:
    """The cores that this process may run on: of those that there are, what the system or a container allows."""
    there = len(_cores())
    allowed = quota(_text(Path("/proc/self/cgroup")), _GROUPS)
    return there if allowed is None else min(there, max(1, round(allowed)))


def _cores() -> Collection[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


def quota(groups: str, root: Path) -> float | None:
    """The processor time that Linux control groups allow, in cores; None where there is no limit.

    `groups` is what /proc/self/cgroup says; the groups lie below `root`. A limit holds for the groups below, too.
    """
    limits = [quota_of(text) for folder in _folders(groups, root) for text in _limits_in(folder)]
    return min((limit for limit in limits if limit is not None), default=None)


def _folders(groups: str, root: Path) -> Iterator[Path]:
    """Where limits may stand: in a container a group's path often cannot be seen, and `root` is its own."""
    for line in groups.splitlines() or ["0::/"]:
        _, kinds, path = [*line.split(":", 2), "", ""][:3]
        if kinds and "cpu" not in kinds.split(","):
            continue
        top = root / "cpu" if kinds else root
        folder = top / path.lstrip("/")
        yield from (folder, *(parent for parent in folder.parents if parent.is_relative_to(top)))


def _limits_in(folder: Path) -> Iterator[str]:
    yield _text(folder / "cpu.max")
    yield _text(folder / "cpu.cfs_quota_us") + " " + _text(folder / "cpu.cfs_period_us")


def quota_of(text: str) -> float | None:
    """The cores of a limit, `quota period`, both in microseconds; None for none: "max 100000" or "-1 100000"."""
    try:
        allowed, period = map(float, text.split())
    except ValueError:
        return None
    return allowed / period if allowed > 0 and period > 0 else None


def told_cores() -> int | None:
    """As many as OMP_NUM_THREADS says, as for torch; None where it says nothing."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(told) or None if told.isdecimal() else None


def wanted_cores() -> int:
    """The cores to be used: as many as OMP_NUM_THREADS says, else all that may be."""
    return told_cores() or usable_cores()


def let_threads_sleep() -> None:
    """Lets threads that wait for one another spin for a moment only, then sleep.

    On a machine that does other work besides, spinning for long makes two threads many times slower than one, and never
    spinning costs a third where there is no other work. It has to be said before torch, and GNU's OpenMP with it, is
    imported, and does nothing where the environment says otherwise.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")


class OtherWork:
    """How much of the usable cores other processes take, from when this is made on."""

    def __init__(self) -> None:
        self.began = self._measured()

    def free_cores(self) -> int:
        """The usable cores that are left, one at least; all where the system does not tell (it has no /proc/stat)."""
        time.sleep(max(0.0, self.began[0] + _WATCHED - time.monotonic()))
        seconds, busy, own = (after - before for before, after in zip(self.began, self._measured(), strict=True))
        taken = max(0.0, busy - own) / seconds
        return max(1, min(usable_cores(), round(len(_cores()) - taken)))

    def _measured(self) -> tuple[float, float, float]:
        """Seconds: by the clock, in which those cores were busy, and in which they were so with this process."""
        return time.monotonic(), busy_seconds(_text(Path("/proc/stat")), _cores()), time.process_time()


def busy_seconds(stat: str, cores: Collection[int]) -> float:
    """How long `cores` have been doing something, of what /proc/stat says."""
    names = {f"cpu{core}" for core in cores}
    rows = [line.split() for line in stat.splitlines()]
    ticks = sum(sum(map(int, row[1:4])) + sum(map(int, row[6:9])) for row in rows if row and row[0] in names)
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def may_have_gpu() -> bool:
    """Whether the system shows a device that torch could choose by itself: not for certain, as torch is not asked."""
    if sys.platform == "win32":
        return True
    return any(Path("/dev").glob("nvidia[0-9]*")) or any(Path(f"/dev/{name}").exists() for name in ("kfd", "dxg"))


def peak_memory() -> int | None:
    """The most bytes that this process ever held in memory; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0]} ({platform.machine()})" if named else platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
