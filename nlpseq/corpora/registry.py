"""The corpora known by name: what `corpora/registry.toml` says, checked, and their sentences."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from nlpseq.corpora.joining import join_ner
from nlpseq.corpora.labels import LabelMap
from nlpseq.corpora.reading import READERS, read_tagging
from nlpseq.corpora.texts import FORMATS, WHOLE, TextOptions, read_texts
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import LabelledText, TaggedSentence
from nlpseq.shipped import shipped_folder

Task = Literal["tag", "sentiment", "translate", "lm"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
PARALLEL = ("lines", "tsv", "tatoeba")  # a file a language; a file of all, columns as the languages; see `parallel`
_READERS: Mapping[str, Collection[str]] = {
    "tag": READERS,
    "sentiment": FORMATS,
    "translate": PARALLEL,
    "lm": ("plain",),
}
SHA256 = re.compile(r"[0-9a-f]{64}")


class PlainFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file by its name (which may have folders), and the SHA-256 it must have (None: not known)."""

    file: str
    sha256: str | None = None


class CorpusFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a split: its name, where upstream keeps it, and the SHA-256 it must have (None: not known).

    `member` is what is read of it where it is a zip archive. `instead` is another file that serves as well where it is
    at hand: the archive unpacked, or a part of it. `options` say what of the file makes the split (texts only).
    `changing`: upstream replaces it from time to time, so a copy that is at hand is taken as it is.
    """

    file: str
    address: str | None = None
    sha256: str | None = None
    member: str | None = None
    instead: PlainFile | None = None
    options: TextOptions = WHOLE
    changing: bool = False


class Corpus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry of the registry.

    `label_map` is always applied, `label_maps` are offered by name. With `join`, the entities of this corpus
    are put onto the sentences of the corpus named, split by split; `join_strict` is `strict` of `join_ner`.
    `note` says what to do where there is nothing to download. `shipped` files come with the install. The splits of a
    parallel corpus are named as its reader has them: `train.en` and `train.fr`, `train`, or a direction, `en-fr`.
    """

    title: str
    task: Task
    languages: tuple[str, ...]
    licence: str
    citation: str
    reader: str
    splits: Mapping[str, CorpusFile]
    columns: tuple[str, ...] = ()
    homepage: str = ""
    note: str = ""
    label_map: LabelMap = {}
    label_maps: Mapping[str, LabelMap] = {}
    join: str | None = None
    join_strict: bool = True
    shipped: bool = False


@cache
def registry() -> Mapping[str, Corpus]:
    """Every corpus by its name. Raises DataError where the registry itself is at fault."""
    return read_registry(shipped_folder("corpora") / "registry.toml")


def read_registry(path: Path) -> Mapping[str, Corpus]:
    """The entries of a registry file. Raises DataError for unknown keys, readers and joins."""
    try:
        entries = msgspec.toml.decode(path.read_bytes(), type=dict[str, Corpus])
    except OSError as error:
        raise DataError("The registry of corpora is missing; install nlpseq again.", path) from error
    except msgspec.MsgspecError as error:
        raise DataError(f"{error}.", path) from error
    for name, corpus in entries.items():
        _check(name, corpus, entries, path)
    return entries


def find_corpus(name: str) -> Corpus:
    """The entry of that name. Raises UsageError where there is none."""
    entries = registry()
    if name not in entries:
        raise UsageError(f"There is no corpus {name!r}. {did_you_mean(name, entries)}")
    return entries[name]


def find_file(name: str, split: str) -> CorpusFile:
    """The file of a split. Raises UsageError where the corpus, or the split, is unknown."""
    splits = find_corpus(name).splits
    if split not in splits:
        raise UsageError(f"The corpus {name} has no split {split!r}. {did_you_mean(split, splits)}")
    return splits[split]


def files_wanted(name: str, splits: Sequence[str] | None = None, *, unverified: bool = False) -> list[tuple[str, str]]:
    """(corpus, split) of every file that is needed: of the splits named, or of all whose SHA-256 is known.

    With `unverified`, of all. What the corpus is joined onto is needed with it. Raises UsageError.
    """
    corpus = find_corpus(name)
    known = [
        split for split, file in corpus.splits.items() if unverified or file.sha256 or file.instead or not file.address
    ]
    wanted = [(name, split) for split in splits or known]
    for _, split in wanted:
        find_file(name, split)
    return wanted + (files_wanted(corpus.join, [split for _, split in wanted]) if corpus.join else [])


def open_corpus(
    name: str, split: str, mirror: str | Path | None = None, *, label_map: str | LabelMap | None = None
) -> Iterator[TaggedSentence]:
    """The tagged sentences of a split, from the mirror, the install or the cache; nothing is downloaded.

    `label_map` is the name of one that the registry offers for this corpus, or a map of one's own. Raises
    UsageError for unknown names, DataError where a file is missing (it says how to get it) or unreadable,
    TrustError where a file is not what the registry says it is.
    """
    from nlpseq.corpora.download import locate

    corpus = find_corpus(name)
    must_be_for("tag", name, corpus)
    path = locate(name, split, mirror)
    sentences = read_tagging(path, format=corpus.reader, label_map=_label_map(name, corpus, label_map))
    if corpus.join is None:
        return sentences
    return join_ner(open_corpus(corpus.join, split, mirror), sentences, strict=corpus.join_strict)


def open_texts(name: str, split: str, mirror: str | Path | None = None) -> Iterator[LabelledText]:
    """The labelled texts of a split; from where, and what is raised, as for `open_corpus`."""
    from nlpseq.corpora.download import locate

    corpus = find_corpus(name)
    must_be_for("sentiment", name, corpus)
    options = find_file(name, split).options
    return read_texts(locate(name, split, mirror), format=corpus.reader, options=options)


def must_be_for(task: Task, name: str, corpus: Corpus) -> None:
    """Raises UsageError where a corpus is for another task."""
    if corpus.task != task:
        raise UsageError(f"{name} is a corpus for {corpus.task}, not for {task}.")


def _label_map(name: str, corpus: Corpus, chosen: str | LabelMap | None) -> LabelMap:
    """The map that always applies, followed by the one chosen."""
    if isinstance(chosen, str):
        if chosen not in corpus.label_maps:
            known = did_you_mean(chosen, corpus.label_maps) if corpus.label_maps else "It offers none."
            raise UsageError(f"{name} has no label map {chosen!r}. {known}")
        chosen = corpus.label_maps[chosen]
    then = chosen or {}
    return {**then, **{label: then.get(wanted, wanted) for label, wanted in corpus.label_map.items()}}


def _check(name: str, corpus: Corpus, entries: Mapping[str, Corpus], path: Path) -> None:
    for file in corpus.splits.values():
        named: list[CorpusFile | PlainFile] = [file, *([file.instead] if file.instead else [])]
        for one in named:
            if not _PLAIN_PATH.fullmatch(one.file):
                raise DataError(f"{name}: {one.file!r} is not a plain file name.", path)
            if one.sha256 is not None and not SHA256.fullmatch(one.sha256):
                raise DataError(f"{name}: the sha256 of {one.file} is not 64 hexadecimal digits.", path)
        if file.address is not None and not file.address.startswith("https://"):
            raise DataError(f"{name}: the address of {file.file} does not begin with https://.", path)
    if not _PLAIN_NAME.fullmatch(name):
        raise DataError(f"{name!r} is not a plain name.", path)
    if corpus.join is not None and corpus.join not in entries:
        raise DataError(f"{name}: join names {corpus.join!r}. {did_you_mean(corpus.join, entries)}", path)
    readers = _READERS.get(corpus.task)
    if readers is not None and corpus.reader not in readers:
        raise DataError(f"{name}: no reader {corpus.reader!r}. {did_you_mean(corpus.reader, readers)}", path)
