"""Texts a second of `nlpseq sentiment`: raw text to JSON Lines, the whole way but for start-up.

    python benchmarks/sentiment_throughput.py --checkpoint my-sentiment --corpus sst --threads 2
    python benchmarks/sentiment_throughput.py --checkpoint my-sentiment --text my-lines.txt

The texts are those of the corpus given (its development part), or the lines of a file. Prints the median and the spread
of several runs after one that warms up, and the most memory that the process ever held.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import time
from pathlib import Path

import torch

import nlpseq
from nlpseq.api import SentimentPipeline
from nlpseq.corpora.sources import read_text_source
from nlpseq.device import flush_denormals
from nlpseq.render import jsonl
from nlpseq.render.answer import Answer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="sentiment-en")
    parser.add_argument("--corpus", default="sst")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


def texts_of(given: argparse.Namespace) -> list[str]:
    if given.text:
        return given.text.read_text(encoding="utf-8").splitlines()
    return [example.text for example in read_text_source(given.corpus, "dev")]


def whole_way(pipeline: SentimentPipeline, texts: list[str]) -> float:
    """Texts a second, from the first text to the last byte."""
    started = time.perf_counter()
    answers = (Answer(prediction) for prediction in pipeline.pipe(texts))
    size = sum(len(line.encode()) for line in jsonl.sentiment(answers))
    assert size > 0
    return len(texts) / (time.perf_counter() - started)


def main() -> None:
    given = arguments()
    flush_denormals()
    pipeline = nlpseq.load(given.checkpoint, threads=given.threads)
    texts = texts_of(given)
    whole_way(pipeline, texts)
    found = [whole_way(pipeline, texts) for _ in range(given.runs)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{platform.machine()}, {given.threads} threads, torch {torch.__version__}, nlpseq {nlpseq.__version__}")
    print(f"{len(texts):,} texts, {given.runs} runs; peak memory {peak:.2f} GiB")
    print(
        f"raw text to JSON Lines  {statistics.median(found):10,.0f} texts/s  ({min(found):,.0f} to {max(found):,.0f})"
    )


if __name__ == "__main__":
    main()
