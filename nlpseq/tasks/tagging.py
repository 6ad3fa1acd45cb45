"""Tagging: one label a word for each of several columns (UPOS, XPOS, NER), all read off one recurrent encoder.

Axes: B sentences, T positions, D features of a word, K labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from nlpseq.batching import mask_of, pad, shuffled
from nlpseq.errors import DataError
from nlpseq.records import TaggedSentence
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.mentions import Mentions
from nlpseq.tasks.tagging_answers import Labelled
from nlpseq.tasks.tagging_config import TaggingConfig, read_plain
from nlpseq.tasks.tagging_network import NO_LABEL, TaggingNetwork
from nlpseq.tasks.words import VectorCache, WordTable, fix_given_vectors, grown
from nlpseq.text.metrics import Accuracy, SpanScore
from nlpseq.text.rules import Rules, plain_rules
from nlpseq.text.tokenizer import rules_for
from nlpseq.text.vectors import read_vectors
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies
from nlpseq.threads import side_by_side

__all__ = ["NO_LABEL", "Batch", "Encoded", "Labelled", "Tagger", "TaggingConfig"]

INFERENCE_TOKENS = 1024  # padded tokens of one batch when predicting: larger ones fall out of the cache
FEW_BIT_TOKENS = 16384  # the same of what is read in numbers of fewer bits, which take less room


class Encoded(msgspec.Struct, frozen=True):
    """One training sentence as ids: rows of the word table as written and lower-cased, and its labels by column.

    `soft` has the teachers' probabilities (T, K) by column, float16. `example` is kept where its names may be replaced.
    """

    rows: list[int]
    lower_rows: list[int]
    labels: dict[str, list[int]]
    soft: dict[str, Tensor] = {}
    example: TaggedSentence | None = None


class Batch(NamedTuple):
    """Sentences of one batch: rows of the word table and labels (B, T), NO_LABEL where there is none or padding.

    `soft` has the teachers' probabilities (B, T, K) by column, where there are teachers. `taught_B` is 1 for a sentence
    that they were asked of, else 0, and so is its part of `soft`.
    """

    rows_BT: Tensor
    lengths_B: Tensor
    labels: dict[str, Tensor]
    soft: dict[str, Tensor]
    taught_B: Tensor


class Tagger:
    """A tagger: its settings, its vocabularies and its network."""

    task: ClassVar[str] = "tag"
    main_score: ClassVar[str] = "mean"
    config_type: ClassVar[Any] = TaggingConfig

    def __init__(
        self,
        config: TaggingConfig,
        words: WordVocabularies,
        labels: Mapping[str, Vocabulary],
        rules: Rules | None = None,
        context: ContextFeatures | None = None,
    ) -> None:
        self.config, self.words, self.labels, self.rules = config, words, dict(labels), rules
        self.network = TaggingNetwork(config.embedding, config.encoder, config.heads, words, labels, context)
        self.mentions: Mentions | None = None
        self.carried: dict[str, Tensor] = {}
        self._table: WordTable | None = None

    @classmethod
    def create(cls, config: TaggingConfig, examples: Sequence[TaggedSentence]) -> Tagger:
        """A tagger for the columns that the training examples have.

        Raises DataError where they have none, or the pre-trained vectors cannot be read.
        """
        given = config.embedding
        vectors = read_vectors(given.vectors, limit=given.vectors_limit) if given.vectors else {}
        counts = Counter(token for example in examples for token in example.tokens)
        mentions = Mentions(config.augment, examples) if config.augment.replace_mentions else None
        counts.update({word for word in mentions.words() if word not in counts} if mentions else ())
        words = WordVocabularies.from_words(counts, min_count=given.min_count, numbers=given.numbers, known=vectors)
        seen: dict[str, Counter[str]] = {column: Counter() for column in config.heads.columns}
        for example in examples:
            for column in seen.keys() & example.columns.keys():
                seen[column].update(example.columns[column])
        labels = {column: Vocabulary(_closed(column, count), reserved=0) for column, count in seen.items() if count}
        if not labels:
            raise DataError(f"No training example has any of the columns {', '.join(config.heads.columns)}.")
        tagger = cls(config, words, labels, rules_for(config.tokenizer.language))
        tagger.network.embedding.start_from(vectors, words, fixed=given.vectors_fixed)
        tagger.mentions = mentions
        return tagger

    def go_on(self, examples: Sequence[TaggedSentence]) -> None:
        """Takes the names of these examples, lets the vocabulary grow by their words, and fixes the vectors that are to
        stay, each where the settings want it. Raises DataError.
        """
        if self.config.embedding.grow:
            counts = Counter(token for example in examples for token in example.tokens)
            self.words = grown(self.network.embedding, self.words, self.config.embedding, counts)
        if self.config.augment.replace_mentions:
            self.mentions = Mentions(self.config.augment, examples, inherited=True)
        fix_given_vectors(self.network.embedding, self.words, self.config.embedding)

    def with_words(self, words: WordVocabularies) -> Tagger:
        """The same tagger with other vocabularies of words, and fresh weights."""
        tagger = Tagger(self.config, words, self.labels, self.rules)
        tagger.mentions = self.mentions
        return tagger

    def with_context(self, context: ContextFeatures) -> Tagger:
        """The same tagger, which also reads such features; the vectors of its words stay, other weights are fresh."""
        tagger = Tagger(self.config, self.words, self.labels, self.rules, context)
        tagger.network.embedding, tagger.mentions = self.network.embedding, self.mentions
        return tagger

    # -- training

    @property
    def table(self) -> WordTable:
        """The words of the training examples, as ids."""
        if self._table is None:
            self._table = WordTable(self.words, self.config.embedding.word_length)
            if self.mentions:
                listed = list(self.mentions.words())
                self._table.add((*listed, *(word.lower() for word in listed)))
        return self._table

    def encode(self, example: TaggedSentence) -> Encoded:
        """Ids of one example; the word table grows by its words."""
        lower = [token.lower() for token in example.tokens]
        self.table.add((*example.tokens, *lower))
        rows = self.table.rows
        labels = {c: self.labels[c].ids(v) for c, v in example.columns.items() if c in self.labels}
        named = self.mentions is not None and any(tag != "O" for tag in example.columns.get("ner", ()))
        kept = example if named else None
        return Encoded([rows[t] for t in example.tokens], [rows[t] for t in lower], labels, example=kept)

    def taught(
        self, items: Sequence[Encoded], examples: Sequence[TaggedSentence], teachers: Sequence[Tagger]
    ) -> list[Encoded]:
        """The items with what the teachers, on average, say of their examples, for every column, labelled or not."""
        sentences = [example.tokens for example in examples]
        answers = zip(*(teacher.probabilities(sentences) for teacher in teachers), strict=True)
        result = []
        for item, each in zip(items, answers, strict=True):
            soft = {column: torch.stack([one[column] for one in each]).mean(0).half() for column in self.labels}
            result.append(msgspec.structs.replace(item, soft=soft))
        return result

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
        """Pads encoded examples into a batch, some of them lower-cased, some with other names."""
        items = [self._renamed(item) for item in items]
        lower = (torch.rand(len(items)) < self.config.lowercase).tolist()
        rows_BT = pad([item.lower_rows if low else item.rows for item, low in zip(items, lower, strict=True)])
        lengths_B = torch.tensor([len(item.rows) for item in items])
        labels = {
            column: _padded_labels([item.labels.get(column, []) for item in items], rows_BT.shape[1])
            for column in self.labels
        }
        taught_B = torch.tensor([float(bool(item.soft)) for item in items])
        soft = {
            column: _padded_soft([item.soft.get(column) for item in items], rows_BT.shape[1], len(vocabulary))
            for column, vocabulary in self.labels.items()
            if taught_B.any()
        }
        return Batch(rows_BT, lengths_B, labels, soft, taught_B)

    def _renamed(self, item: Encoded) -> Encoded:
        """The item, or at times the same sentence with other names."""
        if self.mentions is None or item.example is None:
            return item
        if float(torch.rand(())) >= self.config.augment.replace_mentions:
            return item
        return self.encode(self.mentions.replace(item.example, int(torch.randint(2**31, ()))))

    def losses(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """For each column with labels in the batch, the summed loss (nats, weighted) and the number of labels.

        Where there are teachers, their part has an entry of its own, over all tokens.
        """
        lengths_B, taught_B = batch.lengths_B.to(self.device), batch.taught_B.to(self.device)
        vectors_BTD = self.table.read(self.network, batch.rows_BT, batch.lengths_B, self.device)
        emissions = self.network.emissions(vectors_BTD, lengths_B)
        mask_BT = mask_of(lengths_B, batch.rows_BT.shape[1])
        gold_part_B = 1 - self.config.heads.teacher_weight * taught_B
        result: dict[str, tuple[Tensor, int]] = {}
        for column, labels_BT in batch.labels.items():
            has_B = (labels_BT != NO_LABEL).any(1)
            here = has_B.to(self.device) if not has_B.all() else slice(None)
            if has_B.any():
                loss_B = self.network.loss(column, emissions[column][here], labels_BT.to(self.device)[here])
                result[column] = (loss_B * gold_part_B[here]).sum(), int((labels_BT != NO_LABEL).sum())
        for column, soft_BTK in batch.soft.items():
            loss_B = self.network.teacher_loss(column, emissions[column], soft_BTK.to(self.device), mask_BT)
            taught = (1 - gold_part_B) * loss_B
            result[f"{column} of teachers"] = taught.sum(), int((batch.lengths_B * batch.taught_B).sum())
        return result

    # -- prediction

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device

    def vector_cache(self) -> VectorCache:
        """A fresh memory of words, for `predict`; valid until the weights change."""
        network, word_length = self.network, self.config.embedding.word_length
        given = network.embedding, network.encoder, self.words, word_length, self.device, network.context
        return VectorCache(*given, heads=network.encoder_heads())

    @torch.inference_mode()
    def predict(self, sentences: Sequence[Sequence[str]], cache: VectorCache | None = None) -> list[Labelled]:
        """Labels of tokenised sentences, in their order; they are read in batches by length. Empty ones are allowed."""
        nothing = Labelled({c: [] for c in self.labels}, {c: [] for c in self.labels})
        result = [nothing] * len(sentences)
        for indices, lengths, mask_BT, emissions in self._read(sentences, cache or self.vector_cache()):
            found = [Labelled({}, {}) for _ in indices]
            for column, emissions_BTK in emissions.items():
                best_BT, probabilities_BT = self.network.best(column, emissions_BTK, mask_BT)
                symbol = self.labels[column].symbols.__getitem__
                rows = zip(found, lengths, best_BT.tolist(), probabilities_BT.tolist(), strict=True)
                for labelled, length, best, probabilities in rows:
                    labelled.labels[column] = list(map(symbol, best[:length]))
                    labelled.probabilities[column] = probabilities[:length]
            for index, labelled in zip(indices, found, strict=True):
                result[index] = labelled
        return result

    @torch.inference_mode()
    def probabilities(self, sentences: Sequence[Sequence[str]]) -> list[dict[str, Tensor]]:
        """Marginal probabilities (T, K) of all labels, by column, for tokenised sentences that are not empty."""
        result: list[dict[str, Tensor]] = [{} for _ in sentences]
        for indices, lengths, mask_BT, emissions in self._read(sentences, self.vector_cache()):
            for column, emissions_BTK in emissions.items():
                marginals_BTK = self.network.log_marginals(column, emissions_BTK, mask_BT).exp().cpu()
                for index, length, one_TK in zip(indices, lengths, marginals_BTK, strict=True):
                    result[index][column] = one_TK[:length].clone()
        return result

    def _read(
        self, sentences: Sequence[Sequence[str]], cache: VectorCache
    ) -> Iterator[tuple[list[int], list[int], Tensor, dict[str, Tensor]]]:
        """Indices, lengths, mask (B, T) and emissions of batches that together hold every sentence that has words."""
        self.network.eval()
        met = cache.meet(sentences)
        rows = met.rows
        filled = [index for index, row in enumerate(rows) if row]
        groups = [
            [filled[place] for place in group]
            for group in cache.groups([len(rows[index]) for index in filled], INFERENCE_TOKENS, FEW_BIT_TOKENS)
        ]

        def read(indices: list[int]) -> tuple[list[int], list[int], Tensor, dict[str, Tensor]]:
            lengths = [len(rows[index]) for index in indices]
            lengths_B = torch.tensor(lengths, device=self.device)
            rows_BT = pad([rows[index] for index in indices])
            mask_BT = mask_of(lengths_B, rows_BT.shape[1])
            if self.network.ner_encoder is None:
                return indices, lengths, mask_BT, cache.scores(met, rows_BT, lengths_B)
            states_BTH = cache.states(met, rows_BT, lengths_B)
            return indices, lengths, mask_BT, self.network.labelled(states_BTH, lengths_B)

        yield from side_by_side(read, groups, self.device)

    def score(self, examples: Iterable[TaggedSentence]) -> dict[str, float]:
        """Per cent: accuracy of UPOS and XPOS, span F1 of NER, for columns that the examples have, and their `mean`.

        Raises DataError where they have none of the columns that are predicted.
        """
        gold = list(examples)
        present = [column for column in self.labels if any(column in example.columns for example in gold)]
        if not present:
            known = ", ".join(self.labels)
            raise DataError(f"The examples to be scored have none of the columns that are learnt ({known}).")
        accuracy = {column: Accuracy() for column in present if column != "ner"}
        spans = SpanScore()
        for example, labelled in zip(gold, self.predict([e.tokens for e in gold]), strict=True):
            for column, wanted in example.columns.items():
                if column == "ner" and column in present:
                    spans.add(wanted, labelled.labels[column])
                elif column in accuracy:
                    accuracy[column].add(wanted, labelled.labels[column])
        scores = {column: count.percent for column, count in accuracy.items()}
        if "ner" in present:
            scores["ner"] = spans.total.f1
        scores["mean"] = sum(scores.values()) / len(scores)
        return scores

    def calibrate(self, examples: Sequence[TaggedSentence]) -> None:
        """Nothing is fitted after the weights: a tagger's probabilities are used as they are."""

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """Plain values of the vocabularies and the tokenizer, by file name below the checkpoint's `text/`."""
        labels = {column: vocabulary.symbols for column, vocabulary in self.labels.items()}
        context = self.network.context.to_plain() if self.network.context else {}
        return {"words": self.words.to_plain(), "labels": labels, **plain_rules(self.rules), **context}

    @classmethod
    def from_plain(cls, config: TaggingConfig, plain: Mapping[str, Any]) -> Tagger:
        """The inverse of `to_plain`, with fresh weights. Raises ValueError and the like for what is none."""
        return cls(config, *read_plain(plain), ContextFeatures.from_plain(plain))


def _closed(column: str, counts: Counter[str]) -> list[str]:
    """The labels of a column, sorted; for NER with O, and B- and I- of every class, so that any span can be spelt."""
    if column != "ner":
        return sorted(counts)
    classes = sorted({label[2:] for label in counts if label != "O"})
    return ["O", *(f"{prefix}-{label}" for label in classes for prefix in "BI")]


def _padded_soft(soft: Sequence[Tensor | None], width: int, labels: int) -> Tensor:
    soft_BTK = torch.zeros(len(soft), width, labels)
    for row, soft_TK in enumerate(soft):
        if soft_TK is not None:
            soft_BTK[row, : len(soft_TK)] = soft_TK
    return soft_BTK


def _padded_labels(labels: Sequence[list[int]], width: int) -> Tensor:
    labels_BT = pad(labels, value=NO_LABEL)
    return nn.functional.pad(labels_BT, (0, width - labels_BT.shape[1]), value=NO_LABEL)
