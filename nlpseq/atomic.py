"""Replacing a whole folder at once: whoever looks sees the old one or the new one, never half of either."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `folder` at the end; on failure it is removed and nothing has changed.

    What else the old folder holds is carried over, files as hard links, so that they can be open for writing meanwhile.
    """
    folder = folder.resolve()  # where it is a link, what it points to is replaced
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        if folder.exists():
            _carry_over(folder, fresh)
            _exchange(fresh, folder)
        else:
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _carry_over(old: Path, fresh: Path) -> None:
    for path in old.iterdir():
        target = fresh / path.name
        if path.is_symlink():
            if not target.exists():
                target.symlink_to(path.readlink())
        elif path.is_dir():
            target.mkdir(exist_ok=True)
            _carry_over(path, target)
        elif not target.exists():
            try:
                target.hardlink_to(path)
            except OSError:  # a file system without hard links
                shutil.copy2(path, target)


def _exchange(one: Path, other: Path) -> None:
    """Exchanges two folders in one step where the system can (Linux), else by renaming in turn."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return
    aside = one.with_name(one.name + "-aside")
    other.replace(aside)
    one.replace(other)
    aside.replace(one)
