"""The speed of a training: what its steps count, second by second. Standard library only."""

from __future__ import annotations

import time
from collections.abc import Iterator


def speeds(counts: Iterator[int], seconds: float) -> Iterator[float]:
    """What is counted a second, each second or more, until the time is over: at least once."""
    began = reported = time.perf_counter()
    counted, told = 0, False
    for count in counts:
        counted += count
        now = time.perf_counter()
        over = now - began >= seconds
        if now - reported >= 1 or (over and not told):
            yield counted / (now - reported)
            counted, reported, told = 0, now, True
        if over:
            return
