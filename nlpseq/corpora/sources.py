"""Where examples come from, as a user names it: a file, or a corpus with a split and a label map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from nlpseq.corpora.directions import Direction
from nlpseq.corpora.jsonl import Tokenize
from nlpseq.corpora.pairs import (
    USUAL_PAIR_FIELDS,
    PairFields,
    detect_pair_format,
    grouped,
    named_direction,
    read_pairs,
)
from nlpseq.corpora.parallel import chosen_direction, open_pairs
from nlpseq.corpora.reading import read_tagging
from nlpseq.corpora.registry import find_corpus, open_corpus, open_texts, registry
from nlpseq.corpora.tables import USUAL_FIELDS, Fields
from nlpseq.corpora.texts import part_named, read_texts
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import LabelledText, SentencePair, Source, TaggedSentence


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How sources are read; what a task does not need is passed over.

    `tokenize` is for tagged texts that are not tokenised, `fields` for tables of labelled texts, `pair_fields` and
    `direction` for pairs.
    """

    mirror: Path | None = None
    tokenize: Tokenize | None = None
    fields: Fields = USUAL_FIELDS
    pair_fields: PairFields = USUAL_PAIR_FIELDS
    direction: Direction | None = None


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

    Of a folder or archive of reviews a part may be named, `PATH:test`; else it is the training half.
    `@polarity,stars` keeps the labels of those schemes alone. Otherwise as `read_source`.
    """
    source_of(spec)
    if is_file(spec):
        path, options = part_named(spec)
        examples = list(read_texts(path, fields=fields, options=options))
    else:
        name, own_split, schemes = _parts(spec)
        examples = list(open_texts(name, own_split or split, mirror))
        if schemes:
            examples = _judged_by(schemes.split(","), examples, spec)
    if not examples:
        raise DataError("It holds no text.", spec)
    return examples


def read_pair_sources(
    specs: Sequence[str],
    split: str,
    *,
    mirror: str | Path | None = None,
    fields: PairFields = USUAL_PAIR_FIELDS,
    direction: Direction | None = None,
) -> list[SentencePair]:
    """All pairs of `specs`, one after the other: files (parallel ones by twos), or `CORPUS:SPLIT@DIRECTION`.

    `direction` is that of all of them, by default what the first to name one says; it tells the sides apart where
    languages are suffixes, headings or keys. Raises as `read_source` does, and UsageError where a spec names another.
    """
    direction = direction_of_sources(specs, direction, fields)
    pairs: list[SentencePair] = []
    for group in pair_groups(specs, direction):
        before = len(pairs)
        if is_file(group[0]):
            pairs += read_pairs(group, fields=fields, direction=direction)
        else:
            name, own_split, own_direction = _parts(group[0])
            own = chosen_direction(name, own_direction or direction)
            if direction:
                direction.must_be(own, group[0])
            pairs += open_pairs(name, own_split or split, own, mirror)
        if len(pairs) == before:
            raise DataError("It holds no pair of sentences.", group[0])
    return pairs


def pair_groups(specs: Sequence[str], direction: Direction | None = None) -> list[tuple[str, ...]]:
    """What belongs together of files and corpora: parallel text files by twos, all else alone. Raises UsageError."""
    groups: list[tuple[str, ...]] = []
    for are_files, run in groupby(specs, is_file):
        some = list(run)
        groups += grouped(some, direction or ()) if are_files else [(spec,) for spec in some]
    for group in groups:
        source_of(group[0])
    return groups


def read_references(
    specs: Sequence[str], split: str, how: Reading, languages: Sequence[str] = ()
) -> list[SentencePair]:
    """The pairs to score a model of these `languages` on: as `read_pair_sources` reads them, or parallel files.

    Of the latter, the first has the sources, and each of the others a reference for every one.
    """
    direction = Direction(*languages) if len(languages) == 2 else how.direction
    if len(specs) > 2 and all(is_file(spec) and detect_pair_format(spec, direction or ()) == "lines" for spec in specs):
        return list(read_pairs(specs, fields=how.pair_fields, direction=direction))
    return read_pair_sources(specs, split, mirror=how.mirror, fields=how.pair_fields, direction=direction)


def direction_of_sources(
    specs: Sequence[str], wanted: Direction | None = None, fields: PairFields = USUAL_PAIR_FIELDS
) -> Direction | None:
    """The direction that was asked for; else that of the first spec to name one, by corpus, suffixes or headings."""
    if wanted:
        return wanted
    for group in pair_groups(specs):
        if not is_file(group[0]):
            name, _, own = _parts(group[0])
            return chosen_direction(name, own)
        if found := named_direction(group, fields):
            return found
    return None


def _tagged(specs: Sequence[str], split: str, how: Reading) -> list[Any]:
    return [s for spec in specs for s in read_source(spec, split, mirror=how.mirror, tokenize=how.tokenize)]


def _texts(specs: Sequence[str], split: str, how: Reading) -> list[Any]:
    return [text for spec in specs for text in read_text_source(spec, split, mirror=how.mirror, fields=how.fields)]


def _pairs(specs: Sequence[str], split: str, how: Reading) -> list[Any]:
    return list(read_pair_sources(specs, split, mirror=how.mirror, fields=how.pair_fields, direction=how.direction))


_READ: Mapping[str, Callable[[Sequence[str], str, Reading], list[Any]]] = {
    "tag": _tagged,
    "sentiment": _texts,
    "translate": _pairs,
}


AS_USUAL = Reading()


def read_sources(task: str, specs: Sequence[str], split: str, how: Reading = AS_USUAL) -> list[Any]:
    """The examples for a task of several sources, one after the other. Raises as the reader of each does."""
    return _READ[task](specs, split, how)


def mapped_onto(spec: str, known: Collection[str]) -> list[str]:
    """`spec` with each label map of its corpus that leaves classes of `known` alone; of a file, or mapped, none."""
    name, split, chosen = _parts(spec)
    if is_file(spec) or chosen or name not in registry():
        return []
    maps = find_corpus(name).label_maps.items()
    fitting = [own for own, classes in maps if set(classes.values()) <= {"O", *known}]
    return [f"{name}{f':{split}' if split else ''}@{own}" for own in fitting]


def _judged_by(schemes: Sequence[str], examples: Sequence[LabelledText], spec: str) -> list[LabelledText]:
    """The examples with the labels of these schemes alone. Raises UsageError for a scheme that none of them has."""
    known = dict.fromkeys(scheme for example in examples for scheme in (*example.labels, *example.soft))
    for scheme in schemes:
        if scheme not in known:
            raise UsageError(f"{spec}: no text in it is judged by {scheme!r}. {did_you_mean(scheme, known)}")
    return [example.judged_by(schemes) for example in examples]


def is_file(spec: str) -> bool:
    """Whether `spec` names a file or folder rather than a corpus; it need not be there."""
    looks_like_one = "/" in spec or "\\" in spec or ("." in spec and spec.split(":")[0].split("@")[0] not in registry())
    if looks_like_one or Path(spec).is_file():
        return True
    path, _ = part_named(spec)
    return path not in registry() and Path(path).is_dir()


def _parts(spec: str) -> tuple[str, str | None, str | None]:
    rest, _, label_map = spec.partition("@")
    name, _, split = rest.partition(":")
    return name, split or None, label_map or None
