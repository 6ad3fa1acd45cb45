"""Entity tags as corpora have them -> IOB2: any of IOB1, IOB2, BIOES and BILOU, with labels mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nlpseq.errors import DataError, UsageError
from nlpseq.text.tags import iob2_of, spans_of, split_tag

LabelMap = Mapping[str, str]  # label as in the file -> label wanted; "O" drops the span


def to_iob2(tags: Sequence[str], label_map: LabelMap | None = None) -> tuple[str, ...]:
    """The tags as IOB2. Spans are cut before labels are mapped, so neighbours never grow together.

    The stray tag `B-O` of some corpora means `O`. Raises ValueError for what is no tag.
    """
    wanted = label_map or {}
    spans = [(wanted.get(label, label), start, end) for label, start, end in spans_of(tags)]
    return tuple(iob2_of([span for span in spans if span[0] != "O"], len(tags)))


class Renaming:
    """Renames the labels of tags by a map, and remembers which labels it met."""

    def __init__(self, label_map: LabelMap) -> None:
        self.label_map = label_map
        self._met: set[str] = set()

    def __call__(self, tags: Sequence[str]) -> tuple[str, ...]:
        """The tags as IOB2 with their labels renamed. Raises ValueError for what is no tag."""
        self._met.update(label for label, _, _ in spans_of(tags))
        return to_iob2(tags, self.label_map)

    @property
    def unmet(self) -> list[str]:
        """The labels of the map that no tag had."""
        return [label for label in self.label_map if label not in self._met]


def parse_label_map(items: Sequence[str]) -> dict[str, str]:
    """`["OTH=O", "person=PER"]` -> the map. Raises UsageError for what is not OLD=NEW, or has two NEW for an OLD."""
    found: dict[str, str] = {}
    for item in items:
        old, _, new = item.partition("=")
        if not old or not new or any(character.isspace() for character in item):
            raise UsageError(f"{item!r} does not rename a label; write OLD=NEW, for instance person=PER.")
        if found.setdefault(old, new) != new:
            raise UsageError(f"{old} is renamed to {found[old]} and to {new}. Give one --label for it.")
    return found


def check_tag(tag: str, path: str | Path, line: int) -> None:
    """Raise DataError with path and line where `tag` is no entity tag."""
    try:
        split_tag(tag)
    except ValueError as error:
        raise DataError(
            f"{error}; is another column the tags? `nlpseq corpora convert --columns` names them.", path, line
        ) from error
