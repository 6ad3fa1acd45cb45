"""Tables and progress of the commands that list things: rich on a terminal, tab-separated in a pipe."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from nlpseq.render.safe import visible

_LIST = re.compile(r",(?=[^\s\d])")  # a list may be broken behind a comma
_NAME = 24  # a column of words no longer than this is not broken: they may be names that are typed elsewhere

MOST_ALIKE = 20  # findings of one code that are shown on a terminal


def show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows on stdout: a table on a terminal, else lines of tab-separated values below a line of headers."""
    if sys.stdout.isatty():
        _table(headers, rows)
        return
    print("\t".join(headers))
    for row in rows:
        print("\t".join(" ".join(cell.split()) for cell in row))


def show_places(headers: Sequence[str], rows: Iterable[Sequence[str]], *, whole: bool = False) -> None:
    """Rows of (where, severity, code, message) as they come: on a terminal, lines as compilers write them.

    There, but not in a pipe, the first few of each code stand for all of them, unless the `whole` is wanted.
    """
    if not sys.stdout.isatty():
        show(headers, rows)
        return
    counts: Counter[str] = Counter()
    for where, severity, code, message in rows:
        counts[code] += 1
        if whole or counts[code] <= MOST_ALIKE:
            print(visible(f"{where}: {severity}: {message} [{code}]"))
    for code, count in counts.items():
        if not whole and count > MOST_ALIKE:
            print(f"... and {count - MOST_ALIKE} more [{code}]; --all shows them")


def tell(sentence: str) -> None:
    """A line on stderr, where no text from outside can play tricks on the terminal."""
    print(visible(sentence), file=sys.stderr, flush=True)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    shown = [[_LIST.sub(", ", visible(cell)) for cell in row] for row in rows]
    for header, *cells in zip(headers, *shown, strict=True):
        longest = max(map(len, (header, *cells)))
        whole = longest <= _NAME and not any(" " in cell for cell in cells)
        table.add_column(header, width=longest if whole else None)
    for row in shown:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console().print(table)


class TransferBar:
    """Progress of one download on stderr; nothing is drawn where that is no terminal, or nothing comes."""

    def __init__(self, label: str) -> None:
        self.label, self.total = label, 0
        self._bar: Any = None  # rich's, once the first bytes came
        self._task: Any = None

    def __enter__(self) -> TransferBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, count: int) -> None:
        """`count` more bytes came."""
        if self._bar is None and sys.stderr.isatty():
            self._start()
        if self._bar is not None:
            self._bar.update(self._task, advance=count)

    def reset(self) -> None:
        """Begin again from nothing; pooch does so before it fills the bar."""
        if self._bar is not None:
            self._bar.reset(self._task, total=self.total or None)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task(self.label, total=self.total or None)
        self._bar.start()
