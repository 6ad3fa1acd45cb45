"""How a worker is driven: a request a line on stdin, an answer a line on stdout. Standard library only.

A request is a JSON object: `do` names a method of the worker, the rest are its arguments. The answer has what the
method returned (`value`), the seconds it took by the clock (`seconds`) and of all cores (`cpu`), or `error`. Whatever
the libraries of a worker print goes to stderr.

After each `load`, what is loaded is taken from the garbage collector's rounds (`gc.freeze`), as the processes of nlpseq
do that share out inputs: it stays, and looking through it would fall on whoever is measured at the time.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from typing import Any


def serve(worker: object) -> None:
    """Answers requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_answer(worker, request)), file=answers, flush=True)


def _answer(worker: object, request: dict[str, Any]) -> dict[str, Any]:
    do = request.pop("do")
    work = getattr(worker, do)
    if do == "load":
        gc.unfreeze()
    started, spent = time.perf_counter(), time.process_time()
    try:
        value = work(**request)
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}
    taken = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - spent}
    if do == "load":
        gc.collect()
        gc.freeze()
    return {"value": value, **taken}


def lines_of(path: str) -> list[str]:
    """The lines of a text file, without their ends."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return [line.rstrip("\n") for line in file]


def objects_of(path: str) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in lines_of(path)]
