"""What a task that reads words takes over from a language model.

Of one of words, it is the vocabulary, the word embedding and the layers of each direction, from which its own start. A
language model reads each direction by itself, whereas the second layer of an encoder reads what both directions of the
first say. So the encoder begins as the two models side by side: where a direction reads the other, with zeros.

One of pieces or characters has no vectors of words, and its layers no place in an encoder of words. It lends its states
instead: the task reads them as features of words (see `context`).
"""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import nn

from nlpseq.errors import UsageError
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.recurrent import RecurrentEncoder, RecurrentLayer
from nlpseq.nn.stack import RecurrentStack
from nlpseq.tasks.context import ContextFeatures
from nlpseq.tasks.context_config import ContextShape
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.language_words import Words
from nlpseq.text.vocab import Vocabulary
from nlpseq.text.words import WordVocabularies

_EMBEDDING = ("words", "width", "characters", "character_width", "character_features", "affix_width", "word_length")
WORDS_ALONE = "encoder.pretrained: only what reads words, tag and sentiment, can be started from a language model."


@runtime_checkable
class ReadsWords(Protocol):
    """A task whose network has a `WordEmbedding` named `embedding` and a `RecurrentEncoder` named `encoder`."""

    words: WordVocabularies

    @property
    def config(self) -> Any:
        """All settings; they have the sections `embedding` and `encoder`."""

    @property
    def network(self) -> nn.Module:
        """The network."""

    def with_words(self, words: WordVocabularies) -> Self:
        """The same task with other vocabularies of words, and fresh weights."""

    def with_context(self, context: ContextFeatures) -> Self:
        """The same task, which also reads such features."""


def shapes_of(model: object, name: str) -> dict[str, dict[str, Any]]:
    """The settings of a language model that whatever starts from it has to share, by section; none of one that lends
    its states.

    Raises UsageError where it is no language model; `name` is what the user called it.
    """
    if not isinstance(model, LanguageModel):
        raise UsageError(f"encoder.pretrained={name}: it is no language model. Train one with `nlpseq train lm`.")
    if not isinstance(model.units, Words):
        return {}
    embedding = {key: getattr(model.config.embedding, key) for key in _EMBEDDING}
    return {
        "embedding": embedding,
        "encoder": {"cell": model.config.encoder.cell, "width": model.network.forwards.widths[0]},
    }


def must_fit(config: Any, model: object) -> None:
    """Raises UsageError where the shapes of these settings are not those of the model, it is no language model, or
    there are two sources of the vectors of words.
    """
    if config.embedding.vectors and isinstance(model, LanguageModel) and isinstance(model.units, Words):
        raise UsageError(
            f"embedding.vectors={config.embedding.vectors} and encoder.pretrained={config.encoder.pretrained} both say "
            "with which vectors words begin. Leave one out; a language model can itself be trained from such vectors."
        )
    for section, values in shapes_of(model, config.encoder.pretrained).items():
        for key, value in values.items():
            own = getattr(getattr(config, section), key)
            if own != value:
                raise UsageError(
                    f"{section}.{key} is {own}, and that of {config.encoder.pretrained} is {value}: leave it out, or "
                    "train another model."
                )


def start_from(task: Any, model: Any) -> Any:
    """The task with what it takes over from a language model: its words and weights, or its states as features.

    Raises UsageError where the task reads no words, or the shapes differ.
    """
    if not isinstance(task, ReadsWords):
        raise UsageError(WORDS_ALONE)
    must_fit(task.config, model)
    return _with_weights(task, model) if isinstance(model.units, Words) else task.with_context(lent(model))


def lent(model: LanguageModel) -> ContextFeatures:
    """A copy of all that reads in a language model of pieces or characters, to make features of its states."""
    network, config = model.network, model.config
    shape = ContextShape(
        unit=config.text.unit,  # type: ignore[arg-type]
        cell=config.encoder.cell,
        width=network.embedding.width,
        layers=network.forwards.widths,
        backwards=network.backwards is not None,
    )
    context = ContextFeatures(shape, model.units)
    own = context.state_dict()
    own.update((name, weight) for name, weight in network.state_dict().items() if name in own)
    context.load_state_dict(own)
    return context


def _with_weights(task: ReadsWords, model: Any) -> ReadsWords:
    """The task with the words of a language model beside its own, and with its weights wherever they have a place.

    Words are taken from the model's most frequent on, up to `embedding.vectors_limit`; layers as far as both have them.
    """
    grown = task.with_words(_joined(task.words, model.units.words, task.config.embedding.vectors_limit))
    embedding, encoder = grown.network.embedding, grown.network.encoder
    assert isinstance(embedding, WordEmbedding)
    assert isinstance(encoder, RecurrentEncoder)
    with torch.no_grad():
        _copy_embedding(embedding, grown.words, model.network.embedding, model.units.words)
        for layer, forwards, backwards in _pairs(encoder, model):
            _copy_layer(layer, forwards, backwards)
    return grown


def _joined(own: WordVocabularies, others: WordVocabularies, limit: int) -> WordVocabularies:
    """The first vocabularies, and behind them what the second have beside; of forms, the `limit` most frequent."""
    forms = _and(own.forms, Vocabulary(others.forms.symbols[:limit]))
    counts = [*own.counts, *[0] * (len(forms) - len(own.forms))]
    return WordVocabularies(forms, _and(own.characters, others.characters), _and(own.affixes, others.affixes), counts)


def _and(own: Vocabulary, others: Vocabulary) -> Vocabulary:
    return Vocabulary((*own.symbols, *(symbol for symbol in others.symbols if symbol not in own)))


def _copy_embedding(to: WordEmbedding, words: WordVocabularies, source: nn.Module, known: WordVocabularies) -> None:
    """So that every word has the vector that the language model gives it; the parts may be of any kind.

    What the model does not know begins as what it takes it for: another form, or the unknown one.
    """
    rows = {
        "forms.weight": [known.form_id(form) for form in words.forms.symbols],
        "characters.embedding.weight": known.characters.ids(words.characters.symbols),
        "affixes.weight": known.affixes.ids(words.affixes.symbols),
    }
    given = source.state_dict()
    for name, weight in to.state_dict().items():
        if name in rows:
            reserved = len(weight) - len(rows[name])
            weight.copy_(torch.cat((given[name][:reserved], given[name][rows[name]])))
        else:
            weight.copy_(given[name])


def _pairs(encoder: RecurrentEncoder, model: LanguageModel) -> list[tuple[RecurrentLayer, nn.Module, nn.Module | None]]:
    """The encoder's layers with those of each direction of the model, as far as both go and are of one width: the last
    layer of a model whose softmax is tied is as wide as its embedding.
    """
    back: RecurrentStack | None = model.network.backwards
    forwards = model.network.forwards.layers
    backwards: list[nn.Module | None] = [None] * len(forwards) if back is None else [*back.layers]
    pairs = zip(encoder.layers, forwards, backwards, model.network.forwards.widths, strict=False)
    return [
        (layer, one, other)
        for layer, one, other, width in pairs
        if isinstance(layer, RecurrentLayer) and layer.forwards.hidden_size == width
    ]


def _copy_layer(layer: RecurrentLayer, forwards: nn.Module, backwards: nn.Module | None) -> None:
    _copy_direction(layer.forwards, forwards, first=True)
    if layer.backwards is not None and backwards is not None:
        _copy_direction(layer.backwards, backwards, first=False)


def _copy_direction(to: nn.RNNBase, source: nn.Module, *, first: bool) -> None:
    """The weights of one direction. Where it reads both directions of the layer below, what it reads of the other one,
    which stands last for the forward direction and first for the backward one, begins at zero.
    """
    target, given = to.state_dict(), source.state_dict()
    for name, weight in target.items():
        wide, narrow = weight.shape[-1], given[name].shape[-1]
        if wide == narrow:
            weight.copy_(given[name])
        else:
            weight.zero_()
            weight[:, slice(narrow) if first else slice(wide - narrow, None)] = given[name]
