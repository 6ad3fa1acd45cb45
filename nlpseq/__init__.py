"""Recurrent sequence models: tag, classify, translate and continue text, and train on your own corpora."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlpseq.api import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """`nlpseq.load` brings torch, so it is imported when it is first asked for."""
    if name == "load":
        from nlpseq.api import load

        return load
    raise AttributeError(f"module 'nlpseq' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names there are, `load` among them before it was asked for."""
    return sorted({*globals(), *__all__})
