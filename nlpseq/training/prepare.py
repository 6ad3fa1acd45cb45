"""What a user asks for, as settings and data named by files and corpora, into a job that can be trained."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nlpseq.checkpoint import CONFIG, find_checkpoint, load_task, read_manifest, verify
from nlpseq.config import Section, build, override, read_toml
from nlpseq.corpora.directions import Direction, alike
from nlpseq.corpora.plain import not_plain, plain_parts
from nlpseq.corpora.sources import AS_USUAL, Reading, direction_of_sources, is_file, read_sources, source_of
from nlpseq.description import describe
from nlpseq.device import flush_denormals, use_threads
from nlpseq.errors import UsageError, some
from nlpseq.machine import OtherWork, told_cores, usable_cores
from nlpseq.records import Source
from nlpseq.tasks import TASKS, Task
from nlpseq.tasks.pretrained import WORDS_ALONE, must_fit, shapes_of
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.training.lock import must_be_free
from nlpseq.training.resume import is_unfinished
from nlpseq.training.train import Job, hold_out, must_have_room

# What is said of an option, or of a key of [data], that is for one task alone, where another is trained.
OF_TASK = {
    "translate": "is of parallel text, from which `nlpseq train translate` alone learns",
    "sentiment": "is of tables of labelled texts, from which `nlpseq train sentiment` alone learns",
}
_TASK_OF_KEY = {
    **dict.fromkeys(("source_column", "target_column", "direction"), "translate"),
    **dict.fromkeys(("text_column", "label_columns"), "sentiment"),
}


class DataConfig(Section, frozen=True):
    """The table [data] of a configuration file: files or corpora."""

    train: str | tuple[str, ...] = ()
    dev: str | tuple[str, ...] = ()
    text_column: str | None = None  # of tables of labelled texts, as are the next
    label_columns: tuple[str, ...] = ()
    source_column: str | None = None  # of pairs, as are the next
    target_column: str | None = None
    direction: str | None = None
    sources: dict[str, str] = msgspec.field(default_factory=dict)  # what its files were made of: name, licence

    def must_be_for(self, task: str, where: str) -> None:
        """Raises UsageError where the table, of the file `where`, has a key that is for another task alone."""
        for name, only in _TASK_OF_KEY.items():
            if task != only and getattr(self, name):
                raise UsageError(f"{where}: data.{name} {OF_TASK[only]}. Leave it out.")


ANY = "xx"  # the language of a tokenizer that has none
MOST_THREADS = 8  # without a word from the user: what a recurrent step multiplies is too little for more
_NONE: Mapping[str, str] = {}
_log = logging.getLogger(__name__)


def settings_of(task: str) -> list[tuple[str, str, str]]:
    """(name, default, meaning) of every setting of a task."""
    return describe(TASKS[task].config_type)


def given_settings(
    config: Path | None, assignments: Sequence[str], *, seed: int | None = None, language: str | None = None
) -> tuple[dict[str, Any], DataConfig]:
    """The settings that the user gave (flags before the file) and the data that the file names. Raises UsageError."""
    flags = [f"training.seed={seed}"] if seed is not None else []
    flags += [f'tokenizer.language="{language}"'] if language is not None else []
    values = override(read_toml(config) if config else {}, [*assignments, *flags])
    data = build(DataConfig, values.pop("data", {}), "data")
    return values, msgspec.structs.replace(data, train=_several(data.train), dev=_several(data.dev))


def settings_in_environment(task: str, variables: Mapping[str, str]) -> list[str]:
    """`section.key=value` of every setting that a variable gives: encoder.width is NLPSEQ_ENCODER__WIDTH."""
    names = {f"NLPSEQ_{name.upper().replace('.', '__')}": name for name, _, _ in settings_of(task)}
    return [f"{name}={variables[variable]}" for variable, name in names.items() if variable in variables]


def _several(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def prepare(
    task: str,
    settings: dict[str, Any],
    *,
    train: Sequence[str],
    dev: Sequence[str],
    output: Path,
    teachers: Sequence[str] = (),
    start: str | None = None,
    reading: Reading = AS_USUAL,
    sources: Mapping[str, str] = _NONE,
    threads: int | None = None,
    **options: Any,
) -> Job:
    """Reads and checks everything that a training run needs. `options` are fields of `Job`.

    `sources`, where they are given, say what the files were made of, name and licence, in their place in the manifest.
    `threads` are those that torch uses from here on; None: as many as there are free cores, up to MOST_THREADS.
    Raises UsageError for wrong settings or no training data, DataError for unreadable files.
    """
    if not train:
        raise UsageError("There is nothing to train on: give --train FILE (and --dev FILE), or --corpus NAME.")
    must_have_room(output, resume=bool(options.get("resume")))
    must_be_free(output)
    use_threads(threads)
    other = OtherWork()
    base = _finished("--start", start) if start else None
    if teachers and task == "lm":
        raise UsageError("--teacher: a language model learns from text alone. Leave it out.")
    pretrained = _pretrained(task, settings, base)
    model = load_task(pretrained)[0] if pretrained else None
    given = _over(base, task, settings) if base else _in_shape(settings, model)
    config = build(TASKS[task].config_type, given)
    if model:
        must_fit(config, model)
    flush_denormals()  # not before: the bound of "above 0" is a denormal number, and would be 0
    reading, languages = _MADE_READY[task](config, train, _as_learnt(base, reading))
    if base:
        _must_speak(f"--start {start}", read_manifest(base).languages, languages)
    folders = tuple(_teacher(name, task, languages) for name in teachers)
    taught = [source for folder in folders for source in _behind(folder)]
    examples, held = _parts(task, config, train, dev, reading)
    if threads is None:
        use_threads(_free_threads(other))
    return Job(
        task=task,
        config=config,
        train=examples,
        dev=held,
        output=output,
        languages=languages,
        trained_on=tuple(dict.fromkeys((*_behind(base or pretrained), *_origins(train, sources), *taught))),
        teachers=folders,
        start=base,
        pretrained=pretrained,
        dev_on=tuple(dict.fromkeys(source_of(spec).name for spec in dev)) or ("a held-out tenth",),
        **options,
    )


def _parts(
    task: str, config: Any, train: Sequence[str], dev: Sequence[str], reading: Reading
) -> tuple[Sequence[Any], Sequence[Any]]:
    """The examples to learn from, and those to choose by, which are held out of the others where none were given."""
    if task == "lm":
        if doubtful := not_plain((*train, *dev)):
            _log.warning(
                "Note: the lines of %s are learnt as they are, with keys, marks and columns. Give plain text, a "
                "sentence or paragraph a line, if that is not meant.", some(doubtful),
            )  # fmt: skip
        seed = config.training.seed
        return plain_parts(train, dev, distinct=config.text.distinct, seed=seed, mirror=reading.mirror)
    examples = read_sources(task, train, "train", reading)
    return (examples, read_sources(task, dev, "dev", reading)) if dev else hold_out(examples, config.training.seed)


def _free_threads(other: OtherWork) -> int:
    """Threads on cores that other work takes wait for one another: two on one core are slower than one by far."""
    told = told_cores()
    if told:
        return told
    free, usable = other.free_cores(), usable_cores()
    if free < min(usable, MOST_THREADS):
        _log.warning(
            "Note: other work takes %d of %d cores; training on %d thread(s). --threads N decides otherwise.",
            usable - free, usable, free,
        )  # fmt: skip
    return min(free, MOST_THREADS)


def _as_learnt(base: Path | None, reading: Reading) -> Reading:
    """Pairs are read in the direction of the checkpoint to start from, where no other was asked for."""
    languages = read_manifest(base).languages if base else ()
    if reading.direction or len(languages) != 2:
        return reading
    return msgspec.structs.replace(reading, direction=Direction(*languages))


def _must_speak(told: str, known: Sequence[str], languages: Sequence[str]) -> None:
    """Raises UsageError where a checkpoint, so told, is for other languages than are to be learnt."""
    for own, wanted in zip(known, languages, strict=False):
        if ANY not in {own, wanted} and not alike(own, wanted):
            raise UsageError(f"{told}: is for {'-'.join(known)}, not for {'-'.join(languages)}, which is to be learnt.")


def _behind(checkpoint: Path | None) -> Sequence[Source]:
    """What a checkpoint that a training begins with, or is taught by, was trained on."""
    return verify(checkpoint).trained_on if checkpoint else ()


def _origins(train: Sequence[str], sources: Mapping[str, str]) -> list[Source]:
    """What the manifest names: the corpora, and the files, or in their place what they were made of."""
    named = [source_of(spec) for spec in train if not (sources and is_file(spec))]
    return [*(Source(name, licence) for name, licence in sources.items()), *named]


def _for_words(config: Any, train: Sequence[str], reading: Reading) -> tuple[Reading, tuple[str, ...]]:
    """Texts are cut into words by the tokenizer of their language, which had better be there before the training."""
    del train
    language = config.tokenizer.language
    tokenizer = Tokenizer(language, rules=rules_for(language))
    return msgspec.structs.replace(reading, tokenize=tokenizer.words), (language,)


def _for_pairs(config: Any, train: Sequence[str], reading: Reading) -> tuple[Reading, tuple[str, ...]]:
    """Pairs are read in the direction that was asked for, or that the data name."""
    del config
    direction = direction_of_sources(train, reading.direction, reading.pair_fields)
    if direction is None:
        _log.warning(
            "Note: no suffix or heading of the files is the code of a language, so the checkpoint will not say which "
            "it is for. Give --from and --to, such as --from en --to fr."
        )
    return msgspec.structs.replace(reading, direction=direction), tuple(direction or ())


# By task: how its sources are read, and the languages of what is learnt.
_MADE_READY: Mapping[str, Callable[[Any, Sequence[str], Reading], tuple[Reading, tuple[str, ...]]]] = {
    "tag": _for_words,
    "sentiment": _for_words,
    "translate": _for_pairs,
    "lm": _for_words,
}


def _finished(option: str, name: str) -> Path:
    """The folder of a checkpoint whose training is over. Raises UsageError."""
    folder = find_checkpoint(name)
    if is_unfinished(folder):
        raise UsageError(f"{option} {name}: its training is not over. Finish it with --resume first.")
    return folder


def _teacher(name: str, task: str, languages: Sequence[str]) -> Path:
    """The folder of a checkpoint that can teach such a task. Raises UsageError where it is one of another kind."""
    folder = _finished("--teacher", name)
    manifest = verify(folder)
    if manifest.task != task:
        raise UsageError(f"--teacher {name}: is a checkpoint for {manifest.task}, not for {task}.")
    _must_speak(f"--teacher {name}", manifest.languages, languages)
    return folder


def _over(base: Path, task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a checkpoint but for those of its training, and over them the ones given. Raises UsageError."""
    manifest = verify(base)
    if manifest.task != task:
        raise UsageError(f"--start {base}: is a checkpoint for {manifest.task}, not for {task}.")
    result = msgspec.json.decode((base / CONFIG).read_bytes(), type=dict[str, Any])
    result.pop("training", None)
    for name, value in settings.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = {**result[name], **value} if both else value
    return result


def _pretrained(task: str, settings: Mapping[str, Any], base: Path | None) -> Path | None:
    """The folder of the language model that the settings name, if they name one. Raises UsageError."""
    encoder = settings.get("encoder", {})
    name = encoder.get("pretrained") if isinstance(encoder, Mapping) else None
    if name is not None and not hasattr(TASKS[task], "with_words"):
        raise UsageError(WORDS_ALONE)
    if name is not None and base is not None:
        raise UsageError("--start and encoder.pretrained were both given. Begin from one of them.")
    return None if name is None else _finished("encoder.pretrained", str(name))


def _in_shape(settings: dict[str, Any], model: Task | None) -> dict[str, Any]:
    """The settings, with those of the language model's shape where the user gave none."""
    if model is None:
        return settings
    shapes = shapes_of(model, settings["encoder"]["pretrained"])
    return {**settings, **{section: {**values, **settings.get(section, {})} for section, values in shapes.items()}}
