"""Tagged sentences from any readable format to another, and which columns that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

import msgspec

from nlpseq.corpora.conllu import FIELDS, format_conllu
from nlpseq.corpora.files import content_name, split_member
from nlpseq.corpora.jsonl import LABEL_COLUMNS, format_jsonl
from nlpseq.corpora.labels import LabelMap, Renaming
from nlpseq.corpora.rewriting import passed_over, rewritten
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import TaggedSentence


class Target(msgspec.Struct, frozen=True):
    """A format to write: one sentence as text, and the columns that it holds."""

    write: Callable[[TaggedSentence], str]
    columns: frozenset[str]
    text: bool  # whether the text, and the sentence's id, are kept


class Converted(msgspec.Struct):
    """What a conversion did. `dropped` counts the sentences that lost something, such as a column, or `text`.

    `unmet` are the labels that were to be renamed, and were nowhere.
    """

    sentences: int = 0
    dropped: dict[str, int] = {}
    unmet: list[str] = []


def format_iob2(sentence: TaggedSentence) -> str:
    """A sentence as `token<TAB>tag` lines with a blank line after it.

    Raises DataError where it has no `ner`, or a token holds what such a line cannot.
    """
    if "ner" not in sentence.columns:
        raise DataError("The sentence has no ner column to be written.", sentence.path, sentence.line)
    for token in sentence.tokens:
        if not token.strip() or any(mark in token for mark in "\t\r\n") or token.startswith("-DOCSTART-"):
            what = f"The token {token!r} cannot be written in columns."
            raise DataError(what, sentence.path, sentence.line)
    pairs = zip(sentence.tokens, sentence.columns["ner"], strict=True)
    return "".join(f"{token}\t{tag}\n" for token, tag in pairs) + "\n"


TARGETS = {
    "conllu": Target(format_conllu, frozenset({*FIELDS, "ner"}), True),
    "jsonl": Target(format_jsonl, frozenset(LABEL_COLUMNS), True),
    "iob2": Target(format_iob2, frozenset({"ner"}), False),
}


_NONE: LabelMap = {}


def convert(sentences: Iterable[TaggedSentence], out: TextIO, to: str, label_map: LabelMap = _NONE) -> Converted:
    """Write `sentences` to `out` as `to`, one of TARGETS, with labels renamed, and say what the target could not hold.

    Raises UsageError for an unknown target, DataError where a sentence cannot be written at all.
    """
    must_be_target(to)
    report, rename = Converted(), Renaming(label_map)
    for sentence in sentences:
        columns = dict(sentence.columns)
        if "ner" in columns:
            columns["ner"] = rename(columns["ner"])
        out.write(TARGETS[to].write(msgspec.structs.replace(sentence, columns=columns)))
        report.sentences += 1
        for name in _lost(sentence, TARGETS[to]):
            report.dropped[name] = report.dropped.get(name, 0) + 1
    report.unmet = rename.unmet
    return report


def rewrite_conllu(path: str | Path, out: TextIO, label_map: LabelMap = _NONE) -> Converted:
    """Write a CoNLL-U file to `out` with labels of entities renamed, and all else as it is. Raises DataError."""
    report, rename = Converted(), Renaming(label_map)
    for sentence in rewritten(path, rename):
        out.write(sentence)
        report.sentences += 1
    report.unmet = rename.unmet
    return report


def convert_file(
    path: str | Path,
    sentences: Iterable[TaggedSentence],
    out: TextIO,
    *,
    format: str,
    to: str,
    label_map: LabelMap = _NONE,
) -> Converted:
    """Write the `sentences` that `path` holds in `format`; of CoNLL-U all that is there, or say what is lost of it."""
    must_be_target(to)
    if format != "conllu":
        return convert(sentences, out, to, label_map)
    if to == "conllu":
        return rewrite_conllu(path, out, label_map)
    report = convert(sentences, out, to, label_map)
    report.dropped |= passed_over(path)
    return report


def must_be_target(to: str) -> None:
    """Raises UsageError for what is none of TARGETS."""
    if to not in TARGETS:
        raise UsageError(f"There is no target format {to!r}. {did_you_mean(to, TARGETS)}")


def must_not_lose(path: str | Path, output: Path, *, format: str, to: str) -> None:
    """Raises UsageError where a file is to be replaced by something that has not all of it."""
    outer, _ = split_member(path)
    packed = content_name(path) != Path(path).name
    if output.exists() and output.samefile(outer) and (packed or {format, to} != {"conllu"}):
        raise UsageError(f"-o {output} is the file that is read, of which something would be lost. Name another.")


def _lost(sentence: TaggedSentence, target: Target) -> Iterator[str]:
    yield from (name for name in sentence.columns if name not in target.columns)
    if not target.text:
        yield from ("text", "sent_id") if sentence.sent_id else ("text",)
