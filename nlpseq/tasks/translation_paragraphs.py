"""Translations of sentences put together into that of the text that they are of."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from nlpseq.records import Alternative, TranslationPrediction
from nlpseq.tasks.translation_answers import Translated
from nlpseq.text.paragraphs import Part, rejoined


def joined(
    text: str,
    parts: Sequence[Part],
    translated: Sequence[Translated],
    *,
    alternatives: int = 0,
    attention: bool = False,
) -> TranslationPrediction:
    """The prediction for a text of `parts`, of which `translated` has those that are to be, in their order.

    The score is the mean of the sentences' scores, and 0 (certainty) where there was nothing to translate.
    """
    best = Alternative(
        rejoined(parts, [one.translation for one in translated]), _mean([one.score for one in translated])
    )
    notes = dict.fromkeys(one.note for one in translated if one.note)
    return TranslationPrediction(
        source=text,
        translation=best.translation,
        score=best.score,
        alternatives=_alternatives(parts, translated, alternatives, best) if alternatives else (),
        attention=tuple(one.attention for one in translated if one.attention) if attention else None,
        note="; ".join(notes) or None,
    )


def _alternatives(
    parts: Sequence[Part], translated: Sequence[Translated], count: int, best: Alternative
) -> tuple[Alternative, ...]:
    """The best `count` choices of one alternative for each sentence, `best` first: by the mean of their scores."""
    chosen: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]  # sum of scores, translations so far
    for one in translated:
        own = one.alternatives or (Alternative(one.translation, one.score),)
        longer = ((total + a.score, (*texts, a.translation)) for total, texts in chosen for a in own)
        chosen = heapq.nlargest(count, longer)
    found = {best.translation: best.score}
    for total, texts in chosen:
        found.setdefault(rejoined(parts, texts), total / max(1, len(texts)))
    return tuple(Alternative(text, score) for text, score in list(found.items())[:count])


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores) if scores else 0.0
