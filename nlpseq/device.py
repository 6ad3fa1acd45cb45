"""Where a model runs, and on how many threads."""

from __future__ import annotations

import torch

from nlpseq.errors import UsageError
from nlpseq.machine import told_cores, usable_cores


def find_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `mps` as a torch device; `auto` takes CUDA where there is one, else the CPU."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if name.partition(":")[0] not in there:
        raise UsageError(f"There is no device {str(name)!r}. Known: auto, cpu, cuda, mps.")
    if not there[name.partition(":")[0]]:
        raise UsageError(f"The device {str(name)!r} is not available to this install of torch. Take the cpu.")
    try:
        return torch.device(name)
    except RuntimeError:
        raise UsageError(f"There is no device {str(name)!r}. A number may follow the kind, as in cuda:1.") from None


def use_threads(count: int | None) -> None:
    """Sets the CPU threads of this process; None: as torch has it, but, where OMP_NUM_THREADS did not tell it, no more
    than a container may use.

    Raises UsageError for less than one.
    """
    if count is None:
        count = torch.get_num_threads() if told_cores() else min(torch.get_num_threads(), usable_cores())
    if count < 1:
        raise UsageError(f"threads is {count}. Give 1 or more, or None for as many as torch chooses.")
    torch.set_num_threads(count)


def flush_denormals() -> None:
    """Lets denormal numbers be zero in this process: for programs, not for libraries, since it concerns all code in it.

    Denormals slow a recurrent layer down many times and change no result that can be seen.
    """
    torch.set_flush_denormal(True)
