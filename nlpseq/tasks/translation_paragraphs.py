"""Translations of sentences put together into that of the text that they are of."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from nlpseq.records import Alternative, TranslationPrediction
from nlpseq.tasks.translation_answers import Translated
from nlpseq.text.paragraphs import cut, rejoined
from nlpseq.text.parts import Part
from nlpseq.text.pieces import Pieces


class Lost(NamedTuple):
    """Numbers and names that a translation has lost, and the part with others in their place, if it can be had."""

    stretches: tuple[str, ...]
    instead: Part | None


def losses(parts: Sequence[Part], translated: Sequence[Translated], pieces: Pieces) -> list[Lost]:
    """What was lost of each part that was to be translated."""
    wanted = [part for part in parts if part.translated]
    spans = [part.lost(one.translation, pieces.unspelt) for part, one in zip(wanted, translated, strict=True)]
    return [
        Lost(tuple(part.text[begin:end] for begin, end in own), part.keeping(own) if own else None)
        for part, own in zip(wanted, spans, strict=True)
    ]


def better(
    parts: Sequence[Part], translated: Sequence[Translated], lost: Sequence[Lost], again: Iterator[Translated]
) -> tuple[list[Part], list[Translated]]:
    """Parts and translations: where those `instead`, which were translated `again`, have what was lost, they are these,
    and else the first ones, with a note of what they lack.
    """
    own, others = iter(translated), iter(lost)
    all_parts: list[Part] = []
    found: list[Translated] = []
    for part in parts:
        if part.translated:
            one, (stretches, instead) = next(own), next(others)
            second = next(again) if instead else None
            if instead and second and instead.restored(second.translation) is not None:
                part, one = instead, second
            elif stretches:
                note = f"not kept as it is: {', '.join(stretches)}"
                one = one._replace(note=f"{one.note}; {note}" if one.note else note)
            found.append(one)
        all_parts.append(part)
    return all_parts, found


def in_pieces(parts: Sequence[Part], translated: Sequence[Translated]) -> list[list[Part]]:
    """For each part that was to be translated its pieces, where addresses were lost on the way, else nothing."""
    wanted = [part for part in parts if part.translated]
    return [
        cut(part) if part.restored(one.translation) is None else []
        for part, one in zip(wanted, translated, strict=True)
    ]


def mended(
    parts: Sequence[Part],
    translated: Sequence[Translated],
    cut: Sequence[Sequence[Part]],
    again: Iterator[Translated],
) -> tuple[list[Part], list[Translated]]:
    """Parts and translations, where a part was `cut` those of its pieces, which were translated `again`."""
    own, pieces = iter(translated), iter(cut)
    all_parts: list[Part] = []
    found: list[Translated] = []
    for part in parts:
        instead = next(pieces) if part.translated else []
        all_parts += instead or [part]
        if part.translated:
            one = next(own)
            found += islice(again, sum(piece.translated for piece in instead)) if instead else [one]
    return all_parts, found


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
    for part, one in zip((part for part in parts if part.translated), translated, strict=True):
        said = one.alternatives or (Alternative(one.translation, one.score),)
        own = [alternative for alternative in said if part.restored(alternative.translation) is not None]
        longer = ((total + a.score, (*texts, a.translation)) for total, texts in chosen for a in own)
        chosen = heapq.nlargest(count, longer)
    found = {best.translation: best.score}
    for total, texts in chosen:
        found.setdefault(rejoined(parts, texts), total / max(1, len(texts)))
    return tuple(Alternative(text, score) for text, score in list(found.items())[:count])


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores) if scores else 0.0
