"""Sentences a second of `nlpseq translate`, and target pieces a second of its training, against the bare kernels.

    python benchmarks/translate_throughput.py decoding --checkpoint translate-en-fr --threads 2
    python benchmarks/translate_throughput.py training --corpus multi30k@en-fr --threads 1 --set encoder.cell=gru

Decoding translates the test part of a corpus (or the lines of --text) several times and prints medians and spreads, for
the beams given. Training is that of `nlpseq train` for some seconds, of which the first are not counted, compared with
the limit that the hardware sets: matrix products alone, of the shapes and in the number that the network's layers need
for each target piece, forwards and backwards, on data that lies ready.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch

import nlpseq
from nlpseq.config import build, override
from nlpseq.corpora.sources import read_sources
from nlpseq.device import flush_denormals
from nlpseq.tasks.translation import TranslationConfig, Translator
from nlpseq.training.loop import Run, fit

WARM_UP = 2  # reports that are not counted


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["decoding", "training"])
    parser.add_argument("--checkpoint", default="translate-en-fr")
    parser.add_argument("--corpus", default="multi30k@en-fr")
    parser.add_argument("--part", default="test")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30, help="of training")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="section.key=value")
    return parser.parse_args()


def decoding(given: argparse.Namespace) -> None:
    pipeline = nlpseq.load(given.checkpoint, threads=given.threads)
    if given.text:
        texts = given.text.read_text(encoding="utf-8").splitlines()
    else:
        texts = [example.source for example in read_sources("translate", [given.corpus], given.part)]
    translator: Translator = pipeline.translator
    translator.translate(texts[:8])
    print(f"{len(texts):,} sentences, {given.runs} runs")
    for beam in given.beams:
        search = msgspec.structs.replace(translator.config.search, beam_size=beam)
        speeds = [len(texts) / seconds(lambda s=search: translator.translate(texts, s)) for _ in range(given.runs)]
        print(f"beam {beam:2}  {statistics.median(speeds):7.1f} sentences/s  ({min(speeds):.1f} to {max(speeds):.1f})")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def training(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    flush_denormals()
    config = build(TranslationConfig, override({}, given.settings))
    examples = read_sources("translate", [given.corpus], "train")
    torch.manual_seed(config.training.seed)
    translator = Translator.create(config, examples)
    items = [translator.encode(example) for example in examples]
    reports = fit(Run(translator, config.training), items, examples[:1], time_limit=given.seconds)
    speeds = [report.items_per_second for report in reports if report.scores is None][WARM_UP:]
    bare = 1 / bare_seconds(translator)
    weights = sum(weight.numel() for weight in translator.network.parameters())
    print(f"{weights / 1e6:.2f} M weights, {len(translator.pieces.target):,} pieces, {given.seconds:.0f} s")
    print(f"training               {statistics.median(speeds):8,.0f} target pieces/s  ", end="")
    print(f"({min(speeds):,.0f} to {max(speeds):,.0f})")
    print(f"matrix products alone  {bare:8,.0f} target pieces/s, {100 * statistics.median(speeds) / bare:.0f} % of it")


def bare_seconds(translator: Translator, rows: int = 1024) -> float:
    """Seconds for each position that the products of all weight matrices take: once forwards, twice backwards."""
    table = translator.network.output_weight
    named = translator.network.named_parameters()
    shapes = [tuple(weight.shape) for name, weight in named if weight.dim() == 2 and "vectors" not in name]
    total = 0.0
    for height, width in [*shapes, tuple(table.shape)]:
        inputs, weight, slope = torch.randn(rows, width), torch.randn(height, width), torch.randn(rows, height)

        def products(x: torch.Tensor = inputs, w: torch.Tensor = weight, g: torch.Tensor = slope) -> None:
            torch.mm(x, w.T)
            torch.mm(g, w)
            torch.mm(g.T, x)

        products()
        total += min(seconds(products) for _ in range(3))
    return total / rows


def main() -> None:
    given = arguments()
    print(f"{platform.machine()}, {given.threads} threads, torch {torch.__version__}, nlpseq {nlpseq.__version__}")
    {"decoding": decoding, "training": training}[given.what](given)


if __name__ == "__main__":
    main()
