"""What is said of a sentence that was translated. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nlpseq.records import Alternative, Attention
from nlpseq.text.hypothesis import Hypothesis
from nlpseq.text.pieces import END

LONGER = 10  # pieces that a translation may have beside so many for each of its source


class Translated(NamedTuple):
    """What `translate` says of one sentence.

    `score` is the mean log-probability (nats) of a target piece, the end included. `alternatives` are the best
    translations, that one first, all different. `note` says what the search kept the model from, or that the sentence
    was too long to be read whole; `cut_short` that for one of these two its end, or that of the sentence, is missing.
    """

    translation: str
    score: float
    alternatives: tuple[Alternative, ...]
    attention: Attention | None
    note: str | None
    cut_short: bool = False


def answered(
    spelt: Callable[[Sequence[int]], str],
    row: Sequence[int],
    found: Sequence[Hypothesis],
    attention: Attention | None,
    alternatives: int,
) -> Translated:
    """What is said of a source (its ids) of which so much was found: of what has no piece, nothing."""
    texts: dict[str, float] = {}  # other pieces may spell the same
    for one in found:
        texts.setdefault(spelt(one.ids), one.total / (len(one.ids) + 1))
        if len(texts) == alternatives:
            break
    best = tuple(Alternative(text, score) for text, score in texts.items())
    if not best:
        return Translated("", 0.0, (), attention, None)
    cut_short = row[-1] != END or found[0].capped
    return Translated(best[0].translation, best[0].score, best, attention, _note(row, found[0]), cut_short)


def _note(row: Sequence[int], found: Hypothesis) -> str | None:
    notes = []
    if row[-1] != END:
        notes.append(f"only the first {len(row)} pieces were read (source.limit)")
    if found.capped:
        notes.append(f"ended at {len(found.ids)} pieces, the cap on length (search.length_cap)")
    if found.guarded:
        notes.append("a repetition was kept out (search.no_repeat_ngram_size)")
    return "; ".join(notes) or None
