"""Settings as people read them: what they are by default, what they mean, and what they may be."""

from __future__ import annotations

import typing
from typing import Any, Literal

import msgspec
from msgspec import Meta

from nlpseq.config import Section


def describe(kind: type[Any], path: str = "", defaults: Section | None = None) -> list[tuple[str, str, str]]:
    """(name, default, description) of every setting below `kind`, in order: what the help and the docs show.

    Descriptions end with the numbers or words that the setting may be, where its type has such: [1 to 64].
    `defaults` has them where they are not those of the type.
    """
    rows: list[tuple[str, str, str]] = []
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        default = default if defaults is None else getattr(defaults, field.name)
        if isinstance(hint, type) and issubclass(hint, Section):
            rows += describe(hint, f"{path}{field.name}.", default)
            continue
        notes = [meta.description for meta in getattr(hint, "__metadata__", ()) if meta.description]
        allowed = _allowed(hint)
        text = " ".join([*notes[:1], *([f"[{allowed}]"] if allowed else [])])
        rows.append((path + field.name, str(default), text))
    return rows


def _allowed(hint: Any) -> str:
    """The words or the bounds of what a type takes, wherever in it they are; empty where it has none."""
    if typing.get_origin(hint) is Literal:
        return ", ".join(map(str, typing.get_args(hint)))
    bounds = map(_bounds, getattr(hint, "__metadata__", ()))
    return "; ".join(filter(None, (*bounds, *map(_allowed, typing.get_args(hint)))))


def _bounds(meta: Meta) -> str:
    least = f"above {meta.gt}" if meta.gt is not None else "" if meta.ge is None else str(meta.ge)
    most = f"below {meta.lt}" if meta.lt is not None else "" if meta.le is None else str(meta.le)
    if least and most:
        return f"{least} to {most}"
    return f"{least} or more" if meta.ge is not None else least or (most and f"up to {most}")


def describe_values(config: Section, path: str = "") -> list[tuple[str, str]]:
    """(name, value) of every setting of `config`, in order."""
    rows: list[tuple[str, str]] = []
    for name in config.__struct_fields__:
        value = getattr(config, name)
        rows += describe_values(value, f"{path}{name}.") if isinstance(value, Section) else [(path + name, str(value))]
    return rows
