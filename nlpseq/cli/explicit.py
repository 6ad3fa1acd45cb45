"""Options that were given on the command line, though they mean nothing beside what else was given."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from nlpseq.errors import UsageError

if TYPE_CHECKING:
    import typer


def given_options(context: typer.Context, names: Collection[str]) -> list[str]:
    """The options (`--top-k`) of these names that the user wrote, in the order of the help; defaults are not."""
    return [option for name, option in _options(context).items() if name in names and _is_written(context, name)]


def must_not_be_given(context: typer.Context, names: Collection[str], because: str) -> None:
    """Raises UsageError that names the options of these names that the user wrote, if any, and says why not."""
    if found := given_options(context, names):
        raise UsageError(f"{', '.join(found)}: {because}. Leave {'it' if len(found) == 1 else 'them'} out.")


def _options(context: typer.Context) -> dict[str, str]:
    return {parameter.name: parameter.opts[-1] for parameter in context.command.params if parameter.name}


def _is_written(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
