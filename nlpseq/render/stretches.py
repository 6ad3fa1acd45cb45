"""A text cut at its spans: what lies between them, and what they hold, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlpseq.records import SentimentPrediction, Span


def stretches(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """Pairs of text and label ("" outside spans) that join to `text`; an overlapping span is left out."""
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start < end:
            continue
        if span.start > end:
            yield text[end : span.start], ""
        yield text[span.start : span.end], span.label
        end = span.end
    if end < len(text):
        yield text[end:], ""


def weighed(prediction: SentimentPrediction) -> Iterator[tuple[str, float]]:
    """Pairs of text and weight (0 where nothing was weighed) that join to the text of the prediction."""
    text, end = prediction.text, 0
    for part in prediction.contributions or ():
        if part.start > end:
            yield text[end : part.start], 0.0
        yield text[part.start : part.end], part.weight
        end = part.end
    if end < len(text):
        yield text[end:], 0.0
