"""Polarities for texts that have none, by judges of two kinds that have to be sure together.

    pip install scikit-learn
    python checkpoints/recipes/label_texts.py --train imdb@polarity --texts imdb:unlabelled --judge FOLDER -o out.jsonl

One judge, or several, are checkpoints of nlpseq, another is a linear model of the runs of one to three words of a text,
weighed by how much likelier the positive texts make them (NB-SVM: Wang & Manning 2012, section 2.3, with a logistic
loss), which is trained here. Their probabilities are averaged. Texts of which they are not sure, by `--sure`, are left
out, and those that the development part of the labelled corpus has too. With `--soft` none is left out for that, and in
place of a label stands the probability of each. The development part says how good each judge is.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.sparse import diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

import nlpseq
from nlpseq.corpora.plain import read_plain
from nlpseq.corpora.sources import Reading, read_sources
from nlpseq.text.tokenizer import Tokenizer, rules_for

POSITIVE = "positive"

Array = np.ndarray[Any, Any]


class Linear:
    """The linear judge."""

    def __init__(self, texts: Sequence[str], positive_N: Array) -> None:
        tokenizer = Tokenizer("en", rules=rules_for("en"))

        def words(text: str) -> list[str]:
            return [word.lower() for word in tokenizer.words(text)[0]]

        self.runs = CountVectorizer(
            tokenizer=words, token_pattern=None, lowercase=False, ngram_range=(1, 3), binary=True, min_df=2
        )
        seen_NR = self.runs.fit_transform(texts).astype(np.float32)
        counts = [np.asarray(seen_NR[side_N].sum(0)).ravel() + 1 for side_N in (positive_N, ~positive_N)]
        self.ratios_RR = diags(np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum()))
        self.model = LogisticRegression(C=0.1, solver="liblinear", dual=True, max_iter=300)
        self.model.fit(seen_NR @ self.ratios_RR, positive_N)

    def positive(self, texts: Sequence[str]) -> Array:
        """The probability (N,) that each text is positive."""
        result: Array = self.model.predict_proba(self.runs.transform(texts).astype(np.float32) @ self.ratios_RR)[:, 1]
        return result


def of_checkpoint(folder: str, texts: Sequence[str]) -> Array:
    """The probability (N,) that each text is positive, by a checkpoint; what is neutral to it is shared out."""
    scores = [prediction.scores for prediction in nlpseq.load(folder, processes=2).pipe(texts)]
    return np.array([score[POSITIVE] / (score[POSITIVE] + score["negative"]) for score in scores])


def bare(text: str) -> str:
    """The text with single spaces, to know it again."""
    return " ".join(text.split())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="CORPUS")
    parser.add_argument("--texts", required=True, metavar="CORPUS:SPLIT")
    parser.add_argument("--judge", required=True, nargs="+", metavar="FOLDER")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--sure", type=float, default=0.8)
    how.add_argument("--soft", action="store_true")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    train, dev = (read_sources("sentiment", [given.train], split, Reading()) for split in ("train", "dev"))
    truth_N, right_N = (np.array([e.labels["polarity"] == POSITIVE for e in part]) for part in (train, dev))
    linear = Linear([example.text for example in train], truth_N)
    held_out = [example.text for example in dev]
    judges = [linear.positive(held_out), *(of_checkpoint(folder, held_out) for folder in given.judge)]
    for name, found_N in zip(("linear", *given.judge, "all"), (*judges, sum(judges) / len(judges)), strict=True):
        print(f"{name}: {100 * np.mean((found_N > 0.5) == right_N):.2f} of {len(dev):,} held out", flush=True)
    known = {bare(text) for text in held_out}  # some reviews are in the corpus twice, once without a label
    texts = [text for text in read_plain([given.texts], "train") if bare(text) not in known]
    judged_N = sum((of_checkpoint(folder, texts) for folder in given.judge), linear.positive(texts))
    judged_N /= 1 + len(given.judge)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    kept = [(text, p) for text, p in zip(texts, judged_N, strict=True) if given.soft or max(p, 1 - p) >= given.sure]
    with given.output.open("wb") as out:
        for text, p in kept:
            shares = {POSITIVE: round(float(p), 4), "negative": round(1 - float(p), 4)}
            label = shares if given.soft else max(shares, key=shares.__getitem__)
            out.write(msgspec.json.encode({"text": text, "polarity": label}) + b"\n")
    print(f"{given.output}: {len(kept):,} of {len(texts):,} texts")


if __name__ == "__main__":
    main()
