"""What a classifier says of texts, as predictions; and by which words, where that is asked for.

A polarity of two sides says which one a text takes, if any: whether it takes one, three stars of five tell. Where a
checkpoint has both, "neutral" is an answer too, with the probability of three stars, and the two sides share the rest.

Words are weighed by occlusion (Zeiler & Fergus 2014, section 2.1; for words, Li, Monroe & Jurafsky 2016): a word's
weight is the log-odds of the label given the text, less its log-odds given the text without the word.

Axes: N texts, K labels of a scheme, A answers. Probabilities are NumPy's here, whatever computed them; no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import msgspec
import numpy as np

from nlpseq.records import Contribution, SentimentPrediction
from nlpseq.tasks.sentiment_config import POLARITY, STARS, SentimentConfig, main_scheme
from nlpseq.text.lengths import within_limit
from nlpseq.text.tokenizer import Sentence
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

NOTHING_TO_JUDGE = "There is nothing to judge: the text has no words."
NEUTRAL, MIDDLE = "neutral", "3"
CERTAIN = 1e-9  # so far from 0 and 1 a probability is kept, so that log-odds are finite
PARTS = 200  # stretches of a text that are weighed, at most: each costs one more reading of the whole text

Array = np.ndarray[Any, Any]


class Judge(Protocol):
    """A classifier, on torch or on NumPy."""

    @property
    def config(self) -> SentimentConfig:
        """All settings."""

    @property
    def labels(self) -> dict[str, Vocabulary]:
        """The labels of each scheme."""

    @property
    def words(self) -> WordVocabularies:
        """The words that it knows."""

    def probabilities(self, texts: Sequence[Sequence[str]], cache: Any = None) -> Mapping[str, Any]:
        """Probabilities (N, K) on the CPU, by scheme."""


def judge(
    classifier: Judge, texts: Sequence[tuple[str, Sentence]], cache: Any, *, explain: bool = False
) -> list[SentimentPrediction]:
    """One prediction for each text, given with its words."""
    limit = classifier.config.windows.text_limit
    scores = _probabilities(classifier, [within_limit(words.tokens, limit) for _, words in texts], cache)
    symbols, answers_NA = _answers(classifier, scores)
    stars, others = _stars(classifier, scores), _others(classifier, scores)
    result = []
    for index, (text, words) in enumerate(texts):
        if not any(map(classifier.words.means_something, words.tokens)):
            result.append(_nothing(symbols, text))
            continue
        named = dict(zip(symbols, answers_NA[index].tolist(), strict=True))
        label = max(named, key=lambda symbol: named[symbol])
        given = stars[index] if stars else None
        rest = {scheme: dict(zip(own, scores_NK[index].tolist(), strict=True)) for scheme, own, scores_NK in others}
        prediction = SentimentPrediction(
            text=text, label=label, score=named[label], scores=named, stars=given, others=rest
        )
        cut = _cut(len(words.tokens), limit)
        weighed = contributions(classifier, text, words, prediction.label, cache) if explain else None
        result.append(msgspec.structs.replace(prediction, cut=cut, contributions=weighed))
    return result


def contributions(classifier: Judge, text: str, words: Sentence, label: str, cache: Any) -> tuple[Contribution, ...]:
    """How much each word speaks for the answer `label`; of a text of many words, each run of a few words."""
    tokens = within_limit(words.tokens, classifier.config.windows.text_limit)
    starts = within_limit(words.starts, classifier.config.windows.text_limit)
    parts = min(len(tokens), PARTS)
    cuts = [round(index * len(tokens) / parts) for index in range(parts + 1)]
    variants = [tokens, *([*tokens[:a], *tokens[b:]] for a, b in pairwise(cuts))]
    symbols, answers_NA = _answers(classifier, _probabilities(classifier, variants, cache))
    sure_N = answers_NA[:, symbols.index(label)].astype(np.float64).clip(CERTAIN, 1 - CERTAIN)
    odds_N = np.log(sure_N / (1 - sure_N))
    weights = (odds_N[0] - odds_N[1:]).tolist()
    result = []
    for (a, b), weight in zip(pairwise(cuts), weights, strict=True):
        start, end = starts[a], starts[b - 1] + len(tokens[b - 1])
        result.append(Contribution(text[start:end], start, end, weight))
    return tuple(result)


def _probabilities(classifier: Judge, texts: Sequence[Sequence[str]], cache: Any) -> dict[str, Array]:
    return {scheme: np.asarray(scores_NK) for scheme, scores_NK in classifier.probabilities(texts, cache).items()}


def _answers(classifier: Judge, scores: Mapping[str, Array]) -> tuple[tuple[str, ...], Array]:
    """The labels that an answer may have, and the probabilities (N, A) of them."""
    scheme = main_scheme(classifier.labels)
    symbols, scores_NK = classifier.labels[scheme].symbols, scores[scheme]
    if scheme != POLARITY or len(symbols) != 2 or MIDDLE not in classifier.labels.get(STARS, ()):
        return symbols, scores_NK
    neutral_N1 = scores[STARS][:, [classifier.labels[STARS].id(MIDDLE)]]
    return (*symbols, NEUTRAL), np.concatenate((scores_NK * (1 - neutral_N1), neutral_N1), axis=1)


def _others(classifier: Judge, scores: Mapping[str, Array]) -> list[tuple[str, Sequence[str], Array]]:
    """The schemes that are neither what a label is of nor stars, with their labels and probabilities (N, K)."""
    told = {main_scheme(classifier.labels), STARS}
    return [(scheme, classifier.labels[scheme].symbols, scores[scheme]) for scheme in scores if scheme not in told]


def _stars(classifier: Judge, scores: Mapping[str, Array]) -> list[int]:
    """The most probable stars of each text; empty where the checkpoint has learnt none."""
    if STARS not in scores:
        return []
    symbols = classifier.labels[STARS].symbols
    return [int(symbols[index]) for index in scores[STARS].argmax(1).tolist()]


def _nothing(symbols: Sequence[str], text: str) -> SentimentPrediction:
    """The answer for a text in which nothing means something: every label as likely as any other."""
    scores = dict.fromkeys(symbols, 1 / len(symbols))
    return SentimentPrediction(text=text, label=NEUTRAL, score=1 / len(symbols), scores=scores, note=NOTHING_TO_JUDGE)


def _cut(length: int, limit: int) -> str | None:
    if length <= limit:
        return None
    return f"Of {length:,} words {limit:,} were read, from both ends; windows.text_limit is the most that is read."
