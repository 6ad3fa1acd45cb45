"""The real command line over a tagger that needs no checkpoint: for tests of the plumbing.

Words are cut at white space; a capitalised word is a person, OOV fails, and INTERRUPT is Ctrl-C.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import ModuleType

from nlpseq.errors import UsageError
from nlpseq.records import Failure, Span, TagPrediction, Token


def predict(value: str | Sequence[str]) -> TagPrediction:
    text = value if isinstance(value, str) else " ".join(value)
    tokens = []
    for match in re.finditer(r"\S+", text):
        ner = "B-PER" if match[0][:1].isupper() else "O"
        tokens.append(Token(match[0], match.start(), match.end(), "NOUN", "NN", ner, 0.123456))
    spans = [Span(t.text, "PER", t.start, t.end, 0.98765) for t in tokens if t.ner == "B-PER"]
    return TagPrediction(text, tuple(tokens), tuple(spans))


class FakeTagger:
    """Takes inputs in batches as the real one does, and remembers how far ahead of its output it has read."""

    def __init__(self, task: str = "tag") -> None:
        self.task = task

    def pipe(
        self, inputs: Iterable[str | Sequence[str]], *, batch_size: int | None = None
    ) -> Iterator[TagPrediction | Failure]:
        iterator, number = iter(inputs), 0
        while batch := list(islice(iterator, batch_size or 8)):
            for value in batch:
                number += 1
                if "INTERRUPT" in value:
                    raise KeyboardInterrupt
                if "CRASH" in value:
                    raise RuntimeError("boom \x1b[31m")
                yield Failure("The word OOV is not welcome.", number) if "OOV" in value else predict(value)


def load(checkpoint: str, *, device: str = "auto", threads: int | None = None) -> FakeTagger:
    del device, threads
    if checkpoint == "missing":
        raise UsageError("There is no checkpoint 'missing'.")
    return FakeTagger("sentiment" if checkpoint == "sentiment-en" else "tag")


def install() -> None:
    """Put the fake in the place of the library, and nothing in that of torch, in this process."""
    device = ModuleType("nlpseq.device")
    device.flush_denormals = lambda: None  # type: ignore[attr-defined]
    sys.modules["nlpseq.device"] = device
    module = ModuleType("nlpseq.api")
    module.load = load  # type: ignore[attr-defined]
    module.load_light = lambda _: None  # type: ignore[attr-defined]
    sys.modules["nlpseq.api"] = module


if __name__ == "__main__":
    install()
    from nlpseq.cli.main import run

    run()
