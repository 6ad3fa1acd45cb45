"""Where a model runs, and on how many threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from nlpseq.errors import UsageError
from nlpseq.machine import told_cores, usable_cores

T = TypeVar("T")
R = TypeVar("R")


def find_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `mps` as a torch device; `auto` takes CUDA where there is one, else the CPU."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if name.partition(":")[0] not in there:
        raise UsageError(f"There is no device {name!r}. Known: auto, cpu, cuda, mps.")
    if not there[name.partition(":")[0]]:
        raise UsageError(f"The device {name!r} is not available to this install of torch. Use --device cpu.")
    return torch.device(name)


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


def side_by_side(work: Callable[[T], R], items: Sequence[T], device: torch.device) -> Iterator[R]:
    """`work(item)` of each item, in order, without gradients; on a CPU as many at once as torch has threads.

    Several batches on a core each are read faster than one after the other on all cores: the products of a recurrent
    step are too small to be shared out. What one batch gives does not depend on the number.
    """
    count = torch.get_num_threads()
    if device.type != "cpu" or count == 1 or len(items) < 2:
        with torch.inference_mode():
            for item in items:
                yield work(item)
        return
    with ThreadPoolExecutor(min(count, len(items)), initializer=_alone) as pool:
        yield from pool.map(torch.inference_mode()(work), items)
    torch.set_num_threads(count)  # a part of what a worker sets holds for the process


def _alone() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # each thread has its own; a worker does nothing else


def flush_denormals() -> None:
    """Lets denormal numbers be zero in this process: for programs, not for libraries, since it concerns all code in it.

    Denormals slow a recurrent layer down many times and change no result that can be seen.
    """
    torch.set_flush_denormal(True)
