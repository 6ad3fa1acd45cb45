"""A checkpoint in several processes, one core each, that share out the inputs; answers come in their order.

A recurrent step is too small to be shared out between cores, and what is around it (words, spelling, labels) is Python,
so two processes are nearly twice as fast as one with two threads. This process needs no torch.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, count
from typing import Any

from nlpseq.errors import UsageError
from nlpseq.given import (
    CHARACTERS_AHEAD,
    FAR_AHEAD,
    READ_AHEAD,
    Text,
    behind,
    characters_of,
    must_be_many,
    must_be_one,
)
from nlpseq.machine import may_have_gpu, wanted_cores
from nlpseq.records import Failure, TokenizedText
from nlpseq.worker_process import EndedError, Load, Worker

SHARED = frozenset({"tag", "sentiment", "translate"})  # tasks whose inputs are shared out where there are many
MOST_PROCESSES = 8  # without a word from the user: each takes its own memory
# Inputs that are sent to each process at first: few, so that answers come soon, but of few short ones batches are poor.
# Then it is twice as many each time, up to MOST at once, or fewer where they are long.
FIRST = {"tag": 256, "sentiment": 256, "translate": 64}
MOST = {"tag": FAR_AHEAD, "sentiment": FAR_AHEAD, "translate": READ_AHEAD}
CHARACTERS = 200  # of an input on average, until there are CHARACTERS_AHEAD in all
OWN = 25  # what an input costs beside its characters, as characters
LEAST = 4000  # characters that are worth a process of their own
QUEUED = 2  # chunks that wait in a process or are read by it, so that it need not wait for the next


def processes_for(task: str, device: str, threads: int | None) -> int:
    """How many processes are best for much text: one where it may be read on a GPU, else one a core."""
    if task not in SHARED or not (device == "cpu" or (device == "auto" and not may_have_gpu())):
        return 1
    return threads or min(wanted_cores(), MOST_PROCESSES)


class SharedPipeline:
    """A pipeline in so many `processes`, which are started as there is work for them, and end with this one.

    Threads may share it; a copy of it, pickled or not, has processes of its own.
    """

    def __init__(self, task: str, load: Load, processes: int) -> None:
        """Raises UsageError for less than one process."""
        if processes < 1:
            raise UsageError(f"processes is {processes}. Give 1 or more.")
        self.task, self.load, self.processes = task, load, processes
        self._workers: list[Worker] = []
        self._turns = count()
        self._lock = threading.RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        """How to make one that has started no process yet."""
        return SharedPipeline, (self.task, self.load, self.processes)

    def __call__(self, text: Text) -> Any:
        """What is predicted for one text, given as a string or as its words; many texts are for `pipe`.

        Raises ValueError for what is no text, TypeError for a list that cannot be the words of one.
        """
        must_be_one(text)
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[Any]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of the pipeline that is loaded.

        Each process has two chunks of `batch_size` inputs (by default ever more, up to 4,096, of translations
        1,024, fewer where they are long) to itself. Raises what the pipeline raises, and NlpseqError where a process
        ends before its work does.
        """
        must_be_many(inputs, batch_size)
        return self._answers(_chunks(inputs, batch_size, self.task, self.processes))

    def _answers(self, chunks: Iterable[list[Any]]) -> Iterator[Any]:
        busy: deque[_Sent] = deque()
        first = 1
        try:
            for chunk in chunks:
                worker = self._worker(next(self._turns) % self.processes)
                busy.append(_Sent(worker, worker.send(chunk), first))
                first += len(chunk)
                while busy and (len(busy) >= QUEUED * self.processes or busy[0].ready):
                    yield from busy[0].answers()
                    busy.popleft()
            while busy:
                yield from busy[0].answers()
                busy.popleft()
        except EndedError:
            self.close()
            raise
        finally:
            for sent in busy:  # someone has heard enough, or there was an error
                sent.worker.forget(sent.ticket)

    def _worker(self, place: int) -> Worker:
        with self._lock:
            self._workers = [worker for worker in self._workers if not worker.ended]
            place = min(place, len(self._workers))
            if place == len(self._workers):
                self._workers.append(Worker(self.load))
            return self._workers[place]

    def adjusted(self, change: Callable[[Any], Any]) -> SharedPipeline:
        """The same with what `change`, which has to be picklable, makes of the pipeline in each process."""
        return SharedPipeline(self.task, partial(_changed, self.load, change), self.processes)

    def start(self) -> None:
        """Starts all processes and waits until they can read. Raises what loading raises."""
        try:
            for worker in [self._worker(place) for place in range(self.processes)]:
                worker.wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends all processes; the next input starts new ones."""
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()


def _changed(load: Load, change: Callable[[Any], Any]) -> Any:
    return change(load())


def _chunks(inputs: Iterable[Text], size: int | None, task: str, processes: int) -> Iterator[list[Any]]:
    """Inputs in lists of `size`; where it is None, in rounds of one for each process, that have like work in all."""
    chunk: list[Any] = []
    characters, limit, most = 0, size or FIRST[task], size or MOST[task]
    parts = 1 if size else processes
    for item in map(_sendable, inputs):
        chunk.append(item)
        characters += characters_of(item)
        enough = parts * min(limit * CHARACTERS, CHARACTERS_AHEAD)
        if len(chunk) >= parts * limit or (size is None and characters >= enough):
            yield from _shared_out(chunk, parts, most)
            chunk, characters = [], 0
            limit = min(most, 2 * limit)
    if chunk:
        yield from _shared_out(chunk, parts, most)


def _shared_out(inputs: list[Any], parts: int, most: int) -> Iterator[list[Any]]:
    """The inputs in about so many parts of like work, none of them for nearly nothing or of more than `most` inputs."""
    ends = list(accumulate(characters_of(item) + OWN for item in inputs))
    parts = max(1, min(parts, ends[-1] // LEAST))
    start = 0
    for part in range(1, parts + 1):
        end = len(inputs) if part == parts else bisect_right(ends, ends[-1] * part / parts)
        while start < end:
            yield inputs[start : min(end, start + most)]
            start = min(end, start + most)


def _sendable(item: Any) -> Any:
    """The input as something that can be sent; what is no text becomes something else that is none."""
    if isinstance(item, str | TokenizedText):
        return item
    if isinstance(item, Sequence) and not isinstance(item, bytes | bytearray):
        return [token if isinstance(token, str) else None for token in item]
    return None


class _Sent:
    """A chunk on its way: who has it, and the number of its first input."""

    def __init__(self, worker: Worker, ticket: int, first: int) -> None:
        self.worker, self.ticket, self.first = worker, ticket, first

    @property
    def ready(self) -> bool:
        """Whether its answers need not be waited for."""
        return self.worker.has(self.ticket)

    def answers(self) -> Iterator[Any]:
        """Waits for them."""
        for answer in self.worker.receive(self.ticket):
            yield behind(answer, self.first - 1)
