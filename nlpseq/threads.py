"""Work that is shared out between CPU threads, each with its part of torch's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
_making = threading.Lock()


def pool_of(workers: int, threads: int) -> ThreadPoolExecutor:
    """So many workers that have `threads` of torch's threads each; they stay, and are the same ones the next time."""
    with _making:
        if (workers, threads) not in _pools:
            _pools[workers, threads] = _made(workers, threads)
        return _pools[workers, threads]


def _made(workers: int, threads: int) -> ThreadPoolExecutor:
    there, before = threading.Barrier(workers + 1), torch.get_num_threads()

    def begin() -> None:
        torch.get_num_threads()  # a thread that is asked the first time takes the process's number, so ask before
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)  # each thread has its own; these do nothing else
        with suppress(threading.BrokenBarrierError):  # whoever waits for it has been interrupted
            there.wait()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="nlpseq", initializer=begin)
    try:
        for _ in range(workers):
            pool.submit(int)
        there.wait()
    except BaseException:
        there.abort()
        pool.shutdown(wait=False)
        raise
    finally:
        torch.set_num_threads(before)  # a part of what a worker sets holds for the process
    return pool


def at_once(work: Callable[..., R], *given: Sequence[Any]) -> list[R]:
    """`work` of the first of each, of the second of each and so on, as many at once as there are threads of the CPU, on
    a part of these each, in the contexts of this thread.
    """
    sets, threads = list(zip(*given, strict=True)), torch.get_num_threads()
    workers = min(len(sets), threads)
    pool = pool_of(workers, threads // workers)
    waiting = [pool.submit(copy_context().run, work, *one) for one in sets]
    return [done.result() for done in waiting]


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
    yield from pool_of(count, 1).map(torch.inference_mode()(work), items)


def _forget() -> None:
    """A child process has none of the threads."""
    global _making
    _pools.clear()
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
