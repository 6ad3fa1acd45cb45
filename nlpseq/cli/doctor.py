"""`nlpseq doctor`: what this install is made of, and whether it works."""

from __future__ import annotations

import typer


def command() -> None:
    """Show versions, devices, threads and folders, and load every shipped checkpoint.

    Exit code 4 where one of them cannot be trusted.
    """
    from nlpseq.cli.tables import show
    from nlpseq.doctor import examine_checkpoints, surroundings

    show(("what", "here"), surroundings())
    states = examine_checkpoints()
    typer.echo()
    show(("checkpoint", "state"), [(name, state) for name, state, _ in states])
    if not all(well for _, _, well in states):
        raise typer.Exit(4)
