"""What a benchmark leaves: figures with their spread in a JSON file, and the same as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from nlpseq.machine import describe_machine

Better = Literal["more", "less"]


class Measured(msgspec.Struct, frozen=True):
    """The median of some runs, and the least and the most of them."""

    median: float
    least: float
    most: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Measured:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))


class Row(msgspec.Struct, frozen=True):
    """A row of a table: whose it is, and what stands in its columns. Of ours, the best is what others are held to."""

    name: str
    cells: Mapping[str, Measured | float | str]
    ours: bool = False


class Table(msgspec.Struct, frozen=True):
    """Rows with the same columns. `compared` names the columns in which our best row is held against the others'."""

    title: str
    about: str
    rows: tuple[Row, ...]
    compared: Mapping[str, Better] = {}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a benchmark script: how it was called, when, on what, and what it gave.

    `versions` are of those who took part, `missing` says why someone did not.
    """

    benchmark: str
    command: str
    date: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    tables: tuple[Table, ...]
    missing: Mapping[str, str] = {}


def make_result(
    benchmark: str, command: str, versions: Mapping[str, str], tables: Sequence[Table], missing: Mapping[str, str]
) -> Result:
    """A result of this machine and this day."""
    return Result(
        benchmark=benchmark,
        command=command,
        date=datetime.now(UTC).date().isoformat(),
        machine=describe_machine(),
        versions=versions,
        tables=tuple(tables),
        missing=missing,
    )


def save(result: Result, path: Path) -> None:
    """Writes a result as indented JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def read(path: Path) -> Result:
    """The result that `save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Result)


def as_markdown(result: Result) -> str:
    """The tables of a result, and below them how they came about."""
    machine = result.machine
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, Python {machine['python']}"
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    parts = [table_as_markdown(table) for table in result.tables]
    parts.append(f"`{result.command}`, {result.date}: {where}; {versions}.")
    parts += [f"Not measured: {name} ({why})." for name, why in result.missing.items()]
    return "\n\n".join(parts) + "\n"


def table_as_markdown(table: Table) -> str:
    """A heading, what the table is about, and the table; behind each compared column, how many times better ours is."""
    headings = list(dict.fromkeys(heading for row in table.rows for heading in row.cells))
    shown: list[str] = []
    for heading in headings:
        shown += [heading, "ours, times"] if heading in table.compared else [heading]
    lines = [f"| | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    for row in table.rows:
        cells: list[str] = []
        for heading in headings:
            cells.append(shown_cell(row.cells.get(heading, "")))
            if heading in table.compared:
                cells.append(_times(table, row, heading))
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return f"### {table.title}\n\n{table.about}\n\n" + "\n".join(lines)


def shown_cell(value: Measured | float | str) -> str:
    """`1,234 (1,200 to 1,300)` for several runs, `1,234` for one, text as it is."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Measured):
        return shown_number(value)
    if value.runs == 1:
        return shown_number(value.median)
    return f"{shown_number(value.median)} ({shown_number(value.least)} to {shown_number(value.most)})"


def shown_number(value: float) -> str:
    """Three digits that count, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times_better(ours: float, theirs: float, better: Better) -> float:
    """How many times better ours is: below 1, theirs is."""
    return ours / theirs if better == "more" else theirs / ours


def _times(table: Table, row: Row, heading: str) -> str:
    better = table.compared[heading]
    pick = max if better == "more" else min
    ours = [_number(one.cells[heading]) for one in table.rows if one.ours and heading in one.cells]
    known = [value for value in ours if value]
    theirs = _number(row.cells.get(heading, ""))
    if row.ours or not known or not theirs:
        return ""
    return shown_number(times_better(pick(known), theirs, better))


def _number(value: Measured | float | str) -> float | None:
    if isinstance(value, Measured):
        return value.median
    return None if isinstance(value, str) else value
