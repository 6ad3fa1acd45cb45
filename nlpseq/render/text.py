"""Plain text: one line per input, with the predictions marked inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlpseq.records import Failure, TagPrediction
from nlpseq.render.answer import Answer
from nlpseq.render.safe import one_line
from nlpseq.render.stretches import stretches


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """`[Sumesh PER] worked at [Cisco ORG]`; without entities to tell, `Sumesh_PROPN worked_VERB`.

    A failure leaves its line empty, so that line n answers input n.
    """
    for prediction, _ in answers:
        yield "\n" if isinstance(prediction, Failure) else one_line(marked(prediction)) + "\n"


def marked(prediction: TagPrediction) -> str:
    """The text with brackets around entities, or each token's part of speech where there are none to tell."""
    tokens = prediction.tokens
    if tokens and tokens[0].ner is None:
        labels = ((token.text, token.upos or token.xpos) for token in tokens)
        return " ".join(f"{text}_{label}" if label else text for text, label in labels)
    pieces = stretches(prediction.text, prediction.entities)
    return "".join(f"[{text} {label}]" if label else text for text, label in pieces)
