"""Tagging: one label a word for each of several columns (UPOS, XPOS, NER), all read off one recurrent encoder.

Axes: B sentences, T positions, U distinct words, K labels, H state features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn

from nlpseq.batching import length_groups, mask_of, pad
from nlpseq.config import EmbeddingConfig, EncoderConfig, Section, TokenizerConfig, TrainingConfig
from nlpseq.errors import DataError
from nlpseq.nn.crf import LinearChainCRF
from nlpseq.nn.dropout import VariationalDropout
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.records import TaggedSentence
from nlpseq.tasks.words import VectorCache, WordTable
from nlpseq.text.metrics import Accuracy, SpanScore
from nlpseq.text.tags import can_follow
from nlpseq.text.vectors import read_vectors
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

COLUMNS = ("upos", "xpos", "ner")
INFERENCE_TOKENS = 1024  # padded tokens of one batch when predicting: larger ones fall out of the cache
NO_LABEL = -1

Decoder = Literal["softmax", "crf"]


class HeadsConfig(Section, frozen=True):
    """What is predicted from the encoder's states."""

    columns: Annotated[
        tuple[str, ...], Meta(description="columns of the corpus that are learnt, where the corpus has them")
    ] = COLUMNS
    upos: Annotated[Decoder, Meta(description="how UPOS is decoded")] = "softmax"
    xpos: Annotated[Decoder, Meta(description="how XPOS is decoded")] = "softmax"
    ner: Annotated[Decoder, Meta(description="how NER is decoded; without the CRF, tag sequences may be broken")] = (
        "crf"
    )
    ner_width: Annotated[
        int, Meta(ge=0, description="hidden units, each way, of a further recurrent layer for NER alone; 0: none")
    ] = 0
    label_smoothing: Annotated[
        float, Meta(ge=0, lt=1, description="probability spread over all labels (softmax only)")
    ] = 0.0
    ner_weight: Annotated[float, Meta(gt=0, description="weight of the NER loss beside 1 for each other column")] = 1.0


class TaggingConfig(Section, frozen=True):
    """All settings of a tagger."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    encoder: EncoderConfig = EncoderConfig()
    heads: HeadsConfig = HeadsConfig()
    training: TrainingConfig = TrainingConfig()
    lowercase: Annotated[
        float, Meta(ge=0, le=1, description="part of the training sentences that is read lower-cased, each time anew")
    ] = 0.05


@dataclass(frozen=True)
class Batch:
    """Sentences of one batch: rows of the word table and labels (B, T), NO_LABEL where there is none or padding."""

    rows_BT: Tensor
    lengths_B: Tensor
    labels: dict[str, Tensor]


@dataclass(frozen=True)
class Encoded:
    """One training sentence as ids: rows of the word table as written and lower-cased, and its labels by column."""

    rows: list[int]
    lower_rows: list[int]
    labels: dict[str, list[int]]


@dataclass(frozen=True)
class Labelled:
    """Predicted labels of one sentence, by column, with the marginal probability of each."""

    labels: dict[str, list[str]]
    probabilities: dict[str, list[float]]


class TaggingNetwork(nn.Module):
    """Embedding, encoder, and for each column a linear layer with a softmax or a CRF."""

    def __init__(self, config: TaggingConfig, words: WordVocabularies, labels: Mapping[str, Vocabulary]) -> None:
        super().__init__()
        self.embedding = WordEmbedding(config.embedding, words)
        self.dropout = VariationalDropout(config.embedding.dropout)
        self.encoder = RecurrentEncoder(config.encoder, self.embedding.width)
        self.ner_encoder = _ner_encoder(config, self.encoder.output_width) if "ner" in labels else None
        widths = dict.fromkeys(labels, self.encoder.output_width)
        if self.ner_encoder is not None:
            widths["ner"] = self.ner_encoder.output_width
        self.heads = nn.ModuleDict({column: nn.Linear(widths[column], len(v)) for column, v in labels.items()})
        chains = {c: v for c, v in labels.items() if getattr(config.heads, c, "softmax") == "crf"}
        self.chains = nn.ModuleDict({c: LinearChainCRF(*_allowed(c, v)) for c, v in chains.items()})

    def emissions(self, vectors_BTD: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """Scores (B, T, K) of the labels of each column, from word vectors."""
        states_BTH = self.encoder(self.dropout(vectors_BTD), lengths_B)
        states = dict.fromkeys(self.heads, states_BTH)
        if self.ner_encoder is not None:
            states["ner"] = self.ner_encoder(states_BTH, lengths_B)
        return {column: head(states[column]) for column, head in self.heads.items()}

    def chain(self, column: str) -> LinearChainCRF:
        """The CRF of a column that has one."""
        chain = self.chains[column]
        assert isinstance(chain, LinearChainCRF)
        return chain


def _ner_encoder(config: TaggingConfig, input_width: int) -> RecurrentEncoder | None:
    if not config.heads.ner_width:
        return None
    one_layer = msgspec.structs.replace(config.encoder, layers=1, width=config.heads.ner_width)
    return RecurrentEncoder(one_layer, input_width)


def _allowed(column: str, labels: Vocabulary) -> tuple[Tensor, Tensor]:
    """Which label may follow which, and which may come first: all, but in NER only what IOB2 allows."""
    follow = can_follow if column == "ner" else lambda *_: True
    pairs = [[follow(previous, tag) for tag in labels.symbols] for previous in labels.symbols]
    return torch.tensor(pairs), torch.tensor([follow(None, tag) for tag in labels.symbols])


class Tagger:
    """A tagger: its settings, its vocabularies and its network."""

    task: ClassVar[str] = "tag"
    main_score: ClassVar[str] = "mean"
    config_type: ClassVar[Any] = TaggingConfig

    def __init__(self, config: TaggingConfig, words: WordVocabularies, labels: Mapping[str, Vocabulary]) -> None:
        self.config, self.words, self.labels = config, words, dict(labels)
        self.network = TaggingNetwork(config, words, labels)
        self._table: WordTable | None = None

    @classmethod
    def create(cls, config: TaggingConfig, examples: Sequence[TaggedSentence]) -> Tagger:
        """A tagger for the columns that the training examples have. Raises DataError where they have none."""
        vectors = (
            read_vectors(config.embedding.vectors, limit=config.embedding.vectors_limit)
            if config.embedding.vectors
            else {}
        )
        counts = Counter(token for example in examples for token in example.tokens)
        words = WordVocabularies.from_words(counts, min_count=config.embedding.min_count, known=vectors)
        seen: dict[str, Counter[str]] = {column: Counter() for column in config.heads.columns}
        for example in examples:
            for column, given in example.columns.items():
                if column in seen:
                    seen[column].update(given)
        labels = {column: Vocabulary(_closed(column, count), reserved=0) for column, count in seen.items() if count}
        if not labels:
            raise DataError(f"no example has any of the columns {', '.join(config.heads.columns)}.")
        tagger = cls(config, words, labels)
        tagger.network.embedding.start_from(vectors, words)
        return tagger

    # -- training

    @property
    def table(self) -> WordTable:
        """The words of the training examples, as ids."""
        if self._table is None:
            self._table = WordTable(self.words, self.config.embedding.word_length)
        return self._table

    def encode(self, example: TaggedSentence) -> Encoded:
        """Ids of one example; the word table grows by its words."""
        lower = [token.lower() for token in example.tokens]
        self.table.add((*example.tokens, *lower))
        rows = self.table.rows
        labels = {c: self.labels[c].ids(v) for c, v in example.columns.items() if c in self.labels}
        return Encoded([rows[t] for t in example.tokens], [rows[t] for t in lower], labels)

    def length(self, item: Encoded) -> int:
        """Number of tokens."""
        return len(item.rows)

    def collate(self, items: Sequence[Encoded]) -> Batch:
        """Pads encoded examples into a batch, some of them lower-cased."""
        lower = (torch.rand(len(items)) < self.config.lowercase).tolist()
        rows = [item.lower_rows if low else item.rows for item, low in zip(items, lower, strict=True)]
        empty: list[int] = []
        labels = {
            column: _pad_to(
                pad([item.labels.get(column, empty) for item in items], value=NO_LABEL), max(map(len, rows))
            )
            for column in self.labels
        }
        return Batch(pad(rows), torch.tensor([len(row) for row in rows]), labels)

    def losses(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """For each column with labels in the batch, the summed loss (nats, weighted) and the number of labels."""
        emissions = self.network.emissions(self._embed(batch.rows_BT), batch.lengths_B.to(self.device))
        result: dict[str, tuple[Tensor, int]] = {}
        for column, labels_BT in batch.labels.items():
            has_B = labels_BT[:, 0] != NO_LABEL
            if has_B.any():
                loss = self._loss(column, emissions[column][has_B.to(self.device)], labels_BT[has_B].to(self.device))
                result[column] = loss, int((labels_BT != NO_LABEL).sum())
        return result

    def _loss(self, column: str, emissions_BTK: Tensor, labels_BT: Tensor) -> Tensor:
        weight = self.config.heads.ner_weight if column == "ner" else 1.0
        if column in self.network.chains:
            chain = self.network.chain(column)
            return weight * chain.loss(emissions_BTK, labels_BT.clamp(min=0), labels_BT != NO_LABEL)
        return weight * nn.functional.cross_entropy(
            emissions_BTK.flatten(0, 1),
            labels_BT.flatten(),
            ignore_index=NO_LABEL,
            reduction="sum",
            label_smoothing=self.config.heads.label_smoothing,
        )

    def _embed(self, rows_BT: Tensor) -> Tensor:
        rows_U, word_BT = torch.unique(rows_BT, return_inverse=True)
        ids = (self.table.forms_R[rows_BT], word_BT, self.table.characters_of(rows_U), self.table.affixes_RA[rows_U])
        vectors_BTD: Tensor = self.network.embedding(*(part.to(self.device) for part in ids))
        return vectors_BTD

    # -- prediction

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device

    def vector_cache(self) -> VectorCache:
        """A fresh memory of word vectors, for `predict`; valid until the weights change."""
        return VectorCache(self.network.embedding, self.words, self.config.embedding.word_length)

    @torch.inference_mode()
    def predict(self, sentences: Sequence[Sequence[str]], cache: VectorCache | None = None) -> list[Labelled]:
        """Labels of tokenised sentences, in their order; they are read in batches by length. Empty ones are allowed."""
        self.network.eval()
        cache = cache or self.vector_cache()
        rows = cache.rows(sentences)
        result = [Labelled({c: [] for c in self.labels}, {c: [] for c in self.labels}) for _ in sentences]
        for group in length_groups([len(row) for row in rows], INFERENCE_TOKENS):
            filled = [index for index in group if rows[index]]
            if filled:
                rows_BT = pad([rows[index] for index in filled]).to(self.device)
                labelled = self._label(cache.vectors_RD[rows_BT], [len(rows[index]) for index in filled])
                for index, one in zip(filled, labelled, strict=True):
                    result[index] = one
        return result

    def _label(self, vectors_BTD: Tensor, lengths: list[int]) -> list[Labelled]:
        lengths_B = torch.tensor(lengths, device=self.device)
        mask_BT = mask_of(lengths_B, vectors_BTD.shape[1])
        found = [Labelled({}, {}) for _ in lengths]
        for column, emissions_BTK in self.network.emissions(vectors_BTD, lengths_B).items():
            best_BT, probabilities_BT = self._best(column, emissions_BTK, mask_BT)
            symbols = self.labels[column].symbols
            rows = zip(found, lengths, best_BT.tolist(), probabilities_BT.tolist(), strict=True)
            for labelled, length, best, probabilities in rows:
                labelled.labels[column] = [symbols[k] for k in best[:length]]
                labelled.probabilities[column] = probabilities[:length]
        return found

    def _best(self, column: str, emissions_BTK: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted labels (B, T) and the marginal probability of each."""
        if column in self.network.chains:
            chain = self.network.chain(column)
            best_BT = chain.decode(emissions_BTK, mask_BT)
            probabilities_BTK = chain.marginals(emissions_BTK, mask_BT)
        else:
            probabilities_BTK = emissions_BTK.softmax(2)
            best_BT = probabilities_BTK.argmax(2)
        return best_BT, probabilities_BTK.gather(2, best_BT.unsqueeze(2)).squeeze(2)

    def score(self, examples: Iterable[TaggedSentence]) -> dict[str, float]:
        """Per cent: accuracy of each column (`upos`, `xpos`), span F1 of `ner`, and their `mean`."""
        gold = list(examples)
        accuracy = {column: Accuracy() for column in self.labels if column != "ner"}
        spans = SpanScore()
        for example, labelled in zip(gold, self.predict([e.tokens for e in gold]), strict=True):
            for column, wanted in example.columns.items():
                if column == "ner" and column in self.labels:
                    spans.add(wanted, labelled.labels[column])
                elif column in accuracy:
                    accuracy[column].add(wanted, labelled.labels[column])
        scores = {column: count.percent for column, count in accuracy.items()}
        if "ner" in self.labels:
            scores["ner"] = spans.total.f1
        scores["mean"] = sum(scores.values()) / len(scores)
        return scores

    # -- checkpoint

    def to_plain(self) -> dict[str, Any]:
        """Plain values of the vocabularies, by file name below the checkpoint's `text/`."""
        return {"words": self.words.to_plain(), "labels": {c: v.symbols for c, v in self.labels.items()}}

    @classmethod
    def from_plain(cls, config: TaggingConfig, plain: Mapping[str, Any]) -> Tagger:
        """The inverse of `to_plain`, with fresh weights."""
        labels = {column: Vocabulary(symbols, reserved=0) for column, symbols in plain["labels"].items()}
        return cls(config, WordVocabularies.from_plain(plain["words"]), labels)


def _closed(column: str, counts: Counter[str]) -> list[str]:
    """The labels of a column, sorted; for NER with O, and B- and I- of every class, so that any span can be spelt."""
    if column != "ner":
        return sorted(counts)
    classes = sorted({label[2:] for label in counts if label != "O"})
    return ["O", *(f"{prefix}-{label}" for label in classes for prefix in "BI")]


def _pad_to(labels_BT: Tensor, width: int) -> Tensor:
    return nn.functional.pad(labels_BT, (0, width - labels_BT.shape[1]), value=NO_LABEL)
