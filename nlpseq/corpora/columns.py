"""Columns, one token a line, a blank line between sentences: CoNLL-2003, IOB2, Universal NER, their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from nlpseq.corpora.conllu import comments
from nlpseq.corpora.files import Line, blocks, content_name, read_lines
from nlpseq.corpora.jsonl import LABEL_COLUMNS
from nlpseq.corpora.labels import LabelMap, check_tag, to_iob2
from nlpseq.corpora.offsets import pieces_of, place
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import TaggedSentence

LABELS = frozenset({"upos", "xpos", "ner"})
NAMES = frozenset({"token", "...", *LABEL_COLUMNS})
TWO = ("token", "ner")
CONLL2003 = ("token", "xpos", "chunk", "ner")
UNER = ("_", "token", "ner", "...")  # number, token, tag, and then a dash and the annotator, or nothing

_COMMENT = re.compile(r"#\s*(newdoc|newpar|[\w.:-]+(\s[\w.:-]+)*\s*=)")
_TAG = re.compile(r"O|[BIESLU]-\S+")
_HINT = "`lint` has --texts and --pairs, and `train sentiment` and `train translate` read them"


class Layout(NamedTuple):
    """What the columns of a file are. `names`: `_` is passed over, a last `...` allows any number more."""

    names: tuple[str, ...]
    tabs: bool
    comments: bool

    @classmethod
    def given(cls, names: Sequence[str], sample: str) -> Layout:
        """The layout a caller names. Raises UsageError where none is the token, none has labels, or a name is odd."""
        names = [name.strip() for name in names]
        if "token" not in names:
            raise UsageError(f"None of the columns {', '.join(names)} is called token; one has to be.")
        _must_be_names(names)
        if not LABELS & set(names):
            raise UsageError(f"None of the columns {', '.join(names)} is called upos, xpos or ner; one has to be.")
        return cls(tuple(names), "\t" in sample, names[0] == "_")

    @property
    def kept(self) -> dict[str, int]:
        """The columns that are read, `token` among them, and where each stands."""
        return {name: index for index, name in enumerate(self.names) if name not in {"_", "..."}}

    def split(self, line: Line, path: str | Path) -> list[str]:
        """The columns of a line. Raises DataError where there are too many or too few."""
        number, text = line
        parts = text.split("\t") if self.tabs else text.split()
        wanted = len(self.names)
        enough = len(parts) >= wanted - 1 if self.names[-1] == "..." else len(parts) == wanted
        if not enough:
            named = " ".join(self.names)
            raise DataError(f"{len(parts)} columns where {wanted} are due ({named}).", path, number)
        return parts

    def passes_over(self, text: str) -> bool:
        """Whether a line is no token. Only in CoNLL-U's kin are there comments; elsewhere `#` is a token."""
        comment = self.comments and "\t" not in text and _COMMENT.match(text) is not None
        return comment or text.startswith("-DOCSTART-")


def _must_be_names(names: Sequence[str]) -> None:
    """Raises UsageError for a name that is not known, or comes twice, or `...` before the last."""
    kept = [name for name in names if name != "_"]
    for index, name in enumerate(kept):
        if name not in NAMES:
            known = did_you_mean(name, LABEL_COLUMNS)
            raise UsageError(f"There is no column {name!r}; _ is one that is passed over. {known}")
        if name in kept[:index]:
            raise UsageError(f"The column {name} is named twice. Name one that is to be passed over _.")
    if "..." in names[:-1]:
        raise UsageError("The columns end with ..., any number more; it cannot stand before others.")


def read_columns(
    path: str | Path, *, columns: Sequence[str] | None = None, label_map: LabelMap | None = None
) -> Iterator[TaggedSentence]:
    """Yield the sentences of a file of columns; `columns` names them, else they are detected.

    A token that is empty, tagged `O`, is left out: some corpora have blanked characters. Raises DataError
    with path and line, UsageError for a layout that has no token.
    """
    lines = read_lines(path)
    layout, lines = settle(lines, columns, path)
    for block in blocks(lines):
        rows = [(line[0], layout.split(line, path)) for line in block if not layout.passes_over(line[1])]
        rows = [row for row in rows if not _is_blank(row, layout, path)]
        if rows:
            notes = comments(block) if layout.comments else {}
            yield _sentence(rows, layout, notes, label_map, path)


def detect(path: str | Path, head: Sequence[Line]) -> Layout:
    """The layout of a file from its first lines. Raises DataError where it is none of those known, or a table with
    commas.
    """
    for number, text in head:
        if not text.strip() or text.startswith("-DOCSTART-") or ("\t" not in text and _COMMENT.match(text)):
            continue
        if Path(content_name(path)).suffix.lower() == ".csv" and "," in text and "\t" not in text:
            what = "This is a table with commas, where a token and its tags are due on each line"
            raise DataError(f"{what}. Is it of labelled texts, or of pairs? {_HINT}.", path, number)
        parts = text.split("\t") if "\t" in text else text.split()
        if len(parts) in {3, 5} and parts[0] in {"0", "1"} and _TAG.fullmatch(parts[2]):
            return Layout(UNER, "\t" in text, True)
        if len(parts) == 2:
            return Layout(TWO, "\t" in text, False)
        if len(parts) == 4:
            return Layout(CONLL2003, "\t" in text, False)
        how = "`nlpseq corpora convert FILE --columns token,xpos,ner --to conllu` names them"
        how += f" (is it of labelled texts, or of pairs? {_HINT})"
        what = f"{len(parts)} columns are of no known layout; {how}."
        raise DataError(what, path, number)
    return Layout(TWO, True, False)


def settle(lines: Iterator[Line], columns: Sequence[str] | None, path: str | Path) -> tuple[Layout, Iterator[Line]]:
    """The layout of a file, and its lines with those that were read ahead to find it."""
    head: list[Line] = []
    for line in lines:
        head.append(line)
        if line[1].strip() and not line[1].startswith(("-DOCSTART-", "# ")):
            break
    sample = head[-1][1] if head else ""
    layout = detect(path, head) if columns is None else Layout.given(columns, sample)
    return layout, chain(head, lines)


def _is_blank(row: tuple[int, list[str]], layout: Layout, path: str | Path) -> bool:
    number, parts = row
    if parts[layout.names.index("token")].strip():
        return False
    if "ner" in layout.names and parts[layout.names.index("ner")] != "O":
        raise DataError("An empty token bears an entity tag.", path, number)
    return True


def _sentence(
    rows: list[tuple[int, list[str]]],
    layout: Layout,
    notes: dict[str, str],
    label_map: LabelMap | None,
    path: str | Path,
) -> TaggedSentence:
    values = {name: tuple(parts[index] for _, parts in rows) for name, index in layout.kept.items()}
    tokens = values.pop("token")
    for name, labels in values.items():
        if "" in labels:
            raise DataError(f"The column {name} is empty here.", path, rows[labels.index("")][0])
    if "ner" in values:
        for (number, _), tag in zip(rows, values["ner"], strict=True):
            check_tag(tag, path, number)
        values["ner"] = to_iob2(values["ner"], label_map)
    text, starts = place(notes.get("text"), pieces_of(tokens))
    return TaggedSentence(
        tokens=tokens,
        starts=starts,
        text=text,
        columns=values,
        sent_id=notes["sent_id"].strip() if "sent_id" in notes else None,
        path=str(path),
        line=rows[0][0],
    )
