"""fastText as a worker: an averaged bag of words and pairs of words."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path

import fasttext
from serving import lines_of, objects_of, serve

TOKEN = re.compile(r"\w+|[^\w\s]")
PREFIX = "__label__"


class FastText:
    """A supervised model with pairs of words, as in the library's tutorial."""

    def train(self, train: str, folder: str, epochs: int) -> dict[str, float]:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lines = [f"{PREFIX}{row['label']} {_words(row['text'])}\n" for row in objects_of(train)]
        random.Random(1).shuffle(lines)  # it learns in the order of the file: often one label after the other
        data = Path(folder) / "train.txt"
        data.write_text("".join(lines), encoding="utf-8")
        started = time.perf_counter()
        model = fasttext.train_supervised(str(data), wordNgrams=2, dim=50, lr=0.3, epoch=epochs, thread=2, verbose=0)
        model.save_model(str(Path(folder) / "model.bin"))
        data.unlink()
        return {"seconds": time.perf_counter() - started}

    def load(self, folder: str, threads: int) -> None:
        del threads  # it answers on one
        self.model = fasttext.load_model(str(Path(folder) / "model.bin"))
        self.labels = len(self.model.get_labels())

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines with all probabilities; the bytes written."""
        return sum(len(self.line(text).encode()) for text in lines_of(texts))

    def line(self, text: str) -> str:
        labels, scores = self.model.predict(_words(text), k=self.labels)
        names = [label.removeprefix(PREFIX) for label in labels]
        answer = {"text": text, "label": names[0], "scores": dict(zip(names, scores.tolist(), strict=True))}
        return json.dumps(answer, ensure_ascii=False) + "\n"

    def predict(self, dev: str) -> list[str]:
        found = (self.model.predict(_words(row["text"]))[0][0] for row in objects_of(dev))
        return [label.removeprefix(PREFIX) for label in found]


def _words(text: str) -> str:
    return " ".join(TOKEN.findall(text.lower()))


if __name__ == "__main__":
    serve(FastText())
