"""Where examples come from, as a user names it: a file, or a corpus with a split and a label map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from nlpseq.corpora.jsonl import Tokenize
from nlpseq.corpora.reading import read_tagging
from nlpseq.corpora.registry import find_corpus, open_corpus, open_texts, registry
from nlpseq.corpora.tables import USUAL_FIELDS, Fields
from nlpseq.corpora.texts import read_texts
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import LabelledText, TaggedSentence


class Source(msgspec.Struct, frozen=True):
    """Something that a model was trained or scored on; the licence is None where it is a file of the user's."""

    name: str
    licence: str | None = None


def source_of(spec: str) -> Source:
    """The source that `spec` names. Raises UsageError where it is neither a file nor a corpus."""
    name, _, _ = _parts(spec)
    if is_file(spec):
        return Source(Path(spec).name)
    if name not in registry():
        raise UsageError(f"{spec!r} is neither a file here nor a corpus. {did_you_mean(name, registry())}")
    return Source(name, find_corpus(name).licence)


def read_source(
    spec: str, split: str, *, mirror: str | Path | None = None, tokenize: Tokenize | None = None
) -> list[TaggedSentence]:
    """All tagged sentences of `spec`: a file, or `CORPUS`, with `:SPLIT`, `@LABEL_MAP` or both behind it.

    `split` is the one that is meant where the spec names none. Raises UsageError where there is no such thing,
    DataError where a file is unreadable or holds no sentence.
    """
    source_of(spec)
    if is_file(spec):
        sentences = list(read_tagging(spec, tokenize=tokenize))
    else:
        name, own_split, label_map = _parts(spec)
        sentences = list(open_corpus(name, own_split or split, mirror, label_map=label_map))
    if not sentences:
        raise DataError("It holds no sentence.", spec)
    return sentences


def read_text_source(
    spec: str, split: str, *, mirror: str | Path | None = None, fields: Fields = USUAL_FIELDS
) -> list[LabelledText]:
    """All labelled texts of `spec`: a file or folder, or `CORPUS`, with `:SPLIT`, `@SCHEME` or both behind it.

    `@polarity,stars` keeps the labels of those schemes alone. Otherwise as `read_source`.
    """
    source_of(spec)
    if is_file(spec):
        examples = list(read_texts(spec, fields=fields))
    else:
        name, own_split, schemes = _parts(spec)
        examples = list(open_texts(name, own_split or split, mirror))
        if schemes:
            examples = _judged_by(schemes.split(","), examples, spec)
    if not examples:
        raise DataError("It holds no text.", spec)
    return examples


def read_sources(
    task: str,
    specs: Sequence[str],
    split: str,
    *,
    mirror: str | Path | None = None,
    tokenize: Tokenize | None = None,
    fields: Fields = USUAL_FIELDS,
) -> list[Any]:
    """The examples for a task of several sources, one after the other.

    `tokenize` is for tagged texts that are not tokenised, `fields` for tables of labelled texts.
    """
    if task == "tag":
        return [s for spec in specs for s in read_source(spec, split, mirror=mirror, tokenize=tokenize)]
    return [s for spec in specs for s in read_text_source(spec, split, mirror=mirror, fields=fields)]


def _judged_by(schemes: Sequence[str], examples: Sequence[LabelledText], spec: str) -> list[LabelledText]:
    """The examples with the labels of these schemes alone. Raises UsageError for a scheme that none of them has."""
    known = dict.fromkeys(scheme for example in examples for scheme in example.labels)
    for scheme in schemes:
        if scheme not in known:
            raise UsageError(f"{spec}: no text in it is judged by {scheme!r}. {did_you_mean(scheme, known)}")
    return [replace(e, labels={s: label for s, label in e.labels.items() if s in schemes}) for e in examples]


def is_file(spec: str) -> bool:
    """Whether `spec` names a file or folder rather than a corpus; it need not be there."""
    looks_like_one = "/" in spec or "\\" in spec or ("." in spec and spec.split(":")[0].split("@")[0] not in registry())
    return looks_like_one or Path(spec).is_file() or (Path(spec).is_dir() and spec not in registry())


def _parts(spec: str) -> tuple[str, str | None, str | None]:
    rest, _, label_map = spec.partition("@")
    name, _, split = rest.partition(":")
    return name, split or None, label_map or None
