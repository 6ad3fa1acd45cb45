"""The command line's entry: the commands by name, and what becomes of an error."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from copy import copy
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import nlpseq
from nlpseq.cli import (
    bench,
    checkpoints,
    corpora,
    doctor,
    evaluate,
    generate,
    inspect,
    sentiment,
    tag,
    train,
    translate,
    variables,
)
from nlpseq.cli.once import OnceCommand as Once
from nlpseq.cli.tables import tell
from nlpseq.errors import NlpseqError
from nlpseq.machine import let_threads_sleep


class _Commands(TyperGroup):
    """Ends every command as the user should see it end: an error is a sentence, a closed pipe is no error."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError:  # of our own --help; that of a command is written in invoke
            raise typer.Exit() from None

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # while what goes wrong with it can still be told
            return result
        except BrokenPipeError:  # whoever read the output has seen enough
            raise typer.Exit() from None
        except NlpseqError as error:
            if _debugging():
                raise
            _complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            if sys.stderr.isatty():
                print(file=sys.stderr)  # below the terminal's ^C
            raise typer.Exit(130) from None


app = typer.Typer(
    name="nlpseq",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # importing rich for every --help costs a third more time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("tag", cls=Once)(tag.command)
app.command("sentiment", cls=Once, short_help="Judge opinions: polarity and stars, or your own labels.")(
    sentiment.command
)
app.command("translate", cls=Once, short_help="Translate texts, sentence by sentence.")(translate.command)
app.command("generate", cls=Once)(generate.command)
app.command("train", cls=train.TrainCommand, short_help="Train a model on your own corpora.")(train.command)
app.command("evaluate", cls=Once)(evaluate.command)
app.add_typer(corpora.app, name="corpora", short_help="Corpora: known ones to get; yours to check and convert.")
app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(inspect.app, name="inspect", short_help="Look inside a trained model.")
app.command("bench", cls=Once, short_help="Measure a checkpoint: speed, start-up and memory.")(bench.command)
app.command("doctor", cls=Once, short_help="Show versions and devices; load every shipped checkpoint.")(doctor.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nlpseq {nlpseq.__version__}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Recurrent sequence models: tag, classify, translate and continue text, and train on your own corpora.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some inputs failed, 4 not to be trusted, 130 interrupted.
    NLPSEQ_DEBUG=1 shows where an error arose.
    """
    del version
    for sentence in variables.unknown(os.environ):
        tell(sentence)


def run() -> None:
    """The console's entry point. Always ends in SystemExit with one of the exit codes.

    NumPy's products are too small to be shared out, and starting its threads takes time. oneDNN remembers a kernel for
    each shape of a batch, 1,024 of them if nothing is said: gigabytes in a training, whose shapes hardly ever come
    again.
    """
    signal.signal(signal.SIGTERM, _terminated)
    let_threads_sleep()
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_missing()
    _settle_stdout()
    try:
        _asked(sys.argv[1:])(prog_name="nlpseq")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if _debugging():
            raise
        _complain(_sentence(error))
        sys.exit(1)
    finally:
        _flush()


def _terminated(number: int, _: object) -> None:
    """Ends as an error does, so that what was begun is cleared away."""
    raise SystemExit(128 + number)


def _asked(arguments: list[str]) -> typer.Typer:
    """The program with the command that is asked for alone, where one is: to build the others takes typer 40 ms."""
    named = [command for command in app.registered_commands if [command.name] == arguments[:1]]
    if not named:
        return app
    program = copy(app)
    program.registered_commands, program.registered_groups = named, []
    return program


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if found := re.search(r"\(os error (\d+)\)", str(error)):  # of safetensors, which raises no OSError
        return f"A file could not be written: {os.strerror(int(found[1]))}. A training goes on with --resume."
    return (
        f"{type(error).__name__}: {error}\nThis is a defect in nlpseq. Please report it with what NLPSEQ_DEBUG=1 shows."
    )


def _complain(sentence: str) -> None:
    from nlpseq.cli.streams import complain

    complain(sentence)


def _debugging() -> bool:
    return os.environ.get("NLPSEQ_DEBUG", "") not in {"", "0"}


def _open_missing() -> None:
    """Let a stdout or stderr that was closed before we began be /dev/null, which every writer can take.

    Otherwise print() would write errors among the results, and the next file that is opened could be taken for stdout.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", errors="replace"))  # noqa: PTH123, SIM115


def _settle_stdout() -> None:
    """UTF-8 with line feeds, whatever the system's own; a terminal keeps its encoding, with ? for what it lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="replace", newline="\n")


def _flush() -> None:
    """Write what is still to be written, or give it up, so that the interpreter does not complain of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
