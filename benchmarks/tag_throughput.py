"""Words a second of `nlpseq tag`: raw text to JSON Lines, the whole way but for start-up.

    python benchmarks/tag_throughput.py --checkpoint tag-en --threads 2
    python benchmarks/tag_throughput.py --text my-lines.txt

The text is that of the corpus given (by default the development part of UD English EWT, one sentence a line), or the
lines of a file. Prints medians and spreads of several runs of three things, taken in turn: a pipeline that has just
been loaded and has met no word yet; the same pipeline on the same text again, with every word remembered (as deep in a
large file); and the limit that the hardware sets, the same recurrent layers alone, on batches that are already tensors.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from pathlib import Path

import torch

import nlpseq
from nlpseq.corpora.sources import read_source
from nlpseq.render import jsonl
from nlpseq.render.answer import Answer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="tag-en")
    parser.add_argument("--corpus", default="ud-english-ewt")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


def texts_of(given: argparse.Namespace) -> list[str]:
    if given.text:
        return given.text.read_text(encoding="utf-8").splitlines()
    return [example.text for example in read_source(given.corpus, "dev")]


def whole_way(pipeline: nlpseq.api.TagPipeline, texts: list[str]) -> tuple[int, float]:
    """Words, and seconds from the first text to the last byte."""
    started = time.perf_counter()
    words = size = 0
    answers = (Answer(prediction) for prediction in pipeline.pipe(texts))
    for chunk in jsonl.tag(answers):
        words += chunk.count('"start"')
        size += len(chunk.encode())
    assert size > 0
    return words, time.perf_counter() - started


def bare_layers(pipeline: nlpseq.api.TagPipeline, tokens: int) -> float:
    """Seconds that the recurrent layers alone take for that many tokens, in full batches of 32 sentences of 32."""
    network = pipeline.tagger.network
    vectors_BTD = torch.randn(32, 32, network.embedding.width)
    batches = max(1, tokens // 1024)
    with torch.inference_mode():
        started = time.perf_counter()
        for _ in range(batches):
            states = vectors_BTD
            for layer in network.encoder.layers:
                states = torch.cat((layer.forwards(states)[0], layer.backwards(states)[0]), dim=2)
        return (time.perf_counter() - started) * tokens / (batches * 1024)


def main() -> None:
    given = arguments()
    texts = texts_of(given)
    speeds: dict[str, list[float]] = {"raw text to JSON Lines, first time": [], "the same, words known": []}
    limit = speeds.setdefault("recurrent layers alone", [])
    for _ in range(given.runs):
        pipeline = nlpseq.load(given.checkpoint, threads=given.threads)
        pipeline.tokenizer.words("spaCy is loaded by now, and torch has run once.")
        pipeline.tagger.predict([["a", "sentence"]])
        for name in list(speeds)[:2]:
            words, seconds = whole_way(pipeline, texts)
            speeds[name].append(words / seconds)
        limit.append(words / bare_layers(pipeline, words))
    print(f"{platform.machine()}, {given.threads} threads, torch {torch.__version__}, nlpseq {nlpseq.__version__}")
    print(f"{words:,} words in {len(texts):,} texts, {given.runs} runs")
    for name, values in speeds.items():
        share = 100 * statistics.median(values) / statistics.median(limit)
        spread = f"({min(values):,.0f} to {max(values):,.0f})"
        print(f"{name:36}{statistics.median(values):9,.0f} words/s  {spread:22}{share:4.0f} % of the layers alone")


if __name__ == "__main__":
    main()
