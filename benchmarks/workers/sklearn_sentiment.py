"""scikit-learn as a worker: TF-IDF of words and pairs of words, and a logistic regression."""

from __future__ import annotations

import json
import time
from pathlib import Path

import joblib
from serving import lines_of, objects_of, serve
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


class LinearClassifier:
    """A pipeline of a vectorizer and a classifier; many texts are judged in one product."""

    def train(self, train: str, folder: str) -> dict[str, float]:
        rows, started = objects_of(train), time.perf_counter()
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+|[^\w\s]")
        model = make_pipeline(words, LogisticRegression(C=10, max_iter=300))
        model.fit([row["text"] for row in rows], [row["label"] for row in rows])
        Path(folder).mkdir(parents=True, exist_ok=True)
        joblib.dump(model, Path(folder) / "model.joblib")
        return {"seconds": time.perf_counter() - started}

    def load(self, folder: str, threads: int) -> None:
        del threads  # those of BLAS are set by the environment
        self.model = joblib.load(Path(folder) / "model.joblib")

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines with all probabilities; the bytes written."""
        lines, labels = lines_of(texts), [str(label) for label in self.model.classes_]
        found = self.model.predict_proba(lines).tolist()
        return sum(len(_line(text, labels, scores).encode()) for text, scores in zip(lines, found, strict=True))

    def predict(self, dev: str) -> list[str]:
        return [str(label) for label in self.model.predict([row["text"] for row in objects_of(dev)])]


def _line(text: str, labels: list[str], scores: list[float]) -> str:
    best = max(range(len(labels)), key=scores.__getitem__)
    answer = {"text": text, "label": labels[best], "scores": dict(zip(labels, scores, strict=True))}
    return json.dumps(answer, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    serve(LinearClassifier())
