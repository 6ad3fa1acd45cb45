"""Runs a command to its end and prints what it took, as JSON: python launch.py COMMAND ARGUMENTS...

A process of its own, and a small one: on Linux the peak of a process is never less than that of the one that started
it, and a benchmark script holds corpora. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    command = sys.argv[1:]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    taken = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak}
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "usage": taken}))


if __name__ == "__main__":
    main()
