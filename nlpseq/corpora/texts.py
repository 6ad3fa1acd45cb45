"""Any readable file or folder -> labelled texts: finds the format by suffix, then by content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from nlpseq.corpora.files import content_name, read_lines
from nlpseq.corpora.reviews import Part, Tenth, read_reviews
from nlpseq.corpora.tables import USUAL_FIELDS, Fields, read_objects, read_table
from nlpseq.corpora.trees import Units, read_trees
from nlpseq.errors import UsageError, did_you_mean
from nlpseq.records import LabelledText

FORMATS = ("trees", "reviews", "csv", "tsv", "jsonl")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class TextOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted of a file: the registry gives these for each split; a reader ignores what is not for it."""

    units: Units = "sentences"
    schemes: tuple[Literal["polarity", "stars"], ...] = ()  # empty: all; SST-2 and SST-5 are one each
    part: Part = "train"
    labelled: bool = True
    tenth: Tenth | None = None


WHOLE = TextOptions()
PARTS_OF_REVIEWS = {  # as the registry has those of `imdb`
    "train": TextOptions(tenth="without"),
    "dev": TextOptions(tenth="only"),
    "all": WHOLE,
    "test": TextOptions(part="test"),
}


def read_texts(
    path: str | Path, *, format: str | None = None, fields: Fields = USUAL_FIELDS, options: TextOptions = WHOLE
) -> Iterator[LabelledText]:
    """The labelled texts of a file or folder, streamed.

    Raises DataError with path and line, UsageError for an unknown format or column.
    """
    for example in _read(path, format or detect_text_format(path), fields, options):
        if options.schemes:
            kept = example.judged_by(options.schemes)
            if kept.labels or kept.soft:
                yield kept
        else:
            yield example


def _read(path: str | Path, format: str, fields: Fields, options: TextOptions) -> Iterator[LabelledText]:
    if format == "trees":
        return read_trees(path, units=options.units)
    if format == "reviews":
        return read_reviews(path, part=options.part, labelled=options.labelled, tenth=options.tenth)
    if format in {"csv", "tsv"}:
        return read_table(path, tabs=format == "tsv", fields=fields)
    if format == "jsonl":
        return read_objects(path, fields=fields)
    raise UsageError(f"There is no format {format!r} of labelled texts. {did_you_mean(format, FORMATS)}")


def part_named(spec: str) -> tuple[str, TextOptions]:
    """`aclImdb:test`, where there are reviews of that path, as the path and what is meant; all else as it is, whole."""
    path, _, part = spec.rpartition(":")
    if part in PARTS_OF_REVIEWS and path and not Path(spec).exists() and are_reviews(path):
        return path, PARTS_OF_REVIEWS[part]
    return spec, WHOLE


def are_reviews(path: str | Path) -> bool:
    """Whether a path is that of a folder, or named as an archive, of which only reviews are read."""
    return Path(path).is_dir() or str(path).lower().endswith(_ARCHIVES)


def detect_text_format(path: str | Path) -> str:
    """One of FORMATS. Raises DataError where the file cannot be opened, UsageError where it is none of them."""
    if are_reviews(path):
        return "reviews"
    suffix = Path(content_name(path)).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    line = next((text.lstrip() for _, text in read_lines(path) if text.strip()), "")
    if line.startswith("{"):
        return "jsonl"
    if line.startswith("["):
        raise UsageError(f"{path}: is a JSON array. Write one object a line, in a file named .jsonl.")
    if line[:1] == "(" and line[1:2].isdigit():
        return "trees"
    if "\t" in line or "," in line:
        return "tsv" if "\t" in line else "csv"
    raise UsageError(
        f"{path}: is of no known format of labelled texts ({', '.join(FORMATS)}); it is found by the suffix "
        "(.csv, .tsv, .jsonl), or by the first line."
    )
