"""CoNLL-U beyond what its reader takes of it: a file with other entities and all else kept, and what others lose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nlpseq.corpora.conllu import FIELDS, NER, WHOLE, Block, Row, entity_tags, in_misc, parse_block, parse_row
from nlpseq.corpora.files import Line, blocks, read_lines
from nlpseq.corpora.labels import check_tag

_PARTS = {6: "heads", 7: "relations", 8: "enhanced relations"}  # field -> what a reader of tags passes over
_READ_MISC = {"_", NER, "SpaceAfter"}
_READ_NOTES = {"sent_id", "text"}

Change = Callable[[Sequence[str]], Sequence[str]]  # entity tags -> those to be written, as many


def rewritten(path: str | Path, change: Change) -> Iterator[str]:
    """The sentences of a CoNLL-U file as they stand, but for their entities, which are what `change` makes of them.

    Raises DataError with path and line as the reader does, and for tags that cannot be written.
    """
    for block in blocks(read_lines(path)):
        new = _new_tags(parse_block(block, path).words, change, path)
        rows = (_retagged(text, new[line]) if line in new else text for line, text in block)
        yield "\n".join(rows) + "\n\n"


def _new_tags(words: Sequence[Row], change: Change, path: str | Path) -> dict[int, str]:
    """By line, the tag of each word of a sentence that has entities."""
    tags = entity_tags(words)
    if tags is None:
        return {}
    for tag, row in zip(tags, words, strict=True):
        check_tag(tag, path, row.line)
    return {row.line: in_misc(tag, path, row.line) for tag, row in zip(change(tags), words, strict=True)}


def _retagged(text: str, tag: str) -> str:
    *fields, misc = text.split("\t")
    items = [f"{NER}={tag}" if item.partition("=")[0] == NER else item for item in misc.split("|")]
    return "\t".join([*fields, "|".join(items)])


def passed_over(path: str | Path) -> Counter[str]:
    """What a CoNLL-U file holds and no other format, each with the number of sentences where it is."""
    counts: Counter[str] = Counter()
    for block in blocks(read_lines(path)):
        parsed = parse_block(block, path)
        if parsed.words:
            counts.update(dict.fromkeys(_unread(block, parsed, path), 1))
    return counts


def _unread(block: Sequence[Line], parsed: Block, path: str | Path) -> Iterator[str]:
    for line in block:
        if line[1].startswith("#"):
            if line[1].removeprefix("#").partition("=")[0].strip() not in _READ_NOTES:
                yield "comments but text and sent_id"
            continue
        row = parse_row(line, path)
        if row.last is not None or row.empty:
            yield "empty nodes" if row.empty else "multiword tokens"
        yield from (name for field, name in _PARTS.items() if row.fields[field] != "_")
        if row.misc.keys() - _READ_MISC:
            yield "MISC but NER and SpaceAfter"
    if parsed.notes.get("text") not in {None, parsed.text}:
        yield "text that the tokens do not spell"
    for name in sorted(WHOLE):
        values = {row.fields[FIELDS[name]] for row in parsed.words}
        if "_" in values and values != {"_"}:
            yield f"{name} with gaps"
