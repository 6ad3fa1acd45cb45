"""A training run as a person watches it: a live display on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from nlpseq.manifest import read_manifest
from nlpseq.records import Progress
from nlpseq.training.doubts import doubts
from nlpseq.training.resume import is_unfinished
from nlpseq.training.train import Job

_SHOWN = 12  # evaluations that stay on the screen


def watch(job: Job, reports: Iterable[Progress]) -> None:
    """Runs a training to its end and shows how it goes; of an interrupted one, how it can go on."""
    console = Console(stderr=True, highlight=False)
    console.print(
        f"Training {job.task} on {len(job.train):,} examples, {len(job.dev):,} to choose by; into {job.output}",
        markup=False,
        soft_wrap=True,
    )
    for doubt in doubts(job.train, job.dev):
        console.print(f"Note: {doubt}", markup=False, soft_wrap=True)
    if job.resume and not job.output.exists():
        console.print(f"Note: there is no run in {job.output} to go on from; it begins.", markup=False, soft_wrap=True)
    try:
        if console.is_terminal:
            _watch_live(job, reports, console)
        else:
            _watch_plainly(reports)
    except KeyboardInterrupt:
        console.print(_interrupted(job), markup=False, soft_wrap=True)
        raise
    scores = read_manifest(job.output).scores
    console.print(f"Kept in {job.output}: {scores_line(scores)}", markup=False, soft_wrap=True)


def _interrupted(job: Job) -> str:
    if is_unfinished(job.output):
        return f"Interrupted. The same command with --resume goes on from what is kept in {job.output}."
    return "Interrupted before anything was kept to go on from; the same command with --resume begins again."


def scores_line(scores: Mapping[str, float]) -> str:
    """`upos 95.10  ner 70.20`."""
    return "  ".join(f"{name} {value:.2f}" for name, value in scores.items())


def _watch_plainly(reports: Iterable[Progress]) -> None:
    for progress in reports:
        if progress.scores is None:
            continue
        mark = "  best" if progress.best else ""
        speed = f"{progress.items_per_second:,.0f} tokens/s"
        print(
            f"epoch {progress.epoch:.1f}  step {progress.step}  loss {progress.loss:.4f}  "
            f"{scores_line(progress.scores)}  {speed}  {clock(progress.seconds)}{mark}",
            file=sys.stderr,
            flush=True,
        )


def _watch_live(job: Job, reports: Iterable[Progress], console: Console) -> None:
    evaluations: list[Progress] = []
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        for progress in reports:
            if progress.scores is not None:
                evaluations.append(progress)
            live.update(_screen(job, progress, evaluations[-_SHOWN:]))


def _screen(job: Job, now: Progress, evaluations: list[Progress]) -> Group:
    epochs = job.config.training.epochs
    left = "" if now.seconds_left is None else f"  {clock(now.seconds_left)} left"
    line = Table.grid(padding=(0, 1))
    line.add_column(width=24)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_row(
        ProgressBar(total=epochs, completed=now.epoch),
        f"epoch {now.epoch:.1f} of {epochs}  loss {now.loss:.3f}  {now.items_per_second:,.0f} tokens/s  "
        f"{clock(now.seconds)}{left}",
    )
    return Group(_evaluations(evaluations), "", line) if evaluations else Group(line)


def _evaluations(evaluations: list[Progress]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(evaluations[-1].scores or {})
    for name in ("epoch", "loss", *names, ""):
        table.add_column(name, justify="right")
    for progress in evaluations:
        scores = [f"{(progress.scores or {})[name]:.2f}" for name in names]
        style = "green" if progress.best else "dim"
        table.add_row(
            f"{progress.epoch:.1f}", f"{progress.loss:.4f}", *scores, "best" if progress.best else "", style=style
        )
    return table


def clock(seconds: float) -> str:
    """Seconds as `1:02:03` or `2:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
