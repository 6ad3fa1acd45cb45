"""A process that holds a pipeline, and this process's end of the pipe to it."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from nlpseq.errors import NlpseqError

FIRST_TEXT = "Ready … déjà vu."

Load = Callable[[], Any]  # makes the pipeline, in the process that uses it; has to be picklable


class EndedError(NlpseqError):
    """A process ended before its work did."""


class Worker:
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
            if self.ended:
                raise EndedError("The pipeline was closed while its processes read inputs.") from None
            raise EndedError(f"A process that read inputs ended {_reason(self.process.exitcode)}") from None

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self.ended = True
        self.process.terminate()
        self.process.join()
        with self._receiving:  # who waits for answers hears that there are none; then nobody reads from it any more
            self.pipe.close()


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
