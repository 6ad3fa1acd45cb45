"""Flair as a worker: a BiLSTM-CRF for names on one-hot words and characters, without pre-training."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.datasets import ColumnCorpus
from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer
from serving import lines_of, objects_of, serve


class FlairTagger:
    """A tagger of names alone."""

    def train(self, train: str, dev: str, folder: str, epochs: int) -> dict[str, float]:
        """Trains by Flair's usual schedule, into `folder`/final-model.pt."""
        flair.device = torch.device("cpu")
        columns = Path(folder) / "columns"
        columns.mkdir(parents=True, exist_ok=True)
        for part, source in (("train", train), ("dev", dev)):
            _write_columns(columns / f"{part}.txt", objects_of(source))
        files = {"train_file": "train.txt", "dev_file": "dev.txt", "test_file": "dev.txt"}
        corpus = ColumnCorpus(columns, {0: "text", 1: "ner"}, **files)
        words = OneHotEmbeddings.from_corpus(corpus, field="text", min_freq=2, embedding_length=100)
        tagger = SequenceTagger(
            embeddings=StackedEmbeddings([words, CharacterEmbeddings(_letters(train))]),
            tag_dictionary=corpus.make_label_dictionary("ner"), tag_type="ner", hidden_size=256, use_crf=True,
        )  # fmt: skip
        started = time.perf_counter()
        ModelTrainer(tagger, corpus).train(folder, max_epochs=epochs, mini_batch_size=32, embeddings_storage_mode="cpu")
        return {"seconds": time.perf_counter() - started}

    def load(self, folder: str, threads: int) -> None:
        flair.device = torch.device("cpu")
        torch.set_num_threads(threads)
        self.tagger = SequenceTagger.load(Path(folder) / "final-model.pt")
        self.tagger.predict(Sentence("Everything that is made at the first use is made by now."))

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines; the bytes written."""
        sentences = [Sentence(text) for text in lines_of(texts) if text.strip()]
        self.tagger.predict(sentences, mini_batch_size=64)
        return sum(len(_line(sentence).encode()) for sentence in sentences)

    def predict(self, dev: str) -> list[dict[str, list[str]]]:
        """The names of sentences that are tokenised."""
        sentences = [Sentence(row["tokens"]) for row in objects_of(dev)]
        self.tagger.predict(sentences, mini_batch_size=64)
        return [{"ner": _iob(sentence)} for sentence in sentences]


def _letters(train: str) -> Dictionary:
    """The characters of the training sentences: Flair's own list is behind a download."""
    letters = Dictionary(add_unk=True)
    for letter in sorted({letter for row in objects_of(train) for token in row["tokens"] for letter in token}):
        letters.add_item(letter)
    return letters


def _write_columns(path: Path, rows: list[dict[str, Any]]) -> None:
    blocks = ("\n".join(f"{w} {t}" for w, t in zip(row["tokens"], row["ner"], strict=True)) for row in rows)
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _iob(sentence: Sentence) -> list[str]:
    tags = ["O"] * len(sentence)
    for span in sentence.get_spans("ner"):
        for place, token in enumerate(span.tokens):
            tags[token.idx - 1] = f"{'I' if place else 'B'}-{span.tag}"
    return tags


def _line(sentence: Sentence) -> str:
    tokens = [
        {"text": token.text, "start": token.start_position, "end": token.end_position, "ner": tag}
        for token, tag in zip(sentence, _iob(sentence), strict=True)
    ]
    return json.dumps({"text": sentence.text, "tokens": tokens}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    serve(FlairTagger())
