"""spaCy as a worker: the text classifier of its efficiency configuration, a bag of words."""

from __future__ import annotations

import json
import time
from pathlib import Path

import spacy
from serving import lines_of, objects_of, serve
from spacy.cli.init_config import init_config
from spacy.cli.train import train as train_by_config
from spacy.tokens import Doc, DocBin


class SpacyTextcat:
    """A pipeline of one component, as `spacy init config --pipeline textcat --optimize efficiency` sets it up."""

    def train(self, train: str, dev: str, folder: str, max_steps: int) -> dict[str, float]:
        """Trains as `spacy train` does, into `folder`/model-best. Steps are capped where `max_steps` is not 0."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        config = init_config(lang="en", pipeline=["textcat"], optimize="efficiency", gpu=False)
        rows = {"train": objects_of(train), "dev": objects_of(dev)}
        labels = sorted({row["label"] for row in rows["train"]})
        nlp = spacy.blank("en")
        for part, examples in rows.items():
            target = Path(folder) / f"{part}.spacy"
            DocBin(docs=_docs(nlp, examples, labels), store_user_data=True).to_disk(target)
            config["paths"][part] = str(target)
        if max_steps:
            config["training"]["max_steps"] = max_steps
            config["training"]["eval_frequency"] = min(200, max_steps)
        path, started = Path(folder) / "config.cfg", time.perf_counter()
        config.to_disk(path)
        train_by_config(path, Path(folder))
        return {"seconds": time.perf_counter() - started}

    def load(self, folder: str, threads: int) -> None:
        del threads  # those of BLAS are set by the environment
        self.nlp = spacy.load(Path(folder) / "model-best")
        self.nlp("Everything that is made at the first use is made by now.")

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines with all probabilities; the bytes written."""
        return sum(len(_line(doc).encode()) for doc in self.nlp.pipe(lines_of(texts)))

    def predict(self, dev: str) -> list[str]:
        return [_best(doc) for doc in self.nlp.pipe(row["text"] for row in objects_of(dev))]


def _docs(nlp: spacy.Language, rows: list[dict[str, str]], labels: list[str]) -> list[Doc]:
    docs = list(nlp.pipe(row["text"] for row in rows))
    for doc, row in zip(docs, rows, strict=True):
        doc.cats = {label: float(label == row["label"]) for label in labels}
    return docs


def _best(doc: Doc) -> str:
    return max(doc.cats, key=doc.cats.__getitem__)


def _line(doc: Doc) -> str:
    return json.dumps({"text": doc.text, "label": _best(doc), "scores": doc.cats}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    serve(SpacyTextcat())
