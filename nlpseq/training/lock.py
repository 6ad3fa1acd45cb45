"""One training a folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nlpseq.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds `folder` against other trainings. Raises UsageError where one holds it.

    The lock is on a file beside the folder, which itself is replaced with every checkpoint. Where the system or the
    file system knows no such locks, nothing is held.
    """
    if not fcntl:
        yield  # a file that is open could not be removed there, either
        return
    folder = folder.resolve()
    path = _lock_of(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise UsageError(f"-o {folder} cannot be written: {error.strerror}.") from None
    with _held(path, folder):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def must_be_free(folder: Path) -> None:
    """Raises UsageError where another training holds `folder` or it cannot be written: before all data are read."""
    above = next((path for path in folder.resolve().parents if path.exists()), folder)
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"-o {folder} cannot be written: {above} is not to be written into.")
    if _lock_of(folder.resolve()).exists():
        with locked(folder):
            pass


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _held(path: Path, folder: Path) -> IO[bytes]:
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise UsageError(
                f"{folder}: another training is writing into it. Wait for its end, or choose another folder."
            ) from None
        except OSError:
            return file
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
        file.close()  # whoever held it has removed it meanwhile
