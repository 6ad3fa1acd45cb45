"""spaCy as a worker: tagger, morphologizer and ner on the convolutional tok2vec of its efficiency configuration."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import spacy
from serving import lines_of, objects_of, serve
from spacy.cli.init_config import init_config
from spacy.cli.train import train as train_by_config
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import registry, resolve_dot_names
from timing import speeds

COMPONENTS = ["tagger", "morphologizer", "ner"]


class SpacyTagger:
    """A pipeline as `spacy init config --optimize efficiency` sets it up."""

    def train(self, train: str, dev: str, folder: str, max_steps: int) -> dict[str, float]:
        """Trains as `spacy train` does, into `folder`/model-best. Steps are capped where `max_steps` is not 0."""
        config = self._config(train, dev, folder, max_steps)
        path, started = Path(folder) / "config.cfg", time.perf_counter()
        config.to_disk(path)
        train_by_config(path, Path(folder))
        return {"seconds": time.perf_counter() - started}

    def _config(self, train: str, dev: str, folder: str, max_steps: int) -> Any:
        Path(folder).mkdir(parents=True, exist_ok=True)
        config = init_config(lang="en", pipeline=COMPONENTS, optimize="efficiency", gpu=False)
        for part, source in (("train", train), ("dev", dev)):
            target = Path(folder) / f"{part}.spacy"
            DocBin(docs=[_gold(row) for row in objects_of(source)]).to_disk(target)
            config["paths"][part] = str(target)
        if max_steps:
            config["training"]["max_steps"] = max_steps
            config["training"]["eval_frequency"] = min(200, max_steps)
        return config

    def load(self, folder: str, threads: int) -> None:
        del threads  # those of BLAS are set by the environment
        self.nlp = spacy.load(Path(folder) / "model-best")
        self.nlp("Everything that is made at the first use is made by now.")

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines; the bytes written."""
        return sum(len(_line(doc).encode()) for doc in self.nlp.pipe(lines_of(texts)))

    def predict(self, dev: str) -> list[dict[str, list[str]]]:
        """The columns of sentences that are tokenised."""
        docs = (Doc(self.nlp.vocab, words=row["tokens"]) for row in objects_of(dev))
        return [
            {"upos": [t.pos_ for t in doc], "xpos": [t.tag_ for t in doc], "ner": [_iob(t) for t in doc]}
            for doc in self.nlp.pipe(docs)
        ]


class SpacyTraining:
    """Steps of the loop behind `spacy train`, without its evaluations."""

    def load(self, train: str, dev: str, folder: str, threads: int) -> None:
        del threads
        config = SpacyTagger()._config(train, dev, folder, 0)
        nlp = init_nlp(config)
        filled = nlp.config.interpolate()
        settings = registry.resolve(filled["training"], schema=ConfigSchemaTraining)
        (corpus,) = resolve_dot_names(filled, [settings["train_corpus"]])
        self.steps = train_while_improving(
            nlp, settings["optimizer"], create_train_batches(nlp, corpus, settings["batcher"], 0),
            evaluate=lambda: (0.0, {}), dropout=settings["dropout"], eval_frequency=10**9,
            accumulate_gradient=settings["accumulate_gradient"], patience=0, max_steps=0, exclude=[],
            annotating_components=[], before_update=None,
        )  # fmt: skip

    def work(self, seconds: float) -> list[float]:
        """Words a second of each second, for so many."""
        return list(speeds((sum(map(len, batch)) for batch, _, _ in self.steps), seconds))


class Either:
    """`load` with `training` for the speed of training, else for a trained pipeline."""

    def __init__(self) -> None:
        self.worker: Any = SpacyTagger()

    def load(self, training: bool = False, **settings: Any) -> None:
        self.worker = SpacyTraining() if training else SpacyTagger()
        self.worker.load(**settings)

    def train(self, **settings: Any) -> Any:
        return self.worker.train(**settings)

    def predict(self, **job: Any) -> Any:
        return self.worker.predict(**job)

    def work(self, **job: Any) -> Any:
        return self.worker.work(**job)


def _gold(row: dict[str, Any]) -> Doc:
    return Doc(_VOCAB, words=row["tokens"], spaces=row["spaces"], tags=row["xpos"], pos=row["upos"], ents=row["ner"])


_VOCAB = spacy.blank("en").vocab


def _iob(token: Any) -> str:
    return f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"


def _line(doc: Doc) -> str:
    tokens = [
        {"text": t.text, "start": t.idx, "end": t.idx + len(t.text), "upos": t.pos_, "xpos": t.tag_, "ner": _iob(t)}
        for t in doc
    ]
    entities = [{"text": e.text, "label": e.label_, "start": e.start_char, "end": e.end_char} for e in doc.ents]
    return json.dumps({"text": doc.text, "tokens": tokens, "entities": entities}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    serve(Either())
