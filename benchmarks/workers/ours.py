"""nlpseq as a worker: raw text to JSON Lines with any checkpoint, and its layers alone."""

from __future__ import annotations

from typing import Any

import torch
from serving import lines_of, serve

import nlpseq
from nlpseq.checkpoint import find_checkpoint, load_task
from nlpseq.device import flush_denormals
from nlpseq.layers_alone import layers_alone
from nlpseq.speed import from_raw_text


class Ours:
    """A pipeline; `beam` is that of a translator."""

    def load(self, checkpoint: str, threads: int, beam: int | None = None, batch_size: int | None = None) -> None:
        flush_denormals()
        self.checkpoint, self.batch_size = checkpoint, batch_size
        self.pipeline: Any = nlpseq.load(checkpoint, threads=threads)
        if beam:
            self.pipeline = self.pipeline.searching(beam_size=beam)
        self.pipeline("Everything that is made at the first use is made by now.")

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines; the units of the task (words, texts)."""
        return from_raw_text(self.pipeline, lines_of(texts), batch_size=self.batch_size)[0]

    def translate(self, texts: str) -> list[str]:
        return [one.translation for one in self.pipeline.pipe(lines_of(texts))]

    def size(self) -> int:
        """Weights of the network."""
        task, _ = load_task(find_checkpoint(self.checkpoint))
        return sum(weight.numel() for weight in task.network.parameters())


class Layers:
    """The recurrent layers of a checkpoint alone."""

    def load(self, checkpoint: str, threads: int) -> None:
        flush_denormals()
        torch.set_num_threads(threads)
        self.task, _ = load_task(find_checkpoint(checkpoint))

    def work(self, texts: str) -> dict[str, float] | None:
        """Seconds, texts and words of the layers alone."""
        alone = layers_alone(self.task, lines_of(texts))
        return None if alone is None else alone._asdict()


class Either:
    """`load` with `layers` for the layers alone, else for the pipeline."""

    def load(self, layers: bool = False, **settings: Any) -> None:
        self.worker: Any = Layers() if layers else Ours()
        self.worker.load(**settings)

    def work(self, **job: Any) -> Any:
        return self.worker.work(**job)

    def translate(self, **job: Any) -> Any:
        return self.worker.translate(**job)

    def size(self) -> int:
        return int(self.worker.size())


if __name__ == "__main__":
    serve(Either())
