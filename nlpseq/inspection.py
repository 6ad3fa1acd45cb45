"""What goes on inside a trained model: its weights, its gates, how far back it remembers, where it looks.

Axes: T positions of one text, in the order in which a layer read them, D input features, W units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from nlpseq.errors import UsageError
from nlpseq.nn.eight_bit_products import full_precision
from nlpseq.nn.gates import GATES, gates
from nlpseq.nn.pooling import Pooling
from nlpseq.nn.sensitivity import by_distance
from nlpseq.records import Attention
from nlpseq.tasks import Task
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.language_streams import Reading
from nlpseq.tasks.sentiment import Classifier
from nlpseq.tasks.tagging import Tagger
from nlpseq.tasks.translation import Translator
from nlpseq.text.tokenizer import Tokenizer

CLOSED, OPEN = 0.1, 0.9  # below and above which a gate counts as closed or open (Karpathy et al. 2016, section 4.2)
FURTHEST = 100  # distances that are looked at
LINE_END = "⏎"


class Weight(msgspec.Struct, frozen=True):
    """One tensor of weights: its name, its shape, and what its values are like."""

    name: str
    shape: tuple[int, ...]
    values: int
    mean: float
    deviation: float
    largest: float  # absolute


class Gate(msgspec.Struct, frozen=True):
    """What one gate of one layer did over a text: means over units, and over them and positions.

    `by_token` is in the order of the text, whichever way the layer read it; a text that is read sentence by sentence
    has them for each `sentence`, from 1. `closed` and `open` are the parts of its values below 0.1 and above 0.9.
    """

    layer: str
    sentence: int
    gate: str
    backwards: bool
    mean: float
    closed: float
    open: float
    tokens: tuple[str, ...]
    by_token: tuple[float, ...]


class Memory(msgspec.Struct, frozen=True):
    """How much the last state of a layer depends on the input `k` positions before it, for k = 0, 1, ...

    `gradients` are norms, root mean squares over `texts` that are long enough; `half` and `hundredth` the first
    distances at which less than a half, or a hundredth, of the norm at k = 0 is left, None where it never is.
    """

    layer: str
    cell: str
    backwards: bool
    texts: int
    gradients: tuple[float, ...]
    half: int | None
    hundredth: int | None


class Read(NamedTuple):
    """A layer's reading of one text: inputs (T, D), states (T, W), and the tokens as it met them.

    `start` is what it began in, h (W,) and for an LSTM c (W,); empty for zeros.
    """

    name: str
    layer: nn.RNNBase
    sentence: int
    backwards: bool
    tokens: tuple[str, ...]
    inputs_TD: Tensor
    states_TW: Tensor
    start: tuple[Tensor, ...]


class _Passage(NamedTuple):
    """One stretch of text that a network reads in one go: by part of the network its tokens, as they are met, whether
    that is backwards, and what makes the network read it. Layers of other parts, such as those that read the characters
    of words, are not looked at.
    """

    tokens: Mapping[str, Sequence[str]]
    reversed_parts: frozenset[str]
    read: Callable[[], object]


# -- weights


def weights(task: Task) -> Iterator[Weight]:
    """All weights that are learnt, in the order of the network."""
    for name, weight in task.network.named_parameters():
        values = weight.detach().float()
        deviation = float(values.std()) if values.numel() > 1 else 0.0
        largest = float(values.abs().max())
        yield Weight(name, tuple(weight.shape), values.numel(), float(values.mean()), deviation, largest)


# -- gates


def gates_of(task: Task, text: str) -> Iterator[Gate]:
    """What every gate does over a text, layer by layer; a text of several sentences is read sentence by sentence.

    Raises UsageError where the text has no words, or the cells have no gates.
    """
    cells = set()
    for read in reads(task, text):
        cells.add(read.layer.mode)
        start_1W = read.start[0][None] if read.start else None
        for name, value_1TW in gates(read.layer, read.inputs_TD[None], read.states_TW[None], start_1W).items():
            yield _gate(read, name, value_1TW[0])
    if not cells:
        raise UsageError("The text has no words.")
    if not cells & GATES.keys():
        raise UsageError(
            f"The cells of this model ({task.config.encoder.cell}) have no gates; those of lstm and gru have. "
            "`nlpseq inspect gradients` shows how far back they remember."
        )


def _gate(read: Read, name: str, value_TW: Tensor) -> Gate:
    order = -1 if read.backwards else 1
    return Gate(
        layer=read.name,
        sentence=read.sentence,
        gate=name,
        backwards=read.backwards,
        mean=float(value_TW.mean()),
        closed=float((value_TW < CLOSED).float().mean()),
        open=float((value_TW > OPEN).float().mean()),
        tokens=read.tokens[::order],
        by_token=tuple(value_TW.mean(1).tolist()[::order]),
    )


# -- gradients


def memory_of(task: Task, texts: Iterable[str], *, furthest: int = FURTHEST) -> list[Memory]:
    """How far back each layer remembers, over the texts. Raises UsageError where no text has two positions."""
    layers: dict[str, Read] = {}
    squares: dict[str, list[list[float]]] = {}
    for seed, text in enumerate(texts):
        for read in reads(task, text):
            if len(read.tokens) > 1:
                layers.setdefault(read.name, read)
                norms_T = by_distance(read.layer, read.inputs_TD, read.start, seed=seed)[: furthest + 1]
                squares.setdefault(read.name, []).append((norms_T**2).tolist())
    if not layers:
        raise UsageError("None of the texts has two words to be read one after the other. Give longer ones.")
    return [_memory(read, squares[name]) for name, read in layers.items()]


def _memory(read: Read, squares: Sequence[Sequence[float]]) -> Memory:
    longest = max(map(len, squares))
    columns = [[row[k] for row in squares if len(row) > k] for k in range(longest)]
    norms = [(sum(column) / len(column)) ** 0.5 for column in columns]
    half, hundredth = (
        next((k for k, norm in enumerate(norms) if norm < part * norms[0]), None) for part in (0.5, 0.01)
    )
    cell = {"RNN_TANH": "rnn", "RNN_RELU": "irnn"}.get(read.layer.mode, read.layer.mode.lower())
    return Memory(read.name, cell, read.backwards, len(squares), tuple(norms), half, hundredth)


# -- attention


def attention_of(task: Task, text: str) -> Attention:
    """Where a translator's decoder looked, or which words a classifier's pooling weighed (one row, `weight`).

    Raises UsageError where the model has no attention, or the text no words.
    """
    if isinstance(task, Translator) and task.network.decoder.attention is not None:
        (found,) = task.translate([text], attention=True)
        if not found.attention:
            raise UsageError("The text has nothing to be translated.")
        return found.attention
    if isinstance(task, Classifier) and task.network.pooling.attention is not None:
        return _pooled(task, text)
    raise UsageError("This model has no attention: translators and classifiers have, where they were trained with it.")


def _pooled(task: Classifier, text: str) -> Attention:
    weights: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Any, ...], _: object) -> None:
        assert isinstance(module, Pooling)
        states_BTH = given[0]
        weights.append(module.attention_weights(states_BTH, torch.ones(states_BTH.shape[:2], dtype=torch.bool)))

    tokens = task.tokens(text)
    if not any(tokens):
        raise UsageError("The text has no words.")
    handle = task.network.pooling.register_forward_hook(keep)
    try:
        with full_precision():
            task.logits([tokens])
    finally:
        handle.remove()
    return Attention(tuple(tokens), ("weight",), (tuple(weights[0][0, : len(tokens)].tolist()),))


# -- what a network reads


def reads(task: Task, text: str) -> Iterator[Read]:
    """How each recurrent layer reads a text, a tagger's sentence by sentence; nothing where the text has no words.

    A translator is given the text as one sentence, and a classifier the first window of it.
    """
    task.network.eval()
    layers = {module: name for name, module in task.network.named_modules() if isinstance(module, nn.RNNBase)}
    for number, passage in enumerate(_PASSAGES[task.task](task, text), 1):
        names = {layer: name for layer, name in layers.items() if _part(name) in passage.tokens}
        with _kept(names) as kept, full_precision():
            passage.read()
        for layer, inputs_TD, states_TW, start in kept:
            name = names[layer]
            part, inner = _part(name), name.endswith(".backwards")
            tokens = tuple(passage.tokens[part])
            backwards = (part in passage.reversed_parts) != inner
            met = tokens[::-1] if inner else tokens
            yield Read(name, layer, number, backwards, met, inputs_TD, states_TW, start)


def _part(name: str) -> str:
    """The part of a network that a layer is of."""
    return name.partition(".")[0]


_Kept = list[tuple[nn.RNNBase, Tensor, Tensor, tuple[Tensor, ...]]]


@contextmanager
def _kept(layers: Iterable[nn.Module]) -> Iterator[_Kept]:
    """Keeps what enters and leaves each of the layers, of the one text that is read meanwhile."""
    kept: _Kept = []

    def keep(layer: nn.Module, given: tuple[Any, ...], said: tuple[Any, ...]) -> None:
        assert isinstance(layer, nn.RNNBase)
        start = given[1] if len(given) > 1 else ()
        states = (start,) if isinstance(start, Tensor) else start
        kept.append((layer, given[0][0].clone(), said[0][0].clone(), tuple(state[0, 0].clone() for state in states)))

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.no_grad():
            yield kept
    finally:
        for handle in handles:
            handle.remove()


def _of_tagger(task: Tagger, text: str) -> Iterator[_Passage]:
    settings = task.config.tokenizer
    for sentence in Tokenizer(settings.language, settings.sentence_limit, task.rules).sentences(text):
        if sentence.tokens:
            met = {"encoder": sentence.tokens, "ner_encoder": sentence.tokens}
            yield _Passage(met, frozenset(), partial(task.predict, [sentence.tokens]))


def _of_classifier(task: Classifier, text: str) -> Iterator[_Passage]:
    """The first window of a text, which is all of most texts."""
    tokens = task.tokens(text)[: task.config.windows.size]
    if any(tokens):
        yield _Passage({"encoder": tokens}, frozenset(), partial(task.logits, [tokens]))


def _of_translator(task: Translator, text: str) -> Iterator[_Passage]:
    """The source, and the target that the translator itself makes of it."""
    source = task.source_ids(text)
    (found,) = task.translate([text])
    if not found.translation:
        return
    target = task.target_ids(found.translation)
    names = task.pieces.source.names(source)
    met = {"encoder": names[::-1] if task.config.source.reverse else names}
    met["decoder"] = ["", *task.pieces.target.names(target)][: len(target)]  # each step is given the piece before
    backwards = frozenset({"encoder"} if task.config.source.reverse else ())
    yield _Passage(met, backwards, lambda: list(task.told([source], [target])))


def _of_language_model(task: LanguageModel, text: str) -> Iterator[_Passage]:
    if not text.strip():
        return
    task.units.meet([text])
    item = task.encode(text)
    stacks = task.stacks()
    rows = {"forwards": item.ids, "backwards": item.backwards}
    readings = {name: Reading.of([rows[name]], len(task.units)) for name in stacks}  # type: ignore[list-item]
    met = {name: [_name(task, int(unit)) for unit in reading.inputs_BT[0]] for name, reading in readings.items()}

    def read() -> None:
        for name, stack in stacks.items():
            task.network.log_probabilities(stack, task.vectors(readings[name].inputs_BT))

    yield _Passage(met, frozenset({"backwards"}), read)


def _name(task: LanguageModel, unit: int) -> str:
    return LINE_END if unit == task.units.end else task.units.text([unit])


_PASSAGES: Mapping[str, Callable[[Any, str], Iterator[_Passage]]] = {
    "tag": _of_tagger,
    "sentiment": _of_classifier,
    "translate": _of_translator,
    "lm": _of_language_model,
}
