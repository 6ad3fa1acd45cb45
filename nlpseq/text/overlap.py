"""How much a translation shares with its references: BLEU and chrF as sacreBLEU counts them, with their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from nlpseq.text.scripts import han, spaceless

BleuTokenizer = Literal["13a", "zh", "char"]
USUAL_TOKENIZER: BleuTokenizer = "13a"
MOSTLY = 0.9  # of the characters without spaces that are Chinese in a Chinese text; in a Japanese one half are kana


class Overlap(NamedTuple):
    """A corpus score in per cent, and the signature that says how it was counted, for others to count alike."""

    percent: float
    signature: str


def bleu(
    translations: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    lowercase: bool = False,
    tokenizer: BleuTokenizer | None = None,
    effective_order: bool = False,
) -> Overlap:
    """BLEU (Papineni et al. 2002) of detokenised text, tokenised as `tokenizer_of` its references (Post 2018).

    `references` has one or more for each translation. Lower-cased, it comes near to what older papers report on
    lower-cased tokenised text. With `effective_order`, where no translation has four words the longest runs that there
    are count, instead of nothing at all. Raises ValueError where there is nothing to score.
    """
    from sacrebleu.metrics.bleu import BLEU

    tokenize = tokenizer or tokenizer_of(references)
    metric = BLEU(lowercase=lowercase, force=True, tokenize=tokenize, effective_order=effective_order)
    return _counted(metric, translations, references)


def tokenizer_of(references: Sequence[Sequence[str]]) -> BleuTokenizer:
    """What sacreBLEU is to cut such references into words with.

    That is mteval-v13a where most letters are of scripts with spaces. It would take a sentence of the others for one
    word, and hardly ever find it again: Chinese has a tokenizer of its own, all others are cut into characters.
    """
    text = "".join(chain.from_iterable(references))
    letters, count = sum(map(str.isalpha, text)), spaceless(text)
    if 2 * count <= letters:
        return USUAL_TOKENIZER
    return "zh" if han(text) >= MOSTLY * count else "char"


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
