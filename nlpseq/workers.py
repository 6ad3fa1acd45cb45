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
import traceback
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import accumulate, count
from multiprocessing.connection import Connection
from typing import Any

from nlpseq.errors import NlpseqError, UsageError
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

SHARED = frozenset({"tag", "sentiment", "translate"})  # tasks whose inputs are shared out where there are many
MOST_PROCESSES = 8  # without a word from the user: each takes its own memory
# Inputs that are sent to each process at first: few, so that answers come soon, but of few short ones batches are poor.
# Then it is twice as many each time, up to MOST at once, or fewer where they are long.
FIRST = {"tag": 256, "sentiment": 256, "translate": 64}
MOST = {"tag": FAR_AHEAD, "sentiment": FAR_AHEAD, "translate": READ_AHEAD}
CHARACTERS = 200  # of an input on average, until there are CHARACTERS_AHEAD in all
OWN = 25  # what an input costs beside its characters, as characters
LEAST = 4000  # characters that are worth a process of their own
FIRST_TEXT = "Ready … déjà vu."
QUEUED = 2  # chunks that wait in a process or are read by it, so that it need not wait for the next

Load = Callable[[], Any]  # makes the pipeline, in the process that uses it; has to be picklable


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
        self._workers: list[_Worker] = []
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

    def _worker(self, place: int) -> _Worker:
        with self._lock:
            self._workers = [worker for worker in self._workers if not worker.ended]
            place = min(place, len(self._workers))
            if place == len(self._workers):
                self._workers.append(_Worker(self.load))
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


class EndedError(NlpseqError):
    """A process ended before its work did."""


class _Sent:
    """A chunk on its way: who has it, and the number of its first input."""

    def __init__(self, worker: _Worker, ticket: int, first: int) -> None:
        self.worker, self.ticket, self.first = worker, ticket, first

    @property
    def ready(self) -> bool:
        """Whether its answers need not be waited for."""
        return self.worker.has(self.ticket)

    def answers(self) -> Iterator[Any]:
        """Waits for them."""
        for answer in self.worker.receive(self.ticket):
            yield behind(answer, self.first - 1)


class _Worker:
    """A process, and this one's end of the pipe to it. Chunks have tickets; they are answered in their order.

    One thread sends at a time, and one receives, for all that wait.
    """

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, load), daemon=True)
        with _deaf_to_interrupts():
            self.process.start()
        theirs.close()
        self._sent = self._received = 0
        self._answers: dict[int, Any] = {}  # that came before they were asked for
        self._forgotten: set[int] = set()
        self._loaded = self.ended = False
        self._failed: Exception | None = None  # what loading raised
        self._sending, self._receiving = threading.RLock(), threading.RLock()

    def send(self, chunk: list[Any]) -> int:
        """The ticket by which the answers can be asked for."""
        with self._sending:
            self._sent += 1
            with suppress(OSError):  # it is gone; `receive` has what it said before, or says so
                self.pipe.send(chunk)
            return self._sent

    def wait(self) -> None:
        """Until the pipeline is loaded there. Raises what loading raises, and then the process has ended."""
        with self._receiving:
            if self._failed:
                raise self._failed
            if not self._loaded:
                answer = self._take()
                if isinstance(answer, Exception):
                    self._failed = answer
                    self.end()
                    raise answer
                self._loaded = True

    def has(self, ticket: int) -> bool:
        """Whether the answers to a chunk are here."""
        if not self._receiving.acquire(blocking=False):
            return ticket in self._answers
        try:
            while ticket not in self._answers:
                try:
                    if not self.pipe.poll():
                        return False
                except OSError:
                    return True  # asking for them tells
                if self._loaded:
                    self._keep()
                else:
                    self.wait()
            return True
        finally:
            self._receiving.release()

    def receive(self, ticket: int) -> list[Any]:
        """The answers to a chunk, once."""
        with self._receiving:
            self.wait()
            while ticket not in self._answers:
                self._keep()
            answers = self._answers.pop(ticket)
        _raise_if_wrong(answers)
        return list(answers)

    def forget(self, ticket: int) -> None:
        """The answers to a chunk are not wanted any more."""
        with self._receiving:
            if self._answers.pop(ticket, None) is None and ticket > self._received:
                self._forgotten.add(ticket)

    def _keep(self) -> None:
        answers = self._take()
        self._received += 1
        if self._received in self._forgotten:
            self._forgotten.discard(self._received)
        else:
            self._answers[self._received] = answers

    def _take(self) -> Any:
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            raise EndedError(f"A process that read inputs ended {_reason(self.process.exitcode)}") from None

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self.ended = True
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _raise_if_wrong(answer: Any) -> None:
    if isinstance(answer, BaseException):
        raise answer


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process that is started within hears no Ctrl-C, not even before our code runs in it: this one does, for all."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by signal {-code}. If memory was short, take fewer processes (--threads 1 is one) or shorter inputs."
    return f"with exit code {code}; what it said stands above."


def _work(pipe: Connection, load: Load) -> None:
    """The life of a process: answers chunks in their order until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    chunks: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, chunks), daemon=True).start()
    try:
        try:
            pipeline = load()
            with suppress(Exception):  # should it matter, it comes again with the inputs
                list(pipeline.pipe([FIRST_TEXT]))  # what is made at the first use is made before there is work
        except Exception as error:
            pipe.send(_told(error))
            return
        gc.freeze()  # what is loaded stays: to look for garbage in it takes time, and there is none
        pipe.send(None)
        while (chunk := chunks.get()) is not None:
            try:
                answers: Any = list(pipeline.pipe(chunk, batch_size=len(chunk)))
            except Exception as error:
                answers = _told(error)
            pipe.send(answers)
    except BrokenPipeError:
        return


def _listen(pipe: Connection, chunks: queue.SimpleQueue[list[Any] | None]) -> None:
    """Takes in chunks while others are read, so that whoever sends them does not wait."""
    try:
        while True:
            chunks.put(pipe.recv())
    except (EOFError, OSError):
        chunks.put(None)


def _told(error: Exception) -> Exception:
    """The error with a note of where it arose, or one that can be sent and says the same."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"in a process that read inputs:\n{where}")
    try:
        same = str(pickle.loads(pickle.dumps(error))) == str(error)
    except Exception:
        same = False
    if same:
        return error
    other: Exception = RuntimeError(f"{type(error).__name__}: {error}")
    if isinstance(error, NlpseqError):
        other = NlpseqError(str(error))
        other.exit_code = error.exit_code
    other.add_note(error.__notes__[-1])
    return other
