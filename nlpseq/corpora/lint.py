"""Faults of tagged corpora, all of them, file by file: what the readers would stop at or silently repair."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from nlpseq.corpora.conllu import WHOLE
from nlpseq.corpora.raw import Finding, RawSentence, Severity, read_raw
from nlpseq.text.tags import split_tag

__all__ = ["CODES", "Finding", "lint"]

CODES: Mapping[str, tuple[Severity, str]] = {
    "file-unreadable": ("error", "The file is missing, damaged, not UTF-8, or of no known layout."),
    "file-empty": ("error", "The file holds no sentence."),
    "columns-uneven": (
        "error",
        "A line has too many or too few columns, or labels and tokens differ in number.",
    ),
    "json-invalid": ("error", "A line of JSON Lines is no object of a sentence."),
    "sentence-refused": (
        "error",
        "Token numbers that are not 1, 2, 3, a range without its tokens, starts or spans that are not those of tokens.",
    ),
    "text-differs": (
        "warning",
        "The tokens do not spell the text that is given; one made of them is read.",
    ),
    "span-bad": (
        "error",
        "A span lies outside the text, overlaps another, has no label, or begins or ends with white space.",
    ),
    "span-inside": ("warning", "A span begins or ends within a word, where tokens do not: no training takes it."),
    "tag-unknown": (
        "error",
        "An entity tag is neither O nor a prefix, a dash and a class; or its class is O.",
    ),
    "tag-orphan": ("error", "A tag continues an entity of which there is no beginning."),
    "tag-iob1": ("note", "The file is IOB1 throughout, which is read as such."),
    "token-empty": ("error", "A token is empty or of white space only."),
    "token-control": ("error", "A token holds a control character."),
    "token-space": ("warning", "A token holds white space."),
    "label-empty": ("error", "A label is empty."),
    "label-missing": (
        "warning",
        "A label is _ where others of the sentence have one: CoNLL-U is read without them.",
    ),
    "upos-unknown": ("warning", "A label of upos is none of the 17 of Universal Dependencies."),
    "label-unseen": ("warning", "A label occurs in a later split, but never in the first."),
    "id-repeated": ("warning", "A sent_id comes twice in a file."),
    "sentence-leaked": ("warning", "A sentence of a later split is in an earlier one as well."),
    "sentence-repeated": ("note", "A sentence comes twice in one file."),
}
_LABELLED = ("ner", "upos", "xpos")
# https://universaldependencies.org/u/pos/
_UPOS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ"}
_UPOS |= {"SYM", "VERB", "X"}


def lint(
    splits: Mapping[str, str | Path], *, format: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with the files of a corpus, the training split first. Nothing raises DataError.

    `format` and `columns` are as for `read_tagging`. Sentences and labels are compared between the splits;
    memory grows by one key for each sentence.
    """
    seen: dict[int, tuple[str, str, int]] = {}  # key of a sentence -> split, path, line
    known: dict[str, set[str]] = {}  # column -> labels of the first split
    for index, (split, path) in enumerate(splits.items()):
        file = _File(split, str(path), first=index == 0)
        for item in read_raw(path, format=format, columns=columns):
            if isinstance(item, Finding):
                file.broken = True
                yield item
                continue
            file.sentences += 1
            yield from _tokens(item)
            yield from _labels(item)
            yield from file.tags(item)
            yield from file.upos(item)
            yield from file.ids(item)
            yield from file.repeats(item, seen)
            yield from file.unseen(item, known)
        yield from file.end()


class _File:
    """What has to be remembered of one file until its end."""

    def __init__(self, split: str, path: str, first: bool) -> None:
        self.split, self.path, self.first = split, path, first
        self.sentences, self.broken, self.iob1 = 0, False, True
        self.orphans: list[Finding] = []
        self.sent_ids: set[str] = set()
        self.strange: set[str] = set()

    def tags(self, sentence: RawSentence) -> Iterator[Finding]:
        """Tags of no known shape now; orphans at the end, when it is known whether the file is IOB1."""
        pieces: list[tuple[str, str]] = []
        for tag, line in zip(sentence.columns.get("ner", ()), sentence.lines, strict=False):
            pieces.append(_split(tag))
            if pieces[-1] == ("?", ""):
                yield _finding(sentence, line, "tag-unknown", f"{tag!r} is not a tag like O, B-PER or I-PER.")
            elif pieces[-1][1] == "O":
                yield _finding(sentence, line, "tag-unknown", f"{tag!r} names the class O; write O.")
        for index, (before, (prefix, label)) in enumerate(pairwise([("O", ""), *pieces])):
            continues = before[0] in {"B", "I"} and before[1] == label
            if prefix in {"I", "E", "L"} and not continues:
                what = f"{prefix}-{label} has no beginning of {label} before it."
                self.orphans.append(_finding(sentence, sentence.lines[index], "tag-orphan", what))
            if prefix in {"B", "E", "L", "S", "U"} and not (prefix == "B" and continues):
                self.iob1 = False

    def upos(self, sentence: RawSentence) -> Iterator[Finding]:
        """Labels of upos that are none, each told once."""
        for label, line in zip(sentence.columns.get("upos", ()), sentence.lines, strict=False):
            if label not in _UPOS and label not in {"", "_"} | self.strange:
                self.strange.add(label)
                what = f"upos {label} is none of the 17 of Universal Dependencies."
                yield _finding(sentence, line, "upos-unknown", what)

    def ids(self, sentence: RawSentence) -> Iterator[Finding]:
        """A sent_id that was there before."""
        if sentence.sent_id is None:
            return
        if sentence.sent_id in self.sent_ids:
            yield _finding(sentence, sentence.lines[0], "id-repeated", f"The sent_id {sentence.sent_id} again.")
        self.sent_ids.add(sentence.sent_id)

    def repeats(self, sentence: RawSentence, seen: dict[int, tuple[str, str, int]]) -> Iterator[Finding]:
        """The sentence, token by token, somewhere before."""
        key, line = hash(tuple(sentence.tokens)), sentence.lines[0]
        split, path, where = seen.setdefault(key, (self.split, sentence.path, line))
        if split != self.split:
            yield _finding(sentence, line, "sentence-leaked", f"The same sentence is in {path}:{where} ({split}).")
        elif where != line:
            yield _finding(sentence, line, "sentence-repeated", f"The same sentence is at line {where}.")

    def unseen(self, sentence: RawSentence, known: dict[str, set[str]]) -> Iterator[Finding]:
        """Labels that the first split has not, each told once; nothing where the whole column is new."""
        for name in _LABELLED:
            for value, line in zip(sentence.columns.get(name, ()), sentence.lines, strict=False):
                label = _split(value)[1] if name == "ner" else value
                if not label or (label == "_" and name in WHOLE):
                    continue
                if self.first:
                    known.setdefault(name, set()).add(label)
                elif name in known and label not in known[name]:
                    known[name].add(label)
                    yield _finding(sentence, line, "label-unseen", f"{name} {label} is not in the first split.")

    def end(self) -> Iterator[Finding]:
        """What can be said only when the file has been read."""
        if self.orphans and self.iob1:
            what = f"{len(self.orphans)} entities begin with I-, none but neighbours with B-: IOB1."
            yield Finding(self.path, self.orphans[0].line, "note", "tag-iob1", what)
        else:
            yield from self.orphans
        if not self.sentences and not self.broken:
            yield Finding(self.path, 0, "error", "file-empty", "There is no sentence in the file.")


def _tokens(sentence: RawSentence) -> Iterator[Finding]:
    for token, line in zip(sentence.tokens, sentence.lines, strict=True):
        if not token.strip():
            yield _finding(sentence, line, "token-empty", "The token is empty.")
        elif any(unicodedata.category(character) == "Cc" for character in token):
            yield _finding(sentence, line, "token-control", f"The token {token!r} holds a control character.")
        elif any(character.isspace() for character in token):
            yield _finding(sentence, line, "token-space", f"The token {token!r} holds white space.")


def _labels(sentence: RawSentence) -> Iterator[Finding]:
    for name, labels in sentence.columns.items():
        for label, line in zip(labels, sentence.lines, strict=False):
            if not label and name != "ner":  # of which "" is no tag
                yield _finding(sentence, line, "label-empty", f"The {name} of the token is empty.")
            elif label == "_" and name in WHOLE:
                yield _finding(sentence, line, "label-missing", f"The token has no {name}.")


def _split(tag: str) -> tuple[str, str]:
    try:
        return split_tag(tag)
    except ValueError:
        return "?", ""


def _finding(sentence: RawSentence, line: int, code: str, message: str) -> Finding:
    return Finding(sentence.path, line, CODES[code][0], code, message)
