"""A checkpoint in several processes, one core each, that share out the inputs; answers come in their order.

A recurrent step is too small to be shared out between cores, and what is around it (words, spelling, labels) is Python,
so two processes are nearly twice as fast as one with two threads. This process needs no torch.
"""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from nlpseq.errors import NlpseqError, UsageError
from nlpseq.given import Text, must_be_many
from nlpseq.quick import cost
from nlpseq.records import Failure

SHARED = frozenset({"tag", "sentiment", "translate"})  # tasks whose inputs are shared out where there are many
CHUNK = 512  # inputs that are sent to a process at once, at most
CHARACTERS = 100_000  # and no input more once they have so many
QUEUED = 2  # chunks that wait in a process or are read by it, so that it need not wait for the next

Load = Callable[[], Any]  # makes the pipeline, in the process that uses it; has to be picklable


class SharedPipeline:
    """A pipeline in so many `processes`, which are started as there is work for them, and end with this one."""

    def __init__(self, task: str, load: Load, processes: int) -> None:
        """Raises UsageError for less than one process."""
        if processes < 1:
            raise UsageError(f"processes is {processes}. Give 1 or more.")
        self.task, self.load, self.processes = task, load, processes
        self._workers: list[_Worker] = []

    def __call__(self, text: Text) -> Any:
        """What is predicted for one text. Raises ValueError for what is no text."""
        (prediction,) = self.pipe([text])
        if isinstance(prediction, Failure):
            raise ValueError(prediction.error)
        return prediction

    def pipe(self, inputs: Iterable[Text], *, batch_size: int | None = None) -> Iterator[Any]:
        """One prediction an input, lazily, in order; otherwise as the `pipe` of the pipeline that is loaded.

        Each process has two chunks of `batch_size` inputs (by default up to 512, fewer where they are long) to itself.
        Raises what the pipeline raises, and NlpseqError where a process ends before its work does.
        """
        must_be_many(inputs, batch_size)
        return self._answers(_chunks(inputs, batch_size))

    def _answers(self, chunks: Iterable[list[Text]]) -> Iterator[Any]:
        busy: deque[tuple[_Worker, int]] = deque()
        first = 1
        try:
            for turn, chunk in enumerate(chunks):
                worker = self._worker(turn % self.processes)
                worker.send(chunk)
                busy.append((worker, first))
                first += len(chunk)
                if len(busy) == QUEUED * self.processes:
                    yield from _answered(*busy[0])
                    busy.popleft()
            while busy:
                yield from _answered(*busy[0])
                busy.popleft()
        finally:
            if busy:  # someone has heard enough, or there was an error: what is on its way must not answer others
                self.close()

    def _worker(self, place: int) -> _Worker:
        if place == len(self._workers):
            self._workers.append(_Worker(self.load))
        return self._workers[place]

    def adjusted(self, change: Callable[[Any], Any]) -> SharedPipeline:
        """The same with what `change`, which has to be picklable, makes of the pipeline in each process."""
        return SharedPipeline(self.task, partial(_changed, self.load, change), self.processes)

    def start(self) -> None:
        """Starts all processes and waits until they can read. Raises what loading raises."""
        for place in range(self.processes):
            self._worker(place)
        try:
            for worker in self._workers:
                worker.wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends all processes; the next input starts new ones."""
        for worker in self._workers:
            worker.end()
        self._workers = []


def _changed(load: Load, change: Callable[[Any], Any]) -> Any:
    return change(load())


def _chunks(inputs: Iterable[Text], size: int | None) -> Iterator[list[Text]]:
    chunk: list[Text] = []
    characters = 0
    for item in inputs:
        chunk.append(item)
        characters += cost(item)
        if len(chunk) >= (size or CHUNK) or (size is None and characters >= CHARACTERS):
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _answered(worker: _Worker, first: int) -> Iterator[Any]:
    """What a process made of its oldest chunk, the first of whose inputs has the number `first`."""
    for answer in worker.receive():
        if isinstance(answer, Failure):
            yield msgspec.structs.replace(answer, line=answer.line + first - 1)
        else:
            yield answer


class _Worker:
    """A process, and this one's end of the pipe to it."""

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, load), daemon=True)
        self.process.start()
        theirs.close()
        self.loaded = False

    def send(self, chunk: list[Text]) -> None:
        try:
            self.pipe.send(chunk)
        except OSError:  # it is gone; `receive` has what it said before, or says so
            return

    def wait(self) -> None:
        """Until the pipeline is loaded there. Raises what loading raises."""
        if not self.loaded:
            self._take()
            self.loaded = True

    def receive(self) -> list[Any]:
        """The answers to the oldest chunk."""
        self.wait()
        return list(self._take())

    def _take(self) -> Any:
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            raise NlpseqError(f"A process that read inputs ended {_reason(self.process.exitcode)}") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by signal {-code}. If memory was short, take fewer processes (--threads 1 is one) or shorter inputs."
    return f"with exit code {code}; what it said stands above."


def _work(pipe: Connection, load: Load) -> None:
    """The life of a process: answers chunks in their order until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted, and closes the pipe
    chunks: queue.SimpleQueue[list[Text] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, chunks), daemon=True).start()
    try:
        pipeline = load()
        gc.freeze()  # what is loaded stays: to look for garbage in it takes time, and there is none
        pipe.send(None)
        while (chunk := chunks.get()) is not None:
            pipe.send(list(pipeline.pipe(chunk, batch_size=len(chunk))))
    except BrokenPipeError:
        return
    except Exception as error:
        pipe.send(error if _can_be_sent(error) else NlpseqError(f"{type(error).__name__}: {error}"))


def _listen(pipe: Connection, chunks: queue.SimpleQueue[list[Text] | None]) -> None:
    """Takes in chunks while others are read, so that whoever sends them does not wait."""
    try:
        while True:
            chunks.put(pipe.recv())
    except (EOFError, OSError):
        chunks.put(None)


def _can_be_sent(error: Exception) -> bool:
    try:
        return str(pickle.loads(pickle.dumps(error))) == str(error)
    except Exception:
        return False
