"""Runs of words of a classifier: which are weighed, and what they weigh at first; those of a text.

Axes: V runs that are known, N runs of all texts, B texts, K labels of all schemes, S of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
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


def count_words(
    config: SentimentConfig, tokenizer: Tokenizer, labels: Labels, examples: Sequence[LabelledText]
) -> tuple[Counter[str], tuple[Array, Array]]:
    """How often the examples have each word, and in how many texts (V, K) of each label of each scheme, one scheme
    after the other, runs (V,) of words are found. These are counted only where the settings want them weighed; a text
    that is there several times with the same labels counts once.
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

    runs = counted(Ngrams(config.classifier.ngrams), read(), sum(map(len, labels.values())))
    return words, runs


def ngram_scores(config: SentimentConfig, labels: Labels, runs: tuple[Array, Array]) -> NgramScores | None:
    """The linear model of those runs that tell labels apart best, with what it begins with; None where there are
    none.
    """
    known_V, counts_VK = runs
    cuts = [slice(*ends) for ends in pairwise(accumulate(map(len, labels.values()), initial=0))]
    kept = telling(counts_VK, cuts, config.classifier.ngram_limit)
    if not len(kept):
        return None
    scores = NgramScores(len(kept), counts_VK.shape[1], eight_bit=config.embedding.eight_bit)
    counts = torch.from_numpy(counts_VK[kept])
    scores.start_from(torch.from_numpy(known_V[kept]), [counts[:, cut] for cut in cuts])
    return scores


def runs_of(ngrams: Ngrams, scores: NgramScores, texts: Sequence[Sequence[str]]) -> Runs:
    """The known runs of texts, none of them empty, where the weights lie."""
    known = scores.known_V
    places_N, counts_B = found(known.cpu().numpy(), *ngrams.of(texts), len(texts))
    return torch.from_numpy(places_N).to(known.device), torch.from_numpy(counts_B).to(known.device)
