"""The limit that the hardware sets: the recurrent layers of a model alone, on batches that already are tensors.

What tokenizing, embedding, heads and writing cost is what a measured speed stays below it. Batches have the shapes that
the task itself makes of the texts, padding included, and are read by as many threads in the same way. A language model
whose states are read beside words is not among these layers, either.

Axes: B rows, T positions, D features that enter a layer, H that leave it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nlpseq.batching import length_groups
from nlpseq.nn.recurrent import RecurrentEncoder, RecurrentLayer
from nlpseq.tasks import Task, sentiment, tagging, translation
from nlpseq.tasks.sentiment import Classifier
from nlpseq.tasks.tagging import Tagger
from nlpseq.tasks.translation import Translator
from nlpseq.tasks.windows import bounds
from nlpseq.text.lengths import STEP_ROWS
from nlpseq.text.tokenizer import Tokenizer
from nlpseq.threads import side_by_side

ENOUGH_TEXTS = 2048  # of more, every n-th is taken


class Alone(NamedTuple):
    """Seconds that the layers took for so many texts, and the words (or pieces) that were read, padding not counted."""

    seconds: float
    texts: int
    words: int


class _Work(NamedTuple):
    """The encoders, one after the other, the shapes (B, T) of their batches, and the positions that are true."""

    encoders: tuple[RecurrentEncoder, ...]
    shapes: list[tuple[int, int]]
    words: int


def layers_alone(task: Task, texts: Sequence[str]) -> Alone | None:
    """Reads as many and as long rows as the texts have, once; None for a task that does not read its texts whole.

    A translator's are those of its encoder.
    """
    if task.task not in _WORK:
        return None
    chosen = texts[:: -(-len(texts) // ENOUGH_TEXTS)]
    work = _WORK[task.task](task, chosen)
    device = next(task.network.parameters()).device
    first = work.encoders[0].layers[0]
    assert isinstance(first, RecurrentLayer)
    batches = [torch.randn(*shape, first.forwards.input_size, device=device) for shape in work.shapes]
    read = _reader(work.encoders, device)
    read(batches[0])  # what is made at the first use is not counted
    started = time.perf_counter()
    for _ in side_by_side(read, batches, device):
        pass
    return Alone(time.perf_counter() - started, len(chosen), work.words)


def _reader(encoders: Sequence[RecurrentEncoder], device: torch.device) -> Callable[[Tensor], Tensor]:
    def read(states_BTH: Tensor) -> Tensor:
        for encoder in encoders:
            for layer in encoder.layers:
                states_BTH = _states(layer, states_BTH)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return states_BTH

    return torch.inference_mode()(read)


def _states(layer: Any, inputs_BTD: Tensor) -> Tensor:
    assert isinstance(layer, RecurrentLayer)
    forwards_BTH: Tensor = layer.forwards(inputs_BTD)[0]
    if layer.backwards is None:
        return forwards_BTH
    return torch.cat((forwards_BTH, layer.backwards(inputs_BTD)[0]), dim=2)


def _of_tagger(tagger: Tagger, texts: Sequence[str]) -> _Work:
    settings = tagger.config.tokenizer
    tokenizer = Tokenizer(settings.language, settings.sentence_limit, tagger.rules)
    lengths = [len(sentence.tokens) for text in texts for sentence in tokenizer.sentences(text)]
    last = tagger.network.ner_encoder
    encoders = (tagger.network.encoder, *((last,) if last is not None else ()))
    return _Work(encoders, _shapes(lengths, tagging.INFERENCE_TOKENS), sum(lengths))


def _of_classifier(classifier: Classifier, texts: Sequence[str]) -> _Work:
    windows, lengths = classifier.config.windows, [len(classifier.tokens(text)) for text in texts]
    shapes = []
    for group in length_groups(lengths, sentiment.INFERENCE_TOKENS):
        cuts = [cut for index in group for cut in bounds(lengths[index], windows.size, windows.overlap)]
        shapes.append((len(cuts), max(end - start for start, end in cuts)))
    return _Work((classifier.network.encoder,), shapes, sum(lengths))


def _of_translator(translator: Translator, texts: Sequence[str]) -> _Work:
    lengths = [len(translator.source_ids(text)) for text in texts]
    budget = translation.SEARCH_TOKENS // translator.config.search.beam_size
    return _Work((translator.network.encoder,), _shapes(lengths, budget, translation.SEARCH_ROWS), sum(lengths))


def _shapes(lengths: Sequence[int], budget: int, step_rows: int = STEP_ROWS) -> list[tuple[int, int]]:
    filled = [length for length in lengths if length]
    groups = length_groups(filled, budget, step_rows)
    return [(len(group), max(filled[index] for index in group)) for group in groups]


_WORK: Mapping[str, Callable[[Any, Sequence[str]], _Work]] = {
    "tag": _of_tagger,
    "sentiment": _of_classifier,
    "translate": _of_translator,
}
