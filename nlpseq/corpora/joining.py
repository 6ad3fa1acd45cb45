"""Entities from one file onto the sentences of another, by `sent_id`: Universal NER onto its treebank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import msgspec

from nlpseq.corpora.offsets import tokens_touched
from nlpseq.errors import DataError
from nlpseq.records import TaggedSentence
from nlpseq.text.tags import iob2_of, spans_of


def join_ner(
    sentences: Iterable[TaggedSentence], entities: Iterable[TaggedSentence], *, strict: bool = True
) -> Iterator[TaggedSentence]:
    """Yield every one of `sentences`, with the `ner` column of its partner in `entities` where it has one.

    `entities` is held in memory, `sentences` is streamed. A sentence without a partner keeps its columns and
    has no `ner`. Where the same characters are cut into other tokens, an entity covers every token that it
    touches. Where the characters differ, DataError is raised, or, not `strict`, the sentence gets no `ner`.
    DataError is also raised for a `sent_id` in `entities` that is missing or comes twice.
    """
    partners = _by_id(entities)
    for sentence in sentences:
        columns = {name: labels for name, labels in sentence.columns.items() if name != "ner"}
        partner = partners.get(sentence.sent_id or "")
        tags = None if partner is None else _carried(sentence, partner)
        if tags is not None:
            columns["ner"] = tags
        elif partner is not None and strict:
            raise _mismatch(sentence, partner)
        yield msgspec.structs.replace(sentence, columns=columns)


def _by_id(entities: Iterable[TaggedSentence]) -> Mapping[str, TaggedSentence]:
    partners: dict[str, TaggedSentence] = {}
    for sentence in entities:
        if sentence.sent_id is None:
            raise DataError("The sentence has no sent_id to be joined by.", sentence.path, sentence.line)
        if sentence.sent_id in partners:
            raise DataError(f"The sent_id {sentence.sent_id} comes twice.", sentence.path, sentence.line)
        partners[sentence.sent_id] = sentence
    return partners


def _carried(sentence: TaggedSentence, partner: TaggedSentence) -> tuple[str, ...] | None:
    """The partner's tags on the sentence's tokens; None where the two cannot be brought together."""
    tags = partner.columns.get("ner")
    if tags is None or sentence.tokens == partner.tokens:
        return tags
    if "".join(sentence.tokens) != "".join(partner.tokens):
        return None
    ours, theirs = _bounds(sentence.tokens), _bounds(partner.tokens)
    found = [
        (label, *tokens_touched(ours[:-1], ours[1:], theirs[first], theirs[last]))
        for label, first, last in spans_of(tags)
    ]
    try:
        return tuple(iob2_of(found, len(sentence.tokens)))
    except ValueError:  # two entities touch one token
        return None


def _bounds(tokens: Iterable[str]) -> list[int]:
    """Where tokens begin when nothing stands between them, and the end: one more than there are tokens."""
    return list(accumulate(map(len, tokens), initial=0))


def _mismatch(sentence: TaggedSentence, partner: TaggedSentence) -> DataError:
    pairs = zip(sentence.tokens, partner.tokens, strict=False)
    differ = next((f"{ours!r}, not {theirs!r}" for ours, theirs in pairs if ours != theirs), "more or fewer")
    where = f"{sentence.path}:{sentence.line}"
    what = f"Sentence {sentence.sent_id} has other tokens in {where} ({differ}); take releases that match."
    return DataError(what, partner.path, partner.line)
