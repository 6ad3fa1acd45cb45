"""Pipelines for processes of their own: light to import, and easy to tell apart."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from typing import Any

from nlpseq.errors import DataError, NlpseqError, UsageError
from nlpseq.records import Failure


class PeculiarError(NlpseqError):
    """An error that pickle cannot make again."""

    exit_code = 7

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"Odd: {one} and {two}.")


class Shouting:
    """Answers each text with its process, and the text in capitals; some texts have meanings of their own."""

    task = "tag"

    def __init__(self, mark: str = "", deaf_to: str = "") -> None:
        self.mark, self.deaf_to = mark, deaf_to

    def pipe(self, inputs: Iterable[Any], *, batch_size: int | None = None) -> Iterator[Any]:
        del batch_size
        for number, item in enumerate(inputs, 1):
            if item == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if item == "slow":
                time.sleep(20)
            if item == "stop":
                raise UsageError("There is no stopping.")
            if item == "peculiar":
                raise PeculiarError(1, 2)
            if item == self.deaf_to:
                raise UsageError("This cannot be read.")
            if item == "stumble":
                raise DataError("It is broken.", "a.txt", 3)
            yield Failure("It is odd.", number) if item == "odd" else (os.getpid(), str(item).upper() + self.mark)


def refusing() -> Any:
    raise UsageError("Not this one.")


def marked(pipeline: Shouting, mark: str) -> Shouting:
    return Shouting(pipeline.mark + mark)
