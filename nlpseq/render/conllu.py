"""CoNLL-U (universaldependencies.org/format.html): ten columns, the entities as `NER=` in the last.

`# text` is what the forms and `SpaceAfter=No` spell, as the format demands: a run of white space becomes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nlpseq.records import Failure, TagPrediction, Token
from nlpseq.render.answer import Answer, of_kind


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """One block per sentence; a failure, and a text without tokens, give an empty chunk."""
    for number, (prediction, extra) in enumerate(of_kind(answers, TagPrediction), 1):
        if isinstance(prediction, Failure):
            yield ""
        else:
            yield "".join(_blocks(prediction, number, extra))


def _blocks(prediction: TagPrediction, number: int, extra: Mapping[str, object]) -> Iterator[str]:
    """`sent_id` is the one that came with the input, else its number; of several sentences, with theirs behind it."""
    tokens = prediction.tokens
    starts = sorted({0, *prediction.sentences})
    sentences = [tokens[start:end] for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True)]
    sentences = [sentence for sentence in sentences if sentence]
    given = _given_id(extra)
    if given is not None and len(sentences) == 1:
        yield _block(sentences[0], given)
        return
    for index, sentence in enumerate(sentences, 1):
        yield _block(sentence, f"{given or number}-{index}")


def _given_id(extra: Mapping[str, object]) -> str | None:
    """The `sent_id` that came with the input, if it is a text or a number."""
    value = extra.get("sent_id")
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    is_id = isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip()
    return _field(str(value)) if is_id else None


def _block(tokens: Sequence[Token], sent_id: str) -> str:
    """The comments, one row per token, and the empty line that closes a sentence."""
    text, rows = "", []
    for index, token in enumerate(tokens, 1):
        last = index == len(tokens)
        joined = not last and tokens[index].start == token.end
        form = _field(token.text)
        text += form if joined or last else form + " "
        rows.append(_row(index, form, token, joined))
    return "\n".join([f"# sent_id = {sent_id}", f"# text = {text}", *rows, "", ""])


def _row(index: int, form: str, token: Token, joined: bool) -> str:
    misc = [] if token.ner is None else ["NER=" + _label(token.ner).replace("|", "/")]
    if joined:
        misc.append("SpaceAfter=No")
    columns = [str(index), form, "_", _label(token.upos), _label(token.xpos), "_", "_", "_", "_"]
    return "\t".join([*columns, "|".join(misc) or "_"])


def _field(text: str) -> str:
    """A form may hold single spaces inside, and nothing else that is white space."""
    return " ".join(text.split()) or "_"


def _label(label: str | None) -> str:
    return "_".join((label or "").split()) or "_"
