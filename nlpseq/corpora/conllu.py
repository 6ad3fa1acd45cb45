"""CoNLL-U, the format of Universal Dependencies: reader and writer. Entities are `NER=B-PER` in MISC.

The tokens of a sentence are its syntactic words. Empty nodes are passed over, heads and relations not kept.
https://universaldependencies.org/format.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nlpseq.corpora.files import Line, blocks, read_lines
from nlpseq.corpora.labels import LabelMap, check_tag, to_iob2
from nlpseq.corpora.offsets import Piece, align, pieces_of, place, spell
from nlpseq.errors import DataError
from nlpseq.records import TaggedSentence

FIELDS = {"lemma": 2, "upos": 3, "xpos": 4, "feats": 5}  # column of TaggedSentence -> field of CoNLL-U
WHOLE = frozenset({"upos", "xpos"})  # a column of these with a _ in it is not annotated; of others, _ is a value
MISC = 9
NER = "NER"  # the key of entities in MISC

_ID = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})|(\.[0-9]+))?")
_UNWRITABLE = re.compile(r"[\t\n\r]")


class Row(NamedTuple):
    """One line of ten fields. `last` is set on the line of a multiword token, `empty` on an empty node."""

    line: int
    fields: list[str]
    first: int
    last: int | None
    empty: bool

    @property
    def misc(self) -> dict[str, str]:
        """The keys and values of MISC."""
        pairs = (item.partition("=") for item in self.fields[MISC].split("|"))
        return {key: value for key, _, value in pairs}


class Block(NamedTuple):
    """A sentence without its labels: its words, where they begin in its text, and its comments."""

    words: list[Row]
    text: str
    starts: tuple[int, ...]
    notes: dict[str, str]

    @property
    def sent_id(self) -> str | None:
        """What `# sent_id =` says, if there is such a comment."""
        return self.notes["sent_id"].strip() if "sent_id" in self.notes else None


def read_conllu(path: str | Path, *, label_map: LabelMap | None = None) -> Iterator[TaggedSentence]:
    """Yield the sentences of a CoNLL-U file.

    A column that is `_` throughout a sentence is left out of it; `upos` and `xpos`, where `_` is no label, also where a
    single word has it. Raises DataError with path and line.
    """
    for block in blocks(read_lines(path)):
        parsed = parse_block(block, path)
        if parsed.words:
            yield _sentence(parsed, label_map, path)


def parse_block(block: Sequence[Line], path: str | Path) -> Block:
    """The lines of one sentence. Its text is `# text` where the words spell it, else what they spell.

    Raises DataError with path and line.
    """
    rows = [parse_row(line, path) for line in block if not line[1].startswith("#")]
    words = [row for row in rows if row.last is None and not row.empty]
    notes = comments(block)
    text, starts = place(notes.get("text"), _pieces(rows, words, path))
    return Block(words, text, starts, notes)


def comments(block: Sequence[Line]) -> dict[str, str]:
    """The `# key = value` lines of a block; of `# text = ` every space of the value is kept."""
    found: dict[str, str] = {}
    for _, text in block:
        key, mark, value = text.removeprefix("#").partition("=")
        if text.startswith("#") and mark and "\t" not in key:
            found.setdefault(key.strip(), value.removeprefix(" "))
    return found


def parse_row(line: Line, path: str | Path) -> Row:
    """The ten fields of a line. Raises DataError where there are not ten, or one is empty."""
    number, text = line
    fields = text.split("\t")
    match = _ID.fullmatch(fields[0])
    if len(fields) != 10:
        raise DataError(f"{len(fields)} columns where CoNLL-U has 10, divided by tabs.", path, number)
    if match is None:
        raise DataError(f"{fields[0]!r} is no token number like 7, 7-8 or 7.1.", path, number)
    if "" in fields:
        raise DataError(f"Column {fields.index('') + 1} is empty; write _ for nothing.", path, number)
    last = int(match[2]) if match[2] else None
    if last is not None and last < int(match[1]):
        raise DataError(f"The range {fields[0]} runs backwards.", path, number)
    return Row(number, fields, int(match[1]), last, match[3] is not None)


def _sentence(parsed: Block, label_map: LabelMap | None, path: str | Path) -> TaggedSentence:
    return TaggedSentence(
        tokens=tuple(row.fields[1] for row in parsed.words),
        starts=parsed.starts,
        text=parsed.text,
        columns=_columns(parsed.words, label_map, path),
        sent_id=parsed.sent_id,
        path=str(path),
        line=parsed.words[0].line,
    )


def _pieces(rows: list[Row], words: list[Row], path: str | Path) -> list[Piece]:
    """Surface tokens in order: a multiword token covers its words, every other word is its own.

    Raises DataError for words that are not numbered 1, 2, 3, and for a range without its words, or over another.
    """
    ranges = {row.first: row for row in rows if row.last is not None}
    pieces, covered = [], 0
    for index, word in enumerate(words):
        if word.first != index + 1:
            raise DataError(f"Token {word.first} stands where token {index + 1} is due.", path, word.line)
        if word.first <= covered:
            continue
        top = ranges.pop(word.first, word)
        covered = top.last or word.first
        inside = tuple(row.fields[1] for row in words[index:covered])
        pieces.append(Piece(top.fields[1], inside, top.misc.get("SpaceAfter") != "No"))
        if covered > len(words):
            raise DataError(f"The range {top.fields[0]} goes beyond the last token, {len(words)}.", path, top.line)
    for row in ranges.values():
        raise DataError(f"The range {row.fields[0]} covers no token, or one that another covers.", path, row.line)
    return pieces


def _columns(words: list[Row], label_map: LabelMap | None, path: str | Path) -> dict[str, tuple[str, ...]]:
    columns = {name: tuple(row.fields[field] for row in words) for name, field in FIELDS.items()}
    columns = {name: values for name, values in columns.items() if _is_annotated(name, values)}
    tags = entity_tags(words)
    if tags is not None:
        for tag, row in zip(tags, words, strict=True):
            check_tag(tag, path, row.line)
        columns["ner"] = to_iob2(tags, label_map)
    return columns


def _is_annotated(name: str, values: Sequence[str]) -> bool:
    return "_" not in values if name in WHOLE else set(values) != {"_"}


def entity_tags(words: Sequence[Row]) -> list[str] | None:
    """What MISC says of entities, `O` where it says nothing; None where it does so of no word."""
    found = [row.misc.get(NER) for row in words]
    return None if set(found) == {None} else ["O" if tag is None else tag for tag in found]


def format_conllu(sentence: TaggedSentence) -> str:
    """A sentence as CoNLL-U, with the blank line after it. Line breaks in its text become spaces.

    Raises DataError for a token or label that holds a tab or a line break, which the format cannot.
    """
    text = _UNWRITABLE.sub(" ", sentence.text)
    starts = sentence.starts
    if align(text, pieces_of(sentence.tokens)) != starts:  # the text holds more than the tokens
        text, starts = spell(pieces_of(sentence.tokens))
    head = [f"# sent_id = {_UNWRITABLE.sub(' ', sentence.sent_id)}"] if sentence.sent_id else []
    rows = [_format_row(sentence, starts, index) for index in range(len(sentence.tokens))]
    return "\n".join([*head, f"# text = {text}", *rows]) + "\n\n"


def _format_row(sentence: TaggedSentence, starts: tuple[int, ...], index: int) -> str:
    fields = [str(index + 1), sentence.tokens[index], *["_"] * 8]
    for name, field in FIELDS.items():
        if name in sentence.columns:
            fields[field] = sentence.columns[name][index]
    misc = []
    if "ner" in sentence.columns:
        misc.append(f"{NER}={in_misc(sentence.columns['ner'][index], sentence.path, sentence.line)}")
    end = starts[index] + len(sentence.tokens[index])
    if index + 1 < len(starts) and starts[index + 1] == end:
        misc.append("SpaceAfter=No")
    fields[MISC] = "|".join(misc) or "_"
    for value in fields:
        if not value or _UNWRITABLE.search(value):
            what = f"{value!r} cannot stand in CoNLL-U, whose columns are never empty and divided by tabs."
            raise DataError(what, sentence.path, sentence.line)
    return "\t".join(fields)


def in_misc(tag: str, path: str | Path | None, line: int | None) -> str:
    """The tag. Raises DataError where it cannot be a value in MISC."""
    if "|" in tag:
        what = f"The tag {tag!r} cannot stand in MISC of CoNLL-U, which is divided by |; --label OLD=NEW renames it."
        raise DataError(what, path, line)
    return tag
