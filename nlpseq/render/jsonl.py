"""JSON Lines: one object per input, in its order; what failed is an object with "error" and "line".

Keys that came with an input are passed through; one that is also a key of the answer, as `input.KEY`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from nlpseq.records import (
    Attention,
    Continuation,
    Failure,
    SentimentPrediction,
    Span,
    TagPrediction,
    Token,
    TranslationPrediction,
)
from nlpseq.render.answer import Answer, of_kind
from nlpseq.render.safe import without_surrogates

INPUT = "input."
_encode = msgspec.json.Encoder().encode


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """`{"text", "tokens", "entities"}` and the keys passed through; where a head is absent its key is too."""
    for prediction, extra in of_kind(answers, TagPrediction):
        own = _failure(prediction) if isinstance(prediction, Failure) else _tagged(prediction)
        yield _line(_beside(own, extra))


def sentiment(answers: Iterable[Answer]) -> Iterator[str]:
    """`{"text", "label", "score", "scores", "stars"}` and the keys passed through.

    `stars` is null where the checkpoint has learnt none. Where there is anything to tell, `others` (the probabilities
    of further schemes, by their names), `contributions` (with `--explain`), `note` and `cut` follow.
    """
    for prediction, extra in of_kind(answers, SentimentPrediction):
        own = _failure(prediction) if isinstance(prediction, Failure) else _judged(prediction)
        yield _line(_beside(own, extra))


def translate(answers: Iterable[Answer]) -> Iterator[str]:
    """`{"source", "translation", "score", "alternatives"}` and the keys passed through.

    `alternatives` are `{"translation", "score"}`, the translation itself first; none where they were not asked for.
    With `--attention`, `attention` has for each sentence its `source` and `target` pieces, and `weights`, a row of
    source pieces for each target piece. Where there is anything to tell, `note` follows.
    """
    for prediction, extra in of_kind(answers, TranslationPrediction):
        own = _failure(prediction) if isinstance(prediction, Failure) else _translated(prediction)
        yield _line(_beside(own, extra))


def _translated(prediction: TranslationPrediction) -> dict[str, object]:
    result: dict[str, object] = {
        "source": prediction.source,
        "translation": prediction.translation,
        "score": round(prediction.score, 4),
        "alternatives": [
            {"translation": one.translation, "score": round(one.score, 4)} for one in prediction.alternatives
        ],
    }
    if prediction.attention is not None:
        result["attention"] = [_attention(one) for one in prediction.attention]
    return result | ({"note": prediction.note} if prediction.note else {})


def _attention(one: Attention) -> dict[str, object]:
    weights = [[round(weight, 4) for weight in row] for row in one.weights]
    return {"source": one.source, "target": one.target, "weights": weights}


def lm(answers: Iterable[Answer]) -> Iterator[str]:
    """`{"prompt", "text", "tokens", "ended", "score"}`, `alternatives` of a search, and the keys passed through.

    With suggestions it is `{"prompt", "suggestions": [{"word", "probability"}]}`, `completes` where a word is begun.
    """
    for prediction, extra in of_kind(answers, Continuation):
        own = _failure(prediction) if isinstance(prediction, Failure) else _continued(prediction)
        yield _line(_beside(own, extra))


def _continued(prediction: Continuation) -> dict[str, object]:
    if prediction.suggestions is not None:
        words = [
            {"word": s.word, "probability": round(s.probability, 4)}
            | ({"completes": s.completes} if s.completes else {})
            for s in prediction.suggestions
        ]
        return {"prompt": prediction.prompt, "suggestions": words}
    result: dict[str, object] = {
        "prompt": prediction.prompt,
        "text": prediction.text,
        "tokens": prediction.tokens,
        "ended": prediction.ended,
        "score": round(prediction.score, 4),
    }
    return result | ({"alternatives": list(prediction.alternatives)} if prediction.alternatives else {})


def _judged(prediction: SentimentPrediction) -> dict[str, object]:
    result: dict[str, object] = {
        "text": prediction.text,
        "label": prediction.label,
        "score": round(prediction.score, 4),
        "scores": {label: round(score, 4) for label, score in prediction.scores.items()},
        "stars": prediction.stars,
    }
    if prediction.others:
        result["others"] = {
            scheme: {label: round(score, 4) for label, score in scores.items()}
            for scheme, scores in prediction.others.items()
        }
    if prediction.contributions is not None:
        result["contributions"] = [
            {"text": part.text, "start": part.start, "end": part.end, "weight": round(part.weight, 4)}
            for part in prediction.contributions
        ]
    told = {"note": prediction.note, "cut": prediction.cut}
    return result | {key: sentence for key, sentence in told.items() if sentence}


def _beside(own: dict[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    """`own` keys and those passed through, of which none is lost."""
    result = own | {key: value for key, value in extra.items() if key not in own}
    for key in [key for key in extra if key in own]:
        name = INPUT + key
        while name in result:
            name = INPUT + name
        result[name] = extra[key]
    return result


def _failure(failure: Failure) -> dict[str, object]:
    return {"error": failure.error, "line": failure.line}


def _tagged(prediction: TagPrediction) -> dict[str, object]:
    result: dict[str, object] = {
        "text": prediction.text,
        "tokens": [*map(_token, prediction.tokens)],
    }
    if not prediction.tokens or prediction.tokens[0].ner is not None:
        result["entities"] = [_span(span) for span in prediction.entities]
    return result


class _Token(msgspec.Struct, omit_defaults=True, gc=False):
    """The fields of a token in their order; a label that the checkpoint does not give has no key."""

    text: str
    start: int
    end: int
    upos: str | None = None
    xpos: str | None = None
    ner: str | None = None
    score: float | None = None


class _Span(msgspec.Struct, omit_defaults=True, gc=False):
    """The fields of an entity in their order."""

    text: str
    label: str
    start: int
    end: int
    score: float | None = None


def _token(t: Token) -> _Token:
    score = t.score
    return _Token(t.text, t.start, t.end, t.upos, t.xpos, t.ner, score if score is None else round(score, 4))


def _span(span: Span) -> _Span:
    score = None if span.score is None else round(span.score, 4)
    return _Span(span.text, span.label, span.start, span.end, score)


def _line(value: dict[str, object]) -> str:
    try:
        return _encode(value).decode() + "\n"
    except UnicodeEncodeError:
        return _encode(without_surrogates(msgspec.to_builtins(value))).decode() + "\n"
