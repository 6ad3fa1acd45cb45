"""Runs of words of a classifier: which are weighed, and what they weigh at first; those of a text.

Axes: V runs that are known, P pairs of a run and a label, N runs of all texts, B texts, K labels of all schemes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlpseq.nn.ngrams import NgramScores
from nlpseq.records import LabelledText
from nlpseq.tasks.sentiment_config import SentimentConfig
from nlpseq.text.lengths import within_limit
from nlpseq.text.ngrams import Ngrams, counted, found, telling
from nlpseq.text.tokenizer import Tokenizer
from nlpseq.text.vocab import Vocabulary

Array = np.ndarray[Any, Any]
Runs = tuple[Tensor, Tensor]  # places (N,) of the known ones of texts, and how many each text (B,) has
Labels = Mapping[str, Vocabulary]
MOST_WEIGHTS = 2_100_000  # of runs, for all labels: 300,000 of them for seven


def count_words(
    config: SentimentConfig, tokenizer: Tokenizer, labels: Labels, examples: Sequence[LabelledText]
) -> tuple[Counter[str], tuple[Array, Array]]:
    """How often the examples have each word; and pairs (P,) of a run of words and a label, those of one scheme after
    those of another, with the number (P,) of texts that have both. These are counted only where the settings want runs
    weighed; a text that is there several times with the same labels counts once.
    """
    words: Counter[str] = Counter()
    met: set[int] = set()
    firsts = dict(zip(labels, accumulate(map(len, labels.values()), initial=0), strict=False))

    def read() -> Iterator[tuple[Sequence[str], Sequence[int]]]:
        for example in examples:
            tokens = tokenizer.words(example.text)[0]
            words.update(tokens)
            own = [firsts[s] + labels[s].id(label) for s, label in example.labels.items() if label in labels.get(s, ())]
            key = hash((example.text, *own))
            if tokens and own and config.classifier.ngrams and key not in met:
                met.add(key)
                yield within_limit(tokens, config.windows.text_limit), own

    pairs = counted(Ngrams(config.classifier.ngrams), read(), sum(map(len, labels.values())))
    return words, pairs


def ngram_scores(config: SentimentConfig, labels: Labels, pairs: tuple[Array, Array]) -> NgramScores | None:
    """The linear model of those runs that tell labels apart best, with what it begins with; None where there are
    none.
    """
    groups = [len(vocabulary) for vocabulary in labels.values()]
    limit = min(config.classifier.ngram_limit, max(1, MOST_WEIGHTS // sum(groups)))
    known_V, counts_VK = telling(*pairs, groups, limit)
    if not len(known_V):
        return None
    scores = NgramScores(len(known_V), sum(groups), eight_bit=config.embedding.eight_bit)
    scores.start_from(torch.from_numpy(known_V), torch.split(torch.from_numpy(counts_VK), groups, dim=1))
    return scores


def runs_of(ngrams: Ngrams, scores: NgramScores, texts: Sequence[Sequence[str]]) -> Runs:
    """The known runs of texts, none of them empty, where the weights lie."""
    known = scores.known_V
    places_N, counts_B = found(known.cpu().numpy(), *ngrams.of(texts), len(texts))
    return torch.from_numpy(places_N).to(known.device), torch.from_numpy(counts_B).to(known.device)
