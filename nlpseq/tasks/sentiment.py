"""Text classification: one label a text for each scheme (polarity, stars, or the user's own), off one encoder.

Axes: B texts, K labels; see `windows` for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor

from nlpseq.batching import shuffled
from nlpseq.corpora.tables import naming
from nlpseq.errors import DataError
from nlpseq.records import LabelledText
from nlpseq.tasks.calibration import USUAL_SHARE, fit_share, fit_temperature, softened
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.ngrams import Runs, count_words, ngram_scores, runs_of
from nlpseq.tasks.sentiment_config import (
    NGRAMS,
    NOTHING,
    POLARITY,
    STARS,
    SentimentConfig,
    Weighed,
    main_scheme,
    read_plain,
)
from nlpseq.tasks.sentiment_losses import NO_LABEL, Batch, losses_of
from nlpseq.tasks.sentiment_network import ClassifierNetwork
from nlpseq.tasks.windows import in_windows, within_limit
from nlpseq.tasks.words import VectorCache, WordTable, fix_given_vectors, grown
from nlpseq.text.metrics import Accuracy
from nlpseq.text.ngrams import Ngrams
from nlpseq.text.rules import Rules, plain_rules
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.text.vectors import read_vectors
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies
from nlpseq.threads import side_by_side

__all__ = ["NO_LABEL", "POLARITY", "STARS", "Batch", "Classifier", "Encoded", "SentimentConfig"]

INFERENCE_TOKENS = 2048  # padded tokens of one batch when predicting
FEW_BIT_TOKENS = 4096  # the same of what is read in numbers of fewer bits


class Encoded(msgspec.Struct, frozen=True):
    """One training text as rows of the word table, as written and lower-cased, and its label by scheme.

    `soft` has the probabilities (K,) by scheme, of teachers or of whoever else judged the text.
    """

    rows: list[int]
    lower_rows: list[int]
    labels: dict[str, int]
    soft: dict[str, Tensor] = {}


class Classifier:
    """A text classifier: its settings, its vocabularies, its network and the temperature of each head."""

    task: ClassVar[str] = "sentiment"
    main_score: ClassVar[str] = "mean"
    config_type: ClassVar[Any] = SentimentConfig

    def __init__(
        self,
        config: SentimentConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
        temperatures: Mapping[str, float] | None = None,
        rules: Rules | None = None,
        weighed: Weighed | None = None,
        context: ContextFeatures | None = None,
    ) -> None:
        self.config, self.words, self.labels = config, words, dict(labels)
        self.temperatures = dict.fromkeys(labels, 1.0) | dict(temperatures or {})
        self.shares = dict.fromkeys(labels, USUAL_SHARE) | dict(weighed.shares if weighed else {})
        runs = weighed.runs if weighed and config.classifier.ngrams else 0
        parts = config.embedding, config.encoder, config.classifier
        self.network = ClassifierNetwork(*parts, words, labels, context, runs=runs)
        self.tokenizer = Tokenizer(config.tokenizer.language, rules=rules)
        self.ngrams = Ngrams(config.classifier.ngrams)
        self.carried: dict[str, Tensor] = {}
        self._table: WordTable | None = None

    @classmethod
    def create(cls, config: SentimentConfig, examples: Sequence[LabelledText]) -> Classifier:
        """A classifier for the schemes that the training examples have.

        Raises DataError where they have none, or a scheme has one label alone.
        """
        given = config.embedding
        vectors = read_vectors(given.vectors, limit=given.vectors_limit) if given.vectors else {}
        rules, labels = rules_for(config.tokenizer.language), _vocabularies(examples)
        counts, runs = count_words(config, Tokenizer(config.tokenizer.language, rules=rules), labels, examples)
        words = WordVocabularies.from_words(counts, min_count=given.min_count, numbers=given.numbers, known=vectors)
        classifier = cls(config, words, labels, rules=rules)
        classifier.network.embedding.start_from(vectors, words, fixed=given.vectors_fixed)
        classifier.network.ngrams = ngram_scores(config, labels, runs)
        return classifier

    def go_on(self, examples: Sequence[LabelledText]) -> None:
        """Lets the vocabulary grow by the words of these examples, has runs of words weighed where none were, and fixes
        the vectors that are to stay, where the settings want it. Raises DataError where their file is missing.
        """
        weigh = self.config.classifier.ngrams and self.network.ngrams is None
        if self.config.embedding.grow or weigh:
            counts, runs = count_words(self.config, self.tokenizer, self.labels, examples)
            if self.config.embedding.grow:
                self.words = grown(self.network.embedding, self.words, self.config.embedding, counts)
            if weigh:
                self.network.ngrams = ngram_scores(self.config, self.labels, runs)
        fix_given_vectors(self.network.embedding, self.words, self.config.embedding)

    def with_words(self, words: WordVocabularies) -> Classifier:
        """The same classifier with other vocabularies of words, and fresh weights."""
        classifier = Classifier(self.config, words, self.labels, self.temperatures, self.tokenizer.rules)
        classifier.network.ngrams = self.network.ngrams
        return classifier

    def with_context(self, context: ContextFeatures) -> Classifier:
        """The same classifier, which also reads such features; the vectors of its words stay, other weights are
        fresh.
        """
        rules = self.tokenizer.rules
        classifier = Classifier(self.config, self.words, self.labels, self.temperatures, rules, context=context)
        classifier.network.embedding, classifier.network.ngrams = self.network.embedding, self.network.ngrams
        return classifier

    @property
    def main_scheme(self) -> str:
        """The scheme that an answer's label is of: polarity, else the first of the user's own, else stars."""
        return main_scheme(self.labels)

    # -- training

    @property
    def table(self) -> WordTable:
        """The words of the training examples, as ids."""
        if self._table is None:
            self._table = WordTable(self.words, self.config.embedding.word_length)
        return self._table

    def tokens(self, text: str) -> Sequence[str]:
        """The words of a text that are read; never none."""
        return within_limit(self.tokenizer.words(text)[0], self.config.windows.text_limit) or NOTHING

    def encode(self, example: LabelledText) -> Encoded:
        """Ids of one example; the word table grows by its words. A text without words teaches nothing."""
        tokens = self.tokens(example.text)
        lower = [token.lower() for token in tokens]
        self.table.add((*tokens, *lower))
        rows = self.table.rows
        row, lower_row = [rows[t] for t in tokens], [rows[t] for t in lower]
        if tokens is NOTHING:
            return Encoded(row, lower_row, {})
        labels = {s: self.labels[s].id(label) for s, label in example.labels.items() if s in self.labels}
        soft = {s: _spread(shares, self.labels[s]) for s, shares in example.soft.items() if s in self.labels}
        return Encoded(row, lower_row, labels, soft)

    def taught(
        self, items: Sequence[Encoded], examples: Sequence[LabelledText], teachers: Sequence[Classifier]
    ) -> list[Encoded]:
        """The items with what the teachers, on average, say of their texts, for every scheme, labelled or not. Where
        the data have probabilities already, these stay.
        """
        texts = [self.tokens(example.text) for example in examples]
        answers = [teacher.probabilities(texts) for teacher in teachers]
        means = {s: torch.stack([answer[s] for answer in answers]).mean(0) for s in self.labels}
        return [
            msgspec.structs.replace(item, soft={s: mean_NK[index] for s, mean_NK in means.items()} | item.soft)
            for index, item in enumerate(items)
        ]

    def kept(self, items: Iterable[Encoded], folder: Path) -> list[Encoded]:
        """In memory."""
        del folder
        return list(items)

    def length(self, item: Encoded) -> int:
        """Number of tokens."""
        return len(item.rows)

    def batches(self, items: Sequence[Encoded], budget: int, seed: int) -> list[list[Encoded]]:
        """The items in batches of similar length, in random order."""
        return shuffled(items, [len(item.rows) for item in items], budget, seed)

    def collate(self, items: Sequence[Encoded]) -> Batch:
        """Encoded examples as a batch of windows, some of the texts lower-cased."""
        lower = (torch.rand(len(items)) < self.config.lowercase).tolist()
        rows = [item.lower_rows if low else item.rows for item, low in zip(items, lower, strict=True)]
        labels = {s: torch.tensor([item.labels.get(s, NO_LABEL) for item in items]) for s in self.labels}
        soft = {
            s: torch.stack([item.soft.get(s, torch.zeros(len(v))) for item in items])
            for s, v in self.labels.items()
            if any(s in item.soft for item in items)
        }
        names = self.table.names
        runs = self._runs([[names[row] for row in one] for one in rows])
        return Batch(in_windows(rows, self.config.windows.size, self.config.windows.overlap), labels, soft, runs)

    def losses(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """For each scheme with labels in the batch, the summed loss (nats, weighted) and the number of labels.

        Where there are teachers, their part (Hinton et al. 2015) has an entry of its own, over the texts they judged.
        While training, the settings may have texts read again with vectors that are moved: each part is there once
        more then, or what changes, over all texts, labelled or not.
        """
        texts = batch.texts
        vectors_RWD = self.table.read(self.network, texts.rows_RW, texts.widths_R, self.device)
        return losses_of(self.network, vectors_RWD, batch, self.config.classifier)

    def _runs(self, texts: Sequence[Sequence[str]]) -> Runs | None:
        """The known runs of words of texts, none of them empty; None where none are weighed."""
        return None if self.network.ngrams is None else runs_of(self.ngrams, self.network.ngrams, texts)

    # -- prediction

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device

    def vector_cache(self) -> VectorCache:
        """A fresh memory of words, for predictions; valid until the weights change."""
        network, word_length = self.network, self.config.embedding.word_length
        return VectorCache(network.embedding, network.encoder, self.words, word_length, self.device, network.context)

    def probabilities(self, texts: Sequence[Sequence[str]], cache: VectorCache | None = None) -> dict[str, Tensor]:
        """Calibrated probabilities (N, K) of the labels, by scheme, for N tokenised texts, in their order."""
        return {s: softened(logits_NK, self.temperatures[s]) for s, logits_NK in self.logits(texts, cache).items()}

    @torch.inference_mode()
    def logits(self, texts: Sequence[Sequence[str]], cache: VectorCache | None = None) -> dict[str, Tensor]:
        """Scores (N, K) on the CPU, by scheme, for N tokenised texts; they are read in batches by length."""
        of_states, of_runs = self._both(texts, cache)
        return {
            s: logits_NK + self.shares[s] * of_runs[s] if of_runs else logits_NK for s, logits_NK in of_states.items()
        }

    def _both(
        self, texts: Sequence[Sequence[str]], cache: VectorCache | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Scores (N, K) of the states, and of the runs of words, where these are weighed."""
        texts = [text or NOTHING for text in texts]
        of_states, of_runs = ({s: torch.zeros(len(texts), len(v)) for s, v in self.labels.items()} for _ in range(2))
        for indices, both in self._read(texts, cache or self.vector_cache()):
            for result, logits in zip((of_states, of_runs), both, strict=True):
                for scheme, logits_BK in logits.items():
                    result[scheme][indices] = logits_BK.float().cpu()
        return of_states, of_runs if self.network.ngrams else {}

    def _read(
        self, texts: Sequence[Sequence[str]], cache: VectorCache
    ) -> Iterator[tuple[list[int], tuple[dict[str, Tensor], dict[str, Tensor]]]]:
        self.network.eval()
        windows = self.config.windows
        met = cache.meet(texts)
        rows = met.rows

        def read(indices: list[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            batch = in_windows([rows[index] for index in indices], windows.size, windows.overlap)
            states_RWH = cache.states(met, batch.rows_RW, batch.widths_R.to(self.device), fine=False)
            runs = self._runs([texts[index] for index in indices])
            return self.network.judged(states_RWH, batch), self.network.by_ngrams(*runs) if runs else {}

        groups = cache.groups([len(row) for row in rows], INFERENCE_TOKENS, FEW_BIT_TOKENS)
        yield from zip(groups, side_by_side(read, groups, self.device), strict=True)

    def predict(self, texts: Sequence[Sequence[str]], cache: VectorCache | None = None) -> list[dict[str, str]]:
        """The most probable label of each tokenised text, by scheme."""
        best = {s: logits_NK.argmax(1).tolist() for s, logits_NK in self.logits(texts, cache).items()}
        symbols = {s: v.symbols for s, v in self.labels.items()}
        return [{s: symbols[s][best[s][index]] for s in symbols} for index in range(len(texts))]

    def score(self, examples: Sequence[LabelledText]) -> dict[str, float]:
        """Accuracy in per cent of each scheme, over the examples that have a label of it, and their `mean`.

        Raises DataError where none has a label that is learnt.
        """
        accuracy = {scheme: Accuracy() for scheme in self.labels}
        for example, found in zip(examples, self.predict([self.tokens(e.text) for e in examples]), strict=True):
            for scheme, wanted in example.settled().items():
                if scheme in accuracy:
                    accuracy[scheme].add([wanted], [found[scheme]])
        scores = {scheme: count.percent for scheme, count in accuracy.items() if count.total}
        if not scores:
            what = f"The examples to be scored have no label of what is learnt ({', '.join(self.labels)})."
            raise DataError(what + naming(examples, self.main_scheme))
        return {**scores, "mean": sum(scores.values()) / len(scores)}

    def calibrate(self, examples: Sequence[LabelledText]) -> None:
        """Fits the temperature of each head on examples that were not trained on, and before it how much the runs of
        words count.
        """
        of_states, of_runs = self._both([self.tokens(example.text) for example in examples], None)
        settled = [example.settled() for example in examples]
        for scheme, vocabulary in self.labels.items():
            known = [(i, labels[scheme]) for i, labels in enumerate(settled) if labels.get(scheme) in vocabulary]
            gold_N = torch.tensor([vocabulary.id(label) for _, label in known], dtype=torch.int64)
            logits_NK = of_states[scheme][[i for i, _ in known]]
            if of_runs:
                runs_NK = of_runs[scheme][[i for i, _ in known]]
                self.shares[scheme] = fit_share(logits_NK, runs_NK, gold_N)
                logits_NK = logits_NK + self.shares[scheme] * runs_NK
            self.temperatures[scheme] = fit_temperature(logits_NK, gold_N)

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """Plain values of the vocabularies and temperatures, by file name below the checkpoint's `text/`."""
        labels, scores = {scheme: vocabulary.symbols for scheme, vocabulary in self.labels.items()}, self.network.ngrams
        return {
            "words": self.words.to_plain(),
            "labels": labels,
            "temperatures": self.temperatures,
            **({NGRAMS: msgspec.to_builtins(Weighed(scores.runs, self.shares))} if scores else {}),
            **plain_rules(self.tokenizer.rules),
            **(self.network.context.to_plain() if self.network.context else {}),
        }

    @classmethod
    def from_plain(cls, config: SentimentConfig, plain: Mapping[str, Any]) -> Classifier:
        """The inverse of `to_plain`, with fresh weights. Raises ValueError for a temperature that is not positive."""
        return cls(config, *read_plain(plain), ContextFeatures.from_plain(plain))


def _spread(shares: Mapping[str, float], labels: Vocabulary) -> Tensor:
    """Probabilities (K,) of the labels; one that is not learnt is a KeyError."""
    spread_K = torch.zeros(len(labels))
    for label, share in shares.items():
        spread_K[labels.id(label)] = share
    return spread_K


def _vocabularies(examples: Sequence[LabelledText]) -> dict[str, Vocabulary]:
    """The labels of each scheme, sorted; polarity first, stars last. Raises DataError where there is no choice."""
    seen: dict[str, set[str]] = {}
    for example in examples:
        for scheme, label in example.labels.items():
            seen.setdefault(scheme, set()).add(label)
        for scheme, shares in example.soft.items():
            seen.setdefault(scheme, set()).update(shares)
    if not seen:
        raise DataError("No training example has a label.")
    for scheme, labels in seen.items():
        if len(labels) < 2:
            raise DataError(
                f"All training examples have the same {scheme}, {min(labels)!r}: there is nothing to learn."
            )
    order = sorted(seen, key=lambda scheme: (scheme != POLARITY, scheme == STARS, scheme))
    return {scheme: Vocabulary(sorted(seen[scheme]), reserved=0) for scheme in order}
