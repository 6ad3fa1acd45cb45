"""Plain text: one line per input, with the predictions marked inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlpseq.records import Continuation, Failure, SentimentPrediction, TagPrediction, TranslationPrediction
from nlpseq.render.answer import Answer, further, of_kind
from nlpseq.render.safe import one_line
from nlpseq.render.stretches import stretches, weighed


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """`[Sumesh PER] worked at [Cisco ORG]`; without entities to tell, `Sumesh_PROPN worked_VERB`.

    A failure leaves its line empty, so that line n answers input n.
    """
    for prediction, _ in of_kind(answers, TagPrediction):
        yield "\n" if isinstance(prediction, Failure) else one_line(marked(prediction)) + "\n"


def sentiment(answers: Iterable[Answer]) -> Iterator[str]:
    """`positive 93%, 4 of 5 stars: Well made.`; with contributions, `Well(+0.31) made(-0.02)`.

    What there is to tell beside follows in brackets. A failure leaves its line empty.
    """
    for prediction, _ in of_kind(answers, SentimentPrediction):
        yield "\n" if isinstance(prediction, Failure) else one_line(verdict(prediction)) + "\n"


def translate(answers: Iterable[Answer]) -> Iterator[str]:
    """The translation alone. Alternatives, where they were asked for, follow on the same line, divided by tabs.

    A failure leaves its line empty.
    """
    for prediction, _ in of_kind(answers, TranslationPrediction):
        if isinstance(prediction, Failure):
            yield "\n"
        else:
            others = (other.translation for other in prediction.alternatives[1:])
            yield "\t".join(map(one_line, (prediction.translation, *others))) + "\n"


def lm(answers: Iterable[Answer]) -> Iterator[str]:
    """The prompt and its continuation; or suggestions, `be 21%  see 9%`. A failure leaves its line empty."""
    for prediction, _ in of_kind(answers, Continuation):
        yield "\n" if isinstance(prediction, Failure) else one_line(continued(prediction)) + "\n"


def continued(prediction: Continuation) -> str:
    """The whole text, or the suggestions of its next word."""
    if prediction.suggestions is None:
        return prediction.prompt + prediction.text
    return "  ".join(f"{s.word} {s.probability:.1%}" for s in prediction.suggestions)


def verdict(prediction: SentimentPrediction) -> str:
    """The label with its probability, the stars, and the text."""
    stars = f", {prediction.stars} of 5 stars" if prediction.stars is not None else ""
    pieces = (f"{text}({weight:+.2f})" if weight else text for text, weight in weighed(prediction))
    told = "".join(f" ({sentence})" for sentence in (prediction.note, prediction.cut) if sentence)
    return f"{prediction.label} {prediction.score:.0%}{stars}{further(prediction)}: {''.join(pieces)}{told}"


def marked(prediction: TagPrediction) -> str:
    """The text with brackets around entities, or each token's part of speech where there are none to tell."""
    tokens = prediction.tokens
    if tokens and tokens[0].ner is None:
        labels = ((token.text, token.upos or token.xpos) for token in tokens)
        return " ".join(f"{text}_{label}" if label else text for text, label in labels)
    pieces = stretches(prediction.text, prediction.entities)
    return "".join(f"[{text} {label}]" if label else text for text, label in pieces)
