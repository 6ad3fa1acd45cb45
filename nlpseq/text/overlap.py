"""How much a translation shares with its references: BLEU and chrF as sacreBLEU counts them, with their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Overlap(NamedTuple):
    """A corpus score in per cent, and the signature that says how it was counted, for others to count alike."""

    percent: float
    signature: str


def bleu(translations: Sequence[str], references: Sequence[Sequence[str]], *, lowercase: bool = False) -> Overlap:
    """BLEU (Papineni et al. 2002) of detokenised text, tokenised as mteval-v13a does (Post 2018).

    `references` has one or more for each translation. Lower-cased, it comes near to what older papers report on
    lower-cased tokenised text. Raises ValueError where there is nothing to score.
    """
    from sacrebleu.metrics.bleu import BLEU

    return _counted(BLEU(lowercase=lowercase, force=True), translations, references)


def chrf(translations: Sequence[str], references: Sequence[Sequence[str]], *, lowercase: bool = False) -> Overlap:
    """chrF, an F2 score of character n-grams up to six (Popović 2015). Otherwise as `bleu`."""
    from sacrebleu.metrics.chrf import CHRF

    return _counted(CHRF(lowercase=lowercase), translations, references)


def _counted(metric: Any, translations: Sequence[str], references: Sequence[Sequence[str]]) -> Overlap:
    if not translations:
        raise ValueError("There is no translation to score.")
    most = max(map(len, references))
    streams = [[row[n] if n < len(row) else None for row in references] for n in range(most)]
    return Overlap(metric.corpus_score(list(translations), streams).score, f"{metric.get_signature()}")
