"""The tasks: each is its config, its model, how it predicts and how it is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlpseq.tasks.contract import Task as Task
    from nlpseq.tasks.table import TASKS as TASKS

__all__ = ["TASKS", "Task"]


def __getattr__(name: str) -> Any:
    """`TASKS` and `Task` bring torch, so they are imported when they are first asked for; settings do not need it."""
    if name == "TASKS":
        from nlpseq.tasks.table import TASKS

        return TASKS
    if name == "Task":
        from nlpseq.tasks.contract import Task

        return Task
    raise AttributeError(f"module 'nlpseq.tasks' has no attribute {name!r}")
