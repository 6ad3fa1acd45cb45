r"""Tab-separated values: a header, then a row per token, judged text or translation; an absent value is empty.

There is no quoting (read with `quoting=csv.QUOTE_NONE`): inside a value a tab is `\t`, a line feed `\n`, a
carriage return `\r`, a backslash `\\`, any other control or separator `\uXXXX`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nlpseq.records import Alternative, Failure, SentimentPrediction, TagPrediction, Token, TranslationPrediction
from nlpseq.render.answer import Answer, of_kind

COLUMNS = ("token", "upos", "xpos", "ner", "score", "start", "end", "input")  # `input` counts from 1

_SPECIAL = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """The header, then the rows of each answer; a failure gives an empty chunk."""
    yield "\t".join(COLUMNS) + "\n"
    for number, (prediction, _) in enumerate(of_kind(answers, TagPrediction), 1):
        yield "" if isinstance(prediction, Failure) else _rows(prediction, number)


JUDGED = ("label", "score", "stars", "text", "contributions", "note", "input")


def sentiment(answers: Iterable[Answer]) -> Iterator[str]:
    """The header, then one row for each answer; a failure gives an empty chunk. `contributions` are `word=weight`."""
    yield "\t".join(JUDGED) + "\n"
    for number, (prediction, _) in enumerate(of_kind(answers, SentimentPrediction), 1):
        yield "" if isinstance(prediction, Failure) else _judged(prediction, number)


TRANSLATED = ("source", "translation", "score", "rank", "note", "input")  # `rank` counts alternatives from 1


def translate(answers: Iterable[Answer]) -> Iterator[str]:
    """The header, then one row for each answer, or for each of its alternatives; a failure gives an empty chunk."""
    yield "\t".join(TRANSLATED) + "\n"
    for number, (prediction, _) in enumerate(of_kind(answers, TranslationPrediction), 1):
        yield "" if isinstance(prediction, Failure) else "".join(_translated(prediction, number))


def _translated(prediction: TranslationPrediction, number: int) -> Iterator[str]:
    source, note = _escaped(prediction.source), _escaped(prediction.note or "")
    found = prediction.alternatives or (Alternative(prediction.translation, prediction.score),)
    for rank, one in enumerate(found, 1):
        cells = (source, _escaped(one.translation), str(round(one.score, 4)), str(rank), note, str(number))
        yield "\t".join(cells) + "\n"


def _judged(prediction: SentimentPrediction, number: int) -> str:
    stars = "" if prediction.stars is None else str(prediction.stars)
    parts = " ".join(f"{part.text}={part.weight:.4f}" for part in prediction.contributions or ())
    told = " ".join(filter(None, (prediction.note, prediction.cut)))
    texts = [_escaped(value) for value in (prediction.text, parts, told)]
    return "\t".join([_escaped(prediction.label), str(round(prediction.score, 4)), stars, *texts, str(number)]) + "\n"


def _rows(prediction: TagPrediction, number: int) -> str:
    return "".join(_row(token, number) for token in prediction.tokens)


def _row(token: Token, number: int) -> str:
    labels = [_escaped(value or "") for value in (token.text, token.upos, token.xpos, token.ner)]
    score = "" if token.score is None else str(round(token.score, 4))
    return "\t".join([*labels, score, str(token.start), str(token.end), str(number)]) + "\n"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _SHORT.get(match[0], f"\\u{ord(match[0]):04x}"), text)
