"""Tagged sentences from any readable format to another, and which columns that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

import msgspec

from nlpseq.corpora.conllu import FIELDS, format_conllu
from nlpseq.corpora.jsonl import LABEL_COLUMNS, format_jsonl
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import TaggedSentence


class Target(msgspec.Struct, frozen=True):
    """A format to write: one sentence as text, and the columns that it holds."""

    write: Callable[[TaggedSentence], str]
    columns: frozenset[str]
    text: bool  # whether the text, and the sentence's id, are kept


class Converted(msgspec.Struct):
    """What a conversion did. `dropped` counts the sentences that lost a column, `text` among them."""

    sentences: int = 0
    dropped: dict[str, int] = {}


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


def convert(sentences: Iterable[TaggedSentence], out: TextIO, to: str) -> Converted:
    """Write `sentences` to `out` as `to`, one of TARGETS, and say what the target could not hold.

    Raises UsageError for an unknown target, DataError where a sentence cannot be written at all.
    """
    if to not in TARGETS:
        raise UsageError(f"There is no target format {to!r}. {did_you_mean(to, TARGETS)}")
    report = Converted()
    for sentence in sentences:
        out.write(TARGETS[to].write(sentence))
        report.sentences += 1
        for name in _lost(sentence, TARGETS[to]):
            report.dropped[name] = report.dropped.get(name, 0) + 1
    return report


def _lost(sentence: TaggedSentence, target: Target) -> Iterator[str]:
    yield from (name for name in sentence.columns if name not in target.columns)
    if not target.text:
        yield from ("text", "sent_id") if sentence.sent_id else ("text",)
