"""What a measurement was made on, and how much memory it took."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


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
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, _cores_of_container() or there)


def _cores_of_container() -> int | None:
    """The processor time that a Linux control group allows, in whole cores; None where it does not say."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join(Path("/sys/fs/cgroup", name).read_text(encoding="ascii") for name in files).split()
            quota, period = (float(word) for word in words)
        except (OSError, ValueError):  # no such group, or "max"
            continue
        if quota > 0 and period > 0:
            return max(1, round(quota / period))
    return None


def wanted_cores() -> int:
    """The cores to be used: as many as OMP_NUM_THREADS says, as for torch, else all that may be."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(told) if told.isdecimal() and int(told) else usable_cores()


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
