r"""Tab-separated values: a header, then one row per token; an absent head leaves its column empty.

There is no quoting (read with `quoting=csv.QUOTE_NONE`): inside a value a tab is `\t`, a line feed `\n`, a
carriage return `\r`, a backslash `\\`, any other control or separator `\uXXXX`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nlpseq.records import Failure, TagPrediction, Token
from nlpseq.render.answer import Answer

COLUMNS = ("token", "upos", "xpos", "ner", "score", "start", "end", "input")  # `input` counts from 1

_SPECIAL = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """The header, then the rows of each answer; a failure gives an empty chunk."""
    yield "\t".join(COLUMNS) + "\n"
    for number, (prediction, _) in enumerate(answers, 1):
        yield "" if isinstance(prediction, Failure) else _rows(prediction, number)


def _rows(prediction: TagPrediction, number: int) -> str:
    return "".join(_row(token, number) for token in prediction.tokens)


def _row(token: Token, number: int) -> str:
    labels = [_escaped(value or "") for value in (token.text, token.upos, token.xpos, token.ner)]
    score = "" if token.score is None else str(round(token.score, 4))
    return "\t".join([*labels, score, str(token.start), str(token.end), str(number)]) + "\n"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _SHORT.get(match[0], f"\\u{ord(match[0]):04x}"), text)
