"""What a classifier says of texts, as predictions; and by which words, where that is asked for.

A polarity of two sides says which one a text takes, if any: whether it takes one, three stars of five tell. Where a
checkpoint has both, "neutral" is an answer too, with the probability of three stars, and the two sides share the rest.

Words are weighed by occlusion (Zeiler & Fergus 2014, section 2.1; for words, Li, Monroe & Jurafsky 2016): a word's
weight is the log-odds of the label given the text, less its log-odds given the text without the word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
import torch
from torch import Tensor

from nlpseq.records import Contribution, SentimentPrediction
from nlpseq.tasks.sentiment import POLARITY, STARS, Classifier
from nlpseq.tasks.windows import within_limit
from nlpseq.tasks.words import VectorCache
from nlpseq.text.tokenizer import Sentence

NOTHING_TO_JUDGE = "There is nothing to judge: the text has no words."
NEUTRAL, MIDDLE = "neutral", "3"
PARTS = 200  # stretches of a text that are weighed, at most: each costs one more reading of the whole text


def judge(
    classifier: Classifier, texts: Sequence[tuple[str, Sentence]], cache: VectorCache, *, explain: bool = False
) -> list[SentimentPrediction]:
    """One prediction for each text, given with its words."""
    limit = classifier.config.windows.text_limit
    scores = classifier.probabilities([within_limit(words.tokens, limit) for _, words in texts], cache)
    symbols, answers_NA = _answers(classifier, scores)
    stars = _stars(classifier, scores)
    result = []
    for index, (text, words) in enumerate(texts):
        if not words.tokens:
            result.append(_nothing(symbols, text))
            continue
        named = dict(zip(symbols, answers_NA[index].tolist(), strict=True))
        label = max(named, key=lambda symbol: named[symbol])
        given = stars[index] if stars else None
        prediction = SentimentPrediction(text=text, label=label, score=named[label], scores=named, stars=given)
        cut = _cut(len(words.tokens), limit)
        weighed = contributions(classifier, text, words, prediction.label, cache) if explain else None
        result.append(msgspec.structs.replace(prediction, cut=cut, contributions=weighed))
    return result


def contributions(
    classifier: Classifier, text: str, words: Sentence, label: str, cache: VectorCache
) -> tuple[Contribution, ...]:
    """How much each word speaks for the answer `label`; of a text of many words, each run of a few words."""
    tokens = within_limit(words.tokens, classifier.config.windows.text_limit)
    starts = within_limit(words.starts, classifier.config.windows.text_limit)
    parts = min(len(tokens), PARTS)
    cuts = [round(index * len(tokens) / parts) for index in range(parts + 1)]
    variants = [tokens, *([*tokens[:a], *tokens[b:]] for a, b in pairwise(cuts))]
    symbols, answers_NA = _answers(classifier, classifier.probabilities(variants, cache))
    odds_N = torch.logit(answers_NA[:, symbols.index(label)].double(), eps=1e-9)
    weights = (odds_N[0] - odds_N[1:]).tolist()
    result = []
    for (a, b), weight in zip(pairwise(cuts), weights, strict=True):
        start, end = starts[a], starts[b - 1] + len(tokens[b - 1])
        result.append(Contribution(text[start:end], start, end, weight))
    return tuple(result)


def _answers(classifier: Classifier, scores: Mapping[str, Tensor]) -> tuple[tuple[str, ...], Tensor]:
    """The labels that an answer may have, and the probabilities (N, A) of them."""
    scheme = classifier.main_scheme
    symbols, scores_NK = classifier.labels[scheme].symbols, scores[scheme]
    if scheme != POLARITY or len(symbols) != 2 or MIDDLE not in classifier.labels.get(STARS, ()):
        return symbols, scores_NK
    neutral_N1 = scores[STARS][:, [classifier.labels[STARS].id(MIDDLE)]]
    return (*symbols, NEUTRAL), torch.cat((scores_NK * (1 - neutral_N1), neutral_N1), dim=1)


def _stars(classifier: Classifier, scores: Mapping[str, Tensor]) -> list[int]:
    """The most probable stars of each text; empty where the checkpoint has learnt none."""
    if STARS not in scores:
        return []
    symbols = classifier.labels[STARS].symbols
    return [int(symbols[index]) for index in scores[STARS].argmax(1).tolist()]


def _nothing(symbols: Sequence[str], text: str) -> SentimentPrediction:
    """The answer for a text without words: every label as likely as any other."""
    scores = dict.fromkeys(symbols, 1 / len(symbols))
    return SentimentPrediction(text=text, label=NEUTRAL, score=1 / len(symbols), scores=scores, note=NOTHING_TO_JUDGE)


def _cut(length: int, limit: int) -> str | None:
    if length <= limit:
        return None
    return f"Of {length:,} words {limit:,} were read, from both ends; windows.text_limit is the most that is read."
