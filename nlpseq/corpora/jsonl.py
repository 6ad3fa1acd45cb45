"""JSON Lines, one object a sentence: tokens with label columns, or a text with labelled spans.

    {"tokens": ["Ada", "wrote"], "ner": ["B-PER", "O"], "upos": ["PROPN", "VERB"]}
    {"text": "Ada wrote", "entities": [{"start": 0, "end": 3, "label": "PER"}]}

`start` and `end` are code points. Where tokens come with a `text` (and `starts`), their offsets are kept, and spans of
that text are put onto the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from nlpseq.corpora.files import read_lines
from nlpseq.corpora.labels import LabelMap, check_tag, to_iob2
from nlpseq.corpora.offsets import pieces_of, place, tokens_touched
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TaggedSentence
from nlpseq.text.tags import iob2_of, split_tag

Tokenize = Callable[[str], tuple[Sequence[str], Sequence[int]]]  # text -> tokens, the start of each

NEITHER = 'The object has neither "tokens" nor "text".'
LABEL_COLUMNS = ("upos", "xpos", "ner", "lemma", "feats", "chunk")


class JsonSpan(msgspec.Struct, frozen=True):
    """A labelled stretch of a text, in code points, `end` exclusive."""

    start: int
    end: int
    label: str


class JsonSentence(msgspec.Struct, frozen=True, omit_defaults=True):
    """The keys that are read and written; any other key of an object is passed over."""

    text: str | None = None
    tokens: tuple[str, ...] | None = None
    starts: tuple[int, ...] | None = None
    upos: tuple[str, ...] | None = None
    xpos: tuple[str, ...] | None = None
    ner: tuple[str, ...] | None = None
    lemma: tuple[str, ...] | None = None
    feats: tuple[str, ...] | None = None
    chunk: tuple[str, ...] | None = None
    entities: tuple[JsonSpan, ...] | None = None
    spans: tuple[JsonSpan, ...] | None = None
    sent_id: str | int | None = None

    @property
    def labelled(self) -> tuple[JsonSpan, ...] | None:
        """The spans, by either name; None where there is neither key."""
        return None if self.entities is None and self.spans is None else (self.entities or ()) + (self.spans or ())


def read_jsonl(
    path: str | Path,
    *,
    label_map: LabelMap | None = None,
    tokenize: Tokenize | None = None,
    snap: bool = False,
) -> Iterator[TaggedSentence]:
    """Yield the sentences of a JSON Lines file; objects without a token are passed over.

    `tokenize` cuts texts that come with spans and no tokens. A span must begin and end where tokens do; with `snap` it
    grows to the tokens that it touches. Raises DataError with path and line, UsageError where `tokenize`
    is needed and missing.
    """
    decoder = msgspec.json.Decoder(JsonSentence)
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise DataError(f"This is not a JSON object of a sentence: {error}.", path, number) from error
        if record.tokens is not None:
            sentence = _from_tokens(record, record.tokens, label_map, snap, path, number)
        elif record.text is not None:
            cut = _needed(tokenize, path)
            sentence = _from_spans(record, record.text, cut, label_map, snap, path, number)
        else:
            raise DataError(NEITHER, path, number)
        if sentence.tokens:
            yield sentence


def format_jsonl(sentence: TaggedSentence) -> str:
    """A sentence as one line of JSON: text, tokens, each label column, and `starts` where they are needed."""
    _, found = place(sentence.text, pieces_of(sentence.tokens))
    record = JsonSentence(
        text=sentence.text,
        tokens=sentence.tokens,
        starts=None if found == sentence.starts else sentence.starts,
        sent_id=sentence.sent_id,
    )
    columns = {name: sentence.columns[name] for name in LABEL_COLUMNS if name in sentence.columns}
    record = msgspec.structs.replace(record, **columns)
    return msgspec.json.encode(record).decode() + "\n"


def _needed(tokenize: Tokenize | None, path: str | Path) -> Tokenize:
    if tokenize is None:
        raise UsageError(f"{path} holds texts with spans; a tokenizer is needed to cut them (tokenize=...).")
    return tokenize


def _from_tokens(
    record: JsonSentence,
    tokens: tuple[str, ...],
    label_map: LabelMap | None,
    snap: bool,
    path: str | Path,
    line: int,
) -> TaggedSentence:
    columns = {name: getattr(record, name) for name in LABEL_COLUMNS if getattr(record, name) is not None}
    for name, labels in columns.items():
        if len(labels) != len(tokens):
            raise DataError(f'"{name}" has {len(labels)} labels for {len(tokens)} tokens.', path, line)
        if "" in labels:
            raise DataError(f'"{name}" has an empty label at token {labels.index("") + 1}.', path, line)
    if "" in tokens:
        raise DataError(f"Token {tokens.index('') + 1} is empty.", path, line)
    text, starts = placed(record, tokens, path, line)
    if "ner" in columns:
        for tag in columns["ner"]:
            check_tag(tag, path, line)
        columns["ner"] = to_iob2(columns["ner"], label_map)
    elif record.labelled is not None:
        columns["ner"] = to_iob2(tags_of_spans(record, text, tokens, starts, snap, path, line), label_map)
    return _sentence(tokens, starts, text, columns, record, path, line)


def placed(record: JsonSentence, tokens: tuple[str, ...], path: str | Path, line: int) -> tuple[str, tuple[int, ...]]:
    """(text, starts) of given tokens. Raises DataError where they are not where they are said to be."""
    if record.text is None or record.starts is None:
        return place(record.text, pieces_of(tokens))
    if len(record.starts) != len(tokens):
        raise DataError(f'"starts" has {len(record.starts)} numbers for {len(tokens)} tokens.', path, line)
    for token, start in zip(tokens, record.starts, strict=True):
        if start < 0 or not record.text.startswith(token, start):
            raise DataError(f"The token {token!r} is not at {start} in the text.", path, line)
    return record.text, record.starts


def tags_of_spans(
    record: JsonSentence,
    text: str,
    tokens: Sequence[str],
    starts: Sequence[int],
    snap: bool,
    path: str | Path,
    line: int,
) -> list[str]:
    """The spans of a record as IOB2 on tokens that lie in `text`.

    Raises DataError where they are of another text, overlap, or, but for `snap`, do not begin and end with tokens.
    """
    spans = record.labelled or ()
    if spans and text != record.text:
        what = 'There is no "text"' if record.text is None else "The tokens do not spell the text"
        raise DataError(f"{what}, so it is not known which tokens the spans cover.", path, line)
    try:
        tags = iob2_of([(span.label, *_token_range(span, text, tokens, starts, snap)) for span in spans], len(tokens))
        for span in spans:
            split_tag(f"B-{span.label}")
    except ValueError as error:
        raise DataError(f"{error}.", path, line) from error
    return tags


def _from_spans(
    record: JsonSentence,
    text: str,
    tokenize: Tokenize,
    label_map: LabelMap | None,
    snap: bool,
    path: str | Path,
    line: int,
) -> TaggedSentence:
    cut = tokenize(text)
    tokens, starts = tuple(cut[0]), tuple(cut[1])
    ner = to_iob2(tags_of_spans(record, text, tokens, starts, snap, path, line), label_map)
    return _sentence(tokens, starts, text, {"ner": ner}, record, path, line)


def _token_range(
    span: JsonSpan, text: str, tokens: Sequence[str], starts: Sequence[int], snap: bool
) -> tuple[int, int]:
    """(first token, one past the last) of a span. Raises ValueError where it falls between token bounds."""
    if not 0 <= span.start < span.end <= len(text):
        raise ValueError(f"The span {span.start}-{span.end} ({span.label}) does not lie in the text")
    ends = [start + len(token) for token, start in zip(tokens, starts, strict=True)]
    first, last = tokens_touched(starts, ends, span.start, span.end)
    fits = first < last and starts[first] == span.start and ends[last - 1] == span.end
    if first >= last or not (fits or snap):
        near = " ".join(tokens[max(0, first - 1) : last + 1])
        what = f"The span {span.start}-{span.end} {text[span.start : span.end]!r} ({span.label})"
        raise ValueError(f"{what} does not begin and end with tokens (near: {near})")
    return first, last


def _sentence(
    tokens: tuple[str, ...],
    starts: tuple[int, ...],
    text: str,
    columns: dict[str, tuple[str, ...]],
    record: JsonSentence,
    path: str | Path,
    line: int,
) -> TaggedSentence:
    return TaggedSentence(
        tokens=tokens,
        starts=starts,
        text=text,
        columns=columns,
        sent_id=None if record.sent_id is None else str(record.sent_id),
        path=str(path),
        line=line,
    )
