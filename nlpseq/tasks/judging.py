"""What a classifier says of texts, as predictions; and by which words, where that is asked for.

Words are weighed by occlusion (Zeiler & Fergus 2014, section 2.1; for words, Li, Monroe & Jurafsky 2016): a word's
weight is the log-odds of the label given the text, less its log-odds given the text without the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import torch
from torch import Tensor

from nlpseq.records import Contribution, SentimentPrediction
from nlpseq.tasks.sentiment import STARS, Classifier
from nlpseq.tasks.windows import within_limit
from nlpseq.tasks.words import VectorCache
from nlpseq.text.tokenizer import Sentence

NOTHING_TO_JUDGE = "There is nothing to judge: the text has no words."
NEUTRAL = "neutral"
PARTS = 200  # stretches of a text that are weighed, at most: each costs one more reading of the whole text


def judge(
    classifier: Classifier, texts: Sequence[tuple[str, Sentence]], cache: VectorCache, *, explain: bool = False
) -> list[SentimentPrediction]:
    """One prediction for each text, given with its words."""
    limit = classifier.config.windows.text_limit
    scores = classifier.probabilities([within_limit(words.tokens, limit) for _, words in texts], cache)
    result = []
    for index, (text, words) in enumerate(texts):
        if not words.tokens:
            result.append(_nothing(classifier, text))
            continue
        prediction = _prediction(classifier, text, {scheme: scores_NK[index] for scheme, scores_NK in scores.items()})
        cut = _cut(len(words.tokens), limit)
        weighed = contributions(classifier, text, words, prediction.label, cache) if explain else None
        result.append(msgspec.structs.replace(prediction, cut=cut, contributions=weighed))
    return result


def contributions(
    classifier: Classifier, text: str, words: Sentence, label: str, cache: VectorCache
) -> tuple[Contribution, ...]:
    """How much each word speaks for `label` of the main scheme; of a text of many words, each run of a few words."""
    tokens = within_limit(words.tokens, classifier.config.windows.text_limit)
    starts = within_limit(words.starts, classifier.config.windows.text_limit)
    parts = min(len(tokens), PARTS)
    cuts = [round(index * len(tokens) / parts) for index in range(parts + 1)]
    variants = [tokens, *([*tokens[:a], *tokens[b:]] for a, b in pairwise(cuts))]
    scheme = classifier.main_scheme
    probabilities_NK = classifier.probabilities(variants, cache)[scheme].double()
    column = classifier.labels[scheme].id(label)
    odds_N = torch.logit(probabilities_NK[:, column], eps=1e-9)
    weights = (odds_N[0] - odds_N[1:]).tolist()
    result = []
    for (a, b), weight in zip(pairwise(cuts), weights, strict=True):
        start, end = starts[a], starts[b - 1] + len(tokens[b - 1])
        result.append(Contribution(text[start:end], start, end, weight))
    return tuple(result)


def _prediction(classifier: Classifier, text: str, scores: dict[str, Tensor]) -> SentimentPrediction:
    scheme = classifier.main_scheme
    named = dict(zip(classifier.labels[scheme].symbols, scores[scheme].tolist(), strict=True))
    label = max(named, key=lambda symbol: named[symbol])
    stars = int(classifier.labels[STARS].symbols[int(scores[STARS].argmax())]) if STARS in scores else None
    return SentimentPrediction(text=text, label=label, score=named[label], scores=named, stars=stars)


def _nothing(classifier: Classifier, text: str) -> SentimentPrediction:
    """The answer for a text without words: every label as likely as any other."""
    symbols = classifier.labels[classifier.main_scheme].symbols
    scores = dict.fromkeys(symbols, 1 / len(symbols))
    return SentimentPrediction(text=text, label=NEUTRAL, score=1 / len(symbols), scores=scores, note=NOTHING_TO_JUDGE)


def _cut(length: int, limit: int) -> str | None:
    if length <= limit:
        return None
    return f"Of {length:,} words {limit:,} were read, from both ends; windows.text_limit is the most that is read."
