"""The training loop of nlpseq as a worker."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from serving import serve

from nlpseq.checkpoint import FORMAT, Manifest, save
from nlpseq.config import build, override
from nlpseq.corpora.directions import Direction
from nlpseq.corpora.sources import Reading, read_sources
from nlpseq.device import flush_denormals
from nlpseq.tasks import TASKS
from nlpseq.training.loop import Run, fit

ROWS = 1024  # positions of a product
FOREVER = ("training.epochs=100000", "training.patience=0")
ENOUGH = 12_000  # items of an epoch, so that an evaluation is seldom in a turn


class OurTraining:
    """A run of any task on any sources."""

    def load(self, task: str, train: list[str], settings: list[str], threads: int) -> None:
        """A fresh model; `settings` as for `nlpseq train --set`."""
        torch.set_num_threads(threads)
        flush_denormals()
        kind = TASKS[task]
        config = build(kind.config_type, override({}, [*settings, *FOREVER]))
        direction = Direction("source", "target") if task == "translate" else None
        examples = read_sources(task, train, "train", Reading(direction=direction))
        torch.manual_seed(config.training.seed)
        self.task: Any = kind.create(config, examples)
        items = [self.task.encode(example) for example in examples]
        self.items, self.dev = items * -(-ENOUGH // len(items)), examples[:1]
        self.run = Run(self.task, config.training)
        self.reports = fit(self.run, self.items, self.dev)

    def work(self, seconds: float) -> list[float]:
        """Tokens a second of each report in so many seconds, evaluations left out."""
        began, found = time.perf_counter(), []
        next(self.reports)  # it counts from the end of the last turn
        for report in self.reports:
            if report.scores is None:
                found.append(report.items_per_second)
            if time.perf_counter() - began >= seconds and found:
                break
        return found

    def train(self, folder: str, seconds: float, **settings: Any) -> dict[str, float]:
        """Trains for so many seconds with what `load` takes, and leaves a checkpoint in `folder`/checkpoint."""
        started = time.perf_counter()
        self.load(**settings)
        for _ in fit(self.run, self.items, self.dev, time_limit=seconds):
            pass
        manifest = Manifest(format=FORMAT, task=settings["task"])
        save(self.task, Path(folder) / "checkpoint", manifest, "# For a benchmark\n")
        return {"seconds": time.perf_counter() - started, "steps": self.run.step}


class Products:
    """The limit of a translator's training: the matrix products alone, of the shapes and in the number that the layers
    need for each target token, once forwards and twice backwards, on data that lies ready.
    """

    def load(self, threads: int, **settings: Any) -> None:
        trained = OurTraining()
        trained.load(threads=threads, **settings)
        network = trained.task.network
        named = [(name, tuple(weight.shape)) for name, weight in network.named_parameters() if weight.dim() == 2]
        shapes = [shape for name, shape in named if "vectors" not in name]
        self.shapes = [*shapes, tuple(network.output_weight.shape)]

    def work(self, seconds: float) -> list[float]:
        """Target tokens a second, for so many seconds."""
        began, found = time.perf_counter(), []
        while not found or time.perf_counter() - began < seconds:
            found.append(ROWS / sum(_seconds(height, width) for height, width in self.shapes))
        return found


def _seconds(height: int, width: int) -> float:
    inputs, weight, slope = torch.randn(ROWS, width), torch.randn(height, width), torch.randn(ROWS, height)
    started = time.perf_counter()
    torch.mm(inputs, weight.T)
    torch.mm(slope, weight)
    torch.mm(slope.T, inputs)
    return time.perf_counter() - started


class Either:
    """`load` with `products` for the limit, else for training."""

    def __init__(self) -> None:
        self.worker: Any = OurTraining()

    def load(self, products: bool = False, **settings: Any) -> None:
        self.worker = Products() if products else OurTraining()
        self.worker.load(**settings)

    def work(self, **job: Any) -> Any:
        return self.worker.work(**job)

    def train(self, **settings: Any) -> Any:
        return self.worker.train(**settings)


if __name__ == "__main__":
    serve(Either())
