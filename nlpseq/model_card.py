"""The model card of a checkpoint: what it is, what it was trained on, how well it does, and how to use it."""

from __future__ import annotations

from nlpseq.description import describe_values
from nlpseq.manifest import Manifest, command_of
from nlpseq.nn.tables import coarse_tables
from nlpseq.tasks import Task


def model_card(name: str, manifest: Manifest, task: Task, *, command: str = "", notes: str = "") -> str:
    """Markdown for the checkpoint's README.md. `notes` (Markdown) is put after the scores."""
    weights = sum(weight.numel() for weight in task.network.parameters())
    sources = [f"| {s.name} | {s.licence or 'not stated'} |" for s in manifest.trained_on]
    scores = [f"| {metric} | {score:.2f} |" for metric, score in manifest.scores.items()]
    settings = [f"| `{key}` | `{value}` |" for key, value in describe_values(task.config)]
    where = ", ".join(manifest.dev) or "development data"
    parts = [
        f"# {name}",
        f"A recurrent model for `nlpseq {command_of(manifest.task)}`; languages: "
        f"{', '.join(manifest.languages) or 'not stated'}; {weights:,} weights, stored as float16{_coarsely(task)}.",
        _table("## Trained on", ("data", "licence"), sources),
        _table(
            f"## Scores on {where} (per cent, where a name does not say otherwise)",
            ("metric", "score"),
            scores,
        ),
        notes.strip(),
        f"## How it was trained\n\n```console\n$ {command}\n```" if command else "",
        _table("## Settings", ("setting", "value"), settings),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _coarsely(task: Task) -> str:
    return ", tables in eight bits" if coarse_tables(task.network) else ""


def _table(title: str, head: tuple[str, str], rows: list[str]) -> str:
    if not rows:
        return ""
    return "\n".join([title, "", f"| {head[0]} | {head[1]} |", "|---|---|", *rows])
