"""What an encoder takes over from a language model, and what it cannot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import torch

from nlpseq.config import build
from nlpseq.errors import UsageError
from nlpseq.nn.stack import RecurrentStack
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.pretrained import shapes_of, start_from
from nlpseq.tasks.sentiment import Classifier, SentimentConfig
from nlpseq.tasks.tagging import Tagger, TaggingConfig
from tests.examples import corpus
from tests.languages import counting, small
from tests.opinions import opinions

EMBEDDING = {"width": 12, "character_width": 4, "character_features": 8, "affix_width": 4, "min_count": 1}


def settings(layers: int = 2, **encoder: Any) -> dict[str, Any]:
    return {"embedding": EMBEDDING, "encoder": {"width": 16, "layers": layers, "pretrained": "my-lm", **encoder}}


def tagger(**encoder: Any) -> Tagger:
    return Tagger.create(build(TaggingConfig, settings(**encoder)), corpus(20, seed=1))


def model(**encoder: Any) -> Any:
    lines = [*counting(), *(example.text for example in corpus(5, seed=1))]
    torch.manual_seed(4)
    return LanguageModel.create(small("words", encoder={"layers": 2, "bidirectional": True, **encoder}), lines)


def test_words_are_joined_and_their_vectors_taken_over() -> None:
    source, before = model(), tagger()
    started = start_from(before, source)
    own, known = started.words, source.units.words
    assert own.forms.symbols[: len(before.words.forms.symbols)] == before.words.forms.symbols
    assert "three" in own.forms  # of the language model alone
    assert len(own.counts) == len(own.forms)
    assert own.counts[own.forms.id("three")] == 0
    taken, given = started.network.embedding.state_dict(), source.network.embedding.state_dict()
    for form in ("three", "can"):
        assert torch.equal(taken["forms.weight"][own.forms.id(form)], given["forms.weight"][known.forms.id(form)])
    for mark in "theo":
        rows = "characters.embedding.weight"
        assert torch.equal(taken[rows][own.characters.id(mark)], given[rows][known.characters.id(mark)])
    assert torch.equal(taken["characters.convolutions.0.weight"], given["characters.convolutions.0.weight"])


@pytest.mark.usefixtures("full_precision")
def test_a_word_has_the_very_vector_that_it_has_in_the_language_model() -> None:
    source = model()
    started = start_from(tagger(), source)
    started.network.eval()
    source.network.eval()
    words = ["three", "can", "fours"]
    ids = source.units.table
    ids.add(words)
    wanted_BTD = ids.embedded(
        source.network.embedding, torch.tensor([[ids.rows[word] for word in words]]), torch.device("cpu")
    )
    met = started.vector_cache().meet([words])
    assert torch.allclose(met.remembered_RD[met.rows[0]], wanted_BTD[0], atol=1e-6)


@torch.no_grad()
def test_the_encoder_is_both_directions_side_by_side() -> None:
    source, inputs_BTD = model(), torch.randn(2, 5, 24)
    encoder = start_from(tagger(), source).network.encoder.eval()
    states_BTH = encoder(inputs_BTD, torch.tensor([5, 5]))

    def read(stack: RecurrentStack, vectors_BTD: torch.Tensor) -> torch.Tensor:
        return stack.eval()(vectors_BTD)[0]

    ahead_BTH = read(source.network.forwards, inputs_BTD)
    back_BTH = read(source.network.backwards, inputs_BTD.flip(1)).flip(1)
    assert torch.allclose(states_BTH, torch.cat((ahead_BTH, back_BTH), 2), atol=1e-6)


def test_deeper_encoders_keep_their_upper_layers_and_one_direction_is_enough() -> None:
    source = model(bidirectional=False, layers=1)
    torch.manual_seed(9)
    started = start_from(tagger(), source)
    first = started.network.encoder.layers[0]
    assert torch.equal(first.forwards.weight_hh_l0, source.network.forwards.layers[0].weight_hh_l0)
    assert not torch.equal(first.backwards.weight_hh_l0, first.forwards.weight_hh_l0)
    only = start_from(tagger(bidirectional=False), model())
    assert torch.equal(
        only.network.encoder.layers[1].forwards.weight_ih_l0, model().network.forwards.layers[1].weight_ih_l0
    )


@pytest.mark.parametrize(("layers", "width"), [(2, 16), (1, 12)])
def test_of_a_tied_model_only_layers_of_the_first_one_s_width_are_taken(layers: int, width: int) -> None:
    """Its last layer is as wide as the embedding, 12."""
    lines = [*counting(), *(example.text for example in corpus(5, seed=1))]
    source = LanguageModel.create(small("words", text={"softmax": "tied"}, encoder={"layers": layers}), lines)
    assert source.network.forwards.widths[-1] == 12
    started = start_from(tagger(width=width), source).network.encoder.layers
    assert torch.equal(started[0].forwards.weight_hh_l0, source.network.forwards.layers[0].weight_hh_l0)
    assert bool(started[1].forwards.weight_ih_l0[:, width:].any())  # what is not taken over begins as usual


def test_labels_and_names_stay() -> None:
    examples = corpus(20, seed=1)
    config = build(TaggingConfig, {**settings(), "augment": {"replace_mentions": 0.5}})
    before = Tagger.create(config, examples)
    started = start_from(before, model())
    assert started.labels == before.labels
    assert started.mentions is before.mentions
    losses = started.losses(started.collate([started.encode(example) for example in examples]))
    assert all(total.isfinite() for total, _ in losses.values())


def test_sentiment_too() -> None:
    source = model()
    classifier = Classifier.create(build(SentimentConfig, settings()), opinions(20, seed=1))
    started = start_from(classifier, source)
    assert torch.equal(
        started.network.encoder.layers[0].forwards.weight_hh_l0, source.network.forwards.layers[0].weight_hh_l0
    )
    assert started.labels == classifier.labels


def test_no_more_words_are_taken_than_wanted() -> None:
    config = build(TaggingConfig, {**settings(), "embedding": {**EMBEDDING, "vectors_limit": 3}})
    before = Tagger.create(config, corpus(20, seed=1))
    assert len(start_from(before, model()).words.forms) <= len(before.words.forms) + 3


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(UsageError, match=r"encoder\.width is 8, and that of my-lm is 16"):
        start_from(tagger(width=8), model())
    with pytest.raises(UsageError, match=r"encoder\.cell is gru"):
        start_from(tagger(cell="gru"), model())
    with pytest.raises(UsageError, match="is no language model"):
        shapes_of(tagger(), "it")
    two = tagger()
    two.config = msgspec.structs.replace(
        two.config, embedding=msgspec.structs.replace(two.config.embedding, vectors="v")
    )
    with pytest.raises(UsageError, match="both say with which vectors words begin"):
        start_from(two, model())
    wrong = model()
    with pytest.raises(UsageError, match="tag and sentiment"):
        start_from(_WithName(wrong), wrong)


class _WithName:
    """A task that reads no words, whose settings name a language model all the same."""

    def __init__(self, source: Any) -> None:
        self.config = build(TaggingConfig, settings())
        self.network = source.network
