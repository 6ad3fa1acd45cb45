"""`nlpseq checkpoints`: list, info, verify."""

from __future__ import annotations

from typing import Annotated

import typer

from nlpseq.cli.once import OnceCommand

app = typer.Typer(
    name="checkpoints",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Checkpoints: those that came with the install, and your own.",
)

Name = Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="A shipped checkpoint's name, or a folder.")]


@app.command("list", cls=OnceCommand)
def list_checkpoints() -> None:
    """List the checkpoints that came with the install."""
    from nlpseq.cli.tables import show
    from nlpseq.manifest import read_manifest, shipped_checkpoints

    rows = []
    for name, folder in shipped_checkpoints().items():
        manifest = read_manifest(folder)
        scores = "  ".join(f"{metric} {score:.2f}" for metric, score in manifest.scores.items())
        rows.append((name, manifest.task, ",".join(manifest.languages), _megabytes(folder), scores))
    show(("name", "task", "languages", "size", "scores on dev"), rows)


@app.command(cls=OnceCommand)
def info(name: Name) -> None:
    """Show the model card of a checkpoint."""
    import sys

    from nlpseq.errors import TrustError
    from nlpseq.manifest import CARD, find_checkpoint
    from nlpseq.render.safe import visible

    path = find_checkpoint(name) / CARD
    if not path.is_file():
        raise TrustError(f"{path}: the model card is missing.")
    card = visible(path.read_text(encoding="utf-8", errors="replace"))
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(card))
    else:
        typer.echo(card, nl=False)


@app.command("verify", cls=OnceCommand, short_help="Compare every file of checkpoints with its SHA-256.")
def verify_checkpoints(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FOLDER]...", help="Which; all shipped ones if none is named.")
    ] = None,
) -> None:
    """Compare every file of checkpoints with the SHA-256 in their manifests."""
    from nlpseq.cli.tables import show
    from nlpseq.manifest import find_checkpoint, shipped_checkpoints, verify

    rows = []
    for name in names or shipped_checkpoints():
        manifest = verify(find_checkpoint(name))
        rows.append((name, "as its manifest says", str(len(manifest.files))))
    show(("name", "state", "files"), rows)


def _megabytes(folder: object) -> str:
    from pathlib import Path

    assert isinstance(folder, Path)
    return f"{sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:.1f} MB"
