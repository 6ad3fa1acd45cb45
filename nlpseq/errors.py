"""What a user can do wrong, as sentences: what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


class NlpseqError(Exception):
    """Any failure that is told to the user as a sentence; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(NlpseqError):
    """Wrong options, arguments or settings."""

    exit_code = 2


class DataError(NlpseqError):
    """A file whose content cannot be read as what it should be.

    `path` and `line` (from 1) say where; both may be unknown.
    """

    def __init__(self, what: str, path: str | Path | None = None, line: int | None = None) -> None:
        where = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(where + what)
        self.what, self.path, self.line = what, path, line


class MissingFileError(DataError):
    """A file that is not there, or is a folder: what was wrong is the name that was given."""

    exit_code = 2


class TrustError(NlpseqError):
    """A checkpoint or a download that is damaged, unknown, or not what it says it is."""

    exit_code = 4


def did_you_mean(word: str, known: Iterable[str], path: str = "") -> str:
    """A closing sentence that names the nearest of `known`, below `path`, or lists them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {path + near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else "There is none yet."


def some(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c`, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def some_columns(columns: Sequence[str], most: int = 40) -> str:
    """Columns of a table as they can be told, each and all of them cut: what is taken for one may be a whole text."""
    return some([name if len(name) <= most else f"{name[:most]}…" for name in columns], most) or "none"
