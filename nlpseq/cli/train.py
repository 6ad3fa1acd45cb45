"""`nlpseq train`: a model from a user's own corpora."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpseq.cli import options
from nlpseq.cli.once import OnceCommand

if TYPE_CHECKING:
    from nlpseq.corpora.directions import Direction

_UNITS = {"s": 1, "m": 60, "h": 3600}
SEVERAL = ("--train", "--dev")


class TaskName(StrEnum):
    """What can be trained."""

    tag = "tag"
    sentiment = "sentiment"
    translation = "translate"  # str has a method of the other name
    lm = "lm"


# The one task that an option is for, by the option's name; all others are for every task.
_TASK_OF = {
    **dict.fromkeys(("from_language", "to_language", "source_column", "target_column"), "translate"),
    **dict.fromkeys(("text_column", "label_column"), "sentiment"),
}


class TrainCommand(OnceCommand):
    """Lets several files stand behind one --train or --dev, as the two sides of parallel text do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, after `spread`."""
        valued = {name for param in self.params if not getattr(param, "is_flag", False) for name in param.opts}
        return super().parse_args(ctx, spread(args, valued))


def spread(args: Sequence[str], valued: Collection[str]) -> list[str]:
    """`--train a b` as `--train a --train b`; a task ends the values, unless it was named before.

    `valued` are the options that a value stands behind.
    """
    result: list[str] = []
    option, has_value, named = "", False, False
    for word in args:
        if word.startswith("-") and word != "-":
            option, equals, _ = word.partition("=")
            has_value = bool(equals)
        elif option in valued and not has_value:
            has_value = True
        elif option in SEVERAL and (named or word not in set(TaskName)):
            result.append(option)
        else:
            option, named = "", True
        result.append(word)
    return result


Examples = Annotated[
    list[str] | None,
    typer.Option(
        "--train", metavar="FILE|CORPUS",
        help="Training examples, several too; of parallel text the sources, then the translations. A corpus may name a "
        "split, and a label map or a direction: NAME:SPLIT@MAP.",
    ),
]  # fmt: skip
DevExamples = Annotated[
    list[str] | None,
    typer.Option("--dev", metavar="FILE|CORPUS", help="Development examples; a tenth of the others if not given."),
]
Corpora = Annotated[
    list[str] | None, typer.Option("--corpus", metavar="NAME", help="Train and dev of a corpus known by name.")
]
Teachers = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher", metavar="NAME|FOLDER",
        help="Learn besides what this checkpoint, of the same task, labels or languages, makes of the training "
        "examples: its probabilities, or its translations. May be repeated.",
    ),
]  # fmt: skip
Start = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="NAME|FOLDER",
        help="Go on from this checkpoint's words, labels and weights instead of from nothing.",
    ),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings as TOML; a table [data] may hold train and dev."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as encoder.cell=gru; may be repeated."),
]
TimeLimit = Annotated[
    str | None, typer.Option("--time-limit", metavar="TIME", help="Finish within this time: 90s, 30m, 2h.")
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language", metavar="CODE", help="Language of the texts: en, de, xx (any). Of pairs: --from and --to."
    ),
]


def command(
    context: typer.Context,
    task: Annotated[TaskName, typer.Argument(metavar="TASK", help="What to train: tag, sentiment, translate or lm.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="The folder of the checkpoint.")
    ] = None,
    train: Examples = None,
    dev: DevExamples = None,
    corpus: Corpora = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumns = None,
    source_column: options.SourceColumn = None,
    target_column: options.TargetColumn = None,
    from_language: options.FromLanguage = None,
    to_language: options.ToLanguage = None,
    teacher: Teachers = None,
    start: Start = None,
    config: Config = None,
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run into FOLDER was interrupted.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of the run.")] = None,
    time_limit: TimeLimit = None,
    language: Language = None,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="FILE", help="Markdown to put into the model card.")
    ] = None,
    mirror: options.Mirror = None,
    device: options.Device = options.DeviceName.auto,
    threads: options.Threads = None,
    show_settings: Annotated[bool, typer.Option("--settings", help="List all settings and stop.")] = False,
) -> None:
    """Train a model on your own corpora; the best of it is kept in FOLDER.

    FOLDER/log.jsonl holds the log. An interrupted run goes on with --resume, to the very result that it would
    have had.

    Example: nlpseq train tag --train my.conllu --dev my-dev.conllu -o my-tagger

    Example: nlpseq train translate --train my.en my.fr --dev my-dev.en my-dev.fr -o my-en-fr
    """
    from nlpseq.cli.explicit import must_not_be_given
    from nlpseq.cli.progress import watch
    from nlpseq.corpora.pairs import PairFields
    from nlpseq.corpora.sources import Reading
    from nlpseq.corpora.tables import Fields
    from nlpseq.training.prepare import OF_TASK, given_settings, prepare, settings_in_environment, settings_of
    from nlpseq.training.train import train as run

    if show_settings:
        _list_settings(settings_of(task.value))
        return
    if output is None:
        raise typer.BadParameter("name the folder of the checkpoint.", param_hint="-o")
    if language and task is TaskName.translation:
        raise typer.BadParameter("a translation has two languages; give --from and --to.", param_hint="--language")
    for name, only in _TASK_OF.items():
        if task.value != only:
            must_not_be_given(context, {name}, OF_TASK[only])
    values, data = given_settings(
        config,
        [*settings_in_environment(task.value, os.environ), *(settings or [])],
        seed=seed,
        language=language,
    )
    data.must_be_for(task.value, str(config))
    job = prepare(
        task.value,
        values,
        train=[*(train or data.train), *(corpus or ())],
        dev=[*(dev or data.dev), *(corpus or ())],
        output=output,
        reading=Reading(
            mirror=mirror,
            fields=Fields(text_column or data.text_column, tuple(label_column or data.label_columns)),
            pair_fields=PairFields(source_column or data.source_column, target_column or data.target_column),
            direction=_direction(from_language, to_language, data.direction),
        ),
        sources=data.sources,
        teachers=teacher or (),
        start=start,
        command=shlex.join(["nlpseq", *sys.argv[1:]]),
        notes=_notes(card) if card else "",
        resume=resume,
        time_limit=seconds(time_limit) if time_limit else None,
        device=device.value,
        threads=threads,
    )
    watch(job, run(job))


def _direction(source: str | None, target: str | None, in_file: str | None) -> Direction | None:
    """What --from and --to say, else the file of settings. Raises UsageError where one is given without the other."""
    from nlpseq.corpora.directions import Direction
    from nlpseq.errors import UsageError

    if source and target:
        return Direction.between(source, target)
    if source or target:
        raise UsageError("Give both --from and --to: the language that is translated, and the one it becomes.")
    return Direction.parse(in_file) if in_file else None


def _notes(card: Path) -> str:
    """What is to be put into the model card. Raises UsageError where it cannot be read."""
    from nlpseq.errors import UsageError

    try:
        return card.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"--card {card}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"--card {card}: is not UTF-8, from byte {error.start + 1} on. Save it as UTF-8.") from None


def _list_settings(rows: list[tuple[str, str, str]]) -> None:
    from nlpseq.cli.tables import show

    show(("setting", "default", "meaning"), rows)


def seconds(text: str) -> float:
    """`90s`, `30m`, `1.5h` or plain seconds, as seconds. Raises UsageError for anything else."""
    from nlpseq.errors import UsageError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip().lower())
    if not match or float(match[1]) == 0:
        raise UsageError(f"--time-limit {text!r}: write a time such as 90s, 30m or 2h.")
    return float(match[1]) * _UNITS.get(match[2], 1)
