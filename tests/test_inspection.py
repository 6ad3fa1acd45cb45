"""What `nlpseq inspect` tells, on models of every task that are made in a moment."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nlpseq.errors import UsageError
from nlpseq.inspection import attention_of, gates_of, memory_of, reads, weights
from tests import classifiers, languages, taggers, translators

TEXT = "The good film was bad"
WORDS = ("The", "good", "film", "was", "bad")


def encoder(**settings: Any) -> dict[str, Any]:
    return {"encoder": {"width": 8, "layers": 2, **settings}}


def models(**settings: Any) -> list[Any]:
    return [module.untrained(**encoder(**settings)) for module in (taggers, classifiers, translators)]


def test_all_weights_are_counted_once() -> None:
    for task in models():
        found = list(weights(task))
        assert [weight.name for weight in found] == [name for name, _ in task.network.named_parameters()]
        assert sum(weight.values for weight in found) == sum(p.numel() for p in task.network.parameters())


@pytest.mark.parametrize("cell", ["rnn", "irnn", "gru", "lstm"])
def test_a_layer_read_again_says_the_same(cell: str) -> None:
    """What is kept of a reading are the inputs, the start and the states of the very layer, in the order of its
    reading: run again, it gives the same states. Every recurrent layer is there.
    """
    for task in models(cell=cell):
        found = list(reads(task, TEXT))
        layers = {name for name, module in task.network.named_modules() if isinstance(module, torch.nn.RNNBase)}
        assert {read.name for read in found} == layers
        for read in found:
            begin = tuple(state[None] for state in read.start)
            with torch.no_grad():
                states = read.layer(read.inputs_TD, begin if len(begin) > 1 else begin[0] if begin else None)[0]
            assert torch.allclose(states, read.states_TW, atol=1e-6)
            assert len(read.tokens) == len(read.inputs_TD)


def test_layers_that_read_characters_are_passed_over_and_those_of_names_are_not() -> None:
    task = taggers.untrained(**encoder(cell="rnn", layers=1), embedding={"characters": "lstm"}, heads={"ner_width": 6})
    found = {read.name.partition(".")[0] for read in reads(task, TEXT)}
    assert found == {"encoder", "ner_encoder"}
    assert len(memory_of(task, [TEXT])) == 4
    with pytest.raises(UsageError, match="no gates"):
        list(gates_of(task, TEXT))


def test_equal_sentences_are_told_apart() -> None:
    gates = list(gates_of(taggers.untrained(**encoder()), "Good film.\n\nGood film."))
    assert sorted({gate.sentence for gate in gates}) == [1, 2]


@pytest.mark.parametrize("module", [taggers, classifiers])
def test_gates_are_told_in_the_order_of_the_text(module: Any) -> None:
    """Whichever way a layer reads. In a layer that reads backwards, what a gate does at the last word depends on that
    word alone, and so it is the same in a text of no other word.
    """
    task = module.untrained(**encoder())
    gates = [gate for gate in gates_of(task, TEXT) if gate.layer == "encoder.layers.0.backwards"]
    alone = [gate for gate in gates_of(task, WORDS[-1]) if gate.layer == "encoder.layers.0.backwards"]
    assert [gate.gate for gate in gates] == ["input", "forget", "output"]
    for gate, last in zip(gates, alone, strict=True):
        assert gate.backwards
        assert gate.tokens == WORDS
        assert gate.by_token[-1] == pytest.approx(last.by_token[0], abs=1e-5)
        assert gate.mean == pytest.approx(sum(gate.by_token) / len(WORDS), abs=1e-5)
        assert gate.closed + gate.open <= 1


def test_a_source_that_is_reversed_is_told_in_the_order_of_the_text_too() -> None:
    names = {}
    for reverse in (False, True):
        task = translators.untrained(source={"reverse": reverse}, encoder={"bidirectional": False})
        (gate, *_) = (g for g in gates_of(task, "a b c") if g.layer.startswith("encoder"))
        names[reverse] = gate.tokens
        assert gate.backwards == reverse
    assert names[False] == names[True]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_language_model_is_read_in_each_of_its_directions(bidirectional: bool) -> None:
    task = languages.untrained(**encoder(bidirectional=bidirectional, cell="gru"))
    found = {gate.layer.split(".")[0]: gate for gate in gates_of(task, "two three four")}
    assert set(found) == ({"forwards", "backwards"} if bidirectional else {"forwards"})
    assert found["forwards"].tokens[0] == "⏎"
    if bidirectional:
        assert found["backwards"].tokens[-1] == "⏎"
        assert found["backwards"].tokens[:-1] == found["forwards"].tokens[1:]


def test_cells_without_gates_say_so() -> None:
    with pytest.raises(UsageError, match="rnn"):
        list(gates_of(taggers.untrained(**encoder(cell="rnn")), TEXT))


@pytest.mark.parametrize("module", [taggers, classifiers, translators, languages])
def test_nothing_to_read_is_told(module: Any) -> None:
    with pytest.raises(UsageError, match="no words"):
        list(gates_of(module.untrained(), " "))


def test_memory_is_a_mean_over_the_texts_that_are_long_enough() -> None:
    task = taggers.untrained(**encoder(cell="rnn"))
    one, other, both = (memory_of(task, texts) for texts in ([TEXT], ["", "bad film"], [TEXT, "bad film", "bad"]))
    for long, short, joined in zip(one, other, both, strict=True):
        assert (len(long.gradients), len(short.gradients), joined.texts) == (5, 2, 2)
        expected = ((long.gradients[1] ** 2 + short.gradients[1] ** 2) / 2) ** 0.5
        assert joined.gradients[1] == pytest.approx(expected, rel=1e-5)
        assert joined.gradients[2:] == pytest.approx(long.gradients[2:])
        assert joined.cell == "rnn"


def test_where_gradients_vanish_the_distance_is_told() -> None:
    """Recurrent weights a twentieth of an orthogonal matrix: after two steps at most 1/400 is left."""
    task = taggers.untrained(**encoder(cell="rnn", layers=1))
    with torch.no_grad():
        for name, weight in task.network.named_parameters():
            if "weight_hh" in name:
                weight.mul_(0.05)
    for memory in memory_of(task, [TEXT]):
        assert (memory.half, memory.hundredth) == (1, 2)
    assert [len(memory.gradients) for memory in memory_of(task, [TEXT], furthest=1)] == [2, 2]


def test_single_words_have_no_memory() -> None:
    with pytest.raises(UsageError, match="longer"):
        memory_of(taggers.untrained(), ["film", ""])


def test_attention_of_a_classifier_is_a_distribution_over_its_words() -> None:
    task = classifiers.untrained(windows={"size": 8, "overlap": 2})
    text = " ".join(WORDS * 4)  # longer than a window
    found = attention_of(task, text)
    assert found.source == WORDS * 4
    assert sum(found.weights[0]) == pytest.approx(1, abs=1e-5)


def test_attention_of_a_translator_is_what_it_shows_itself() -> None:
    task = translators.trained()
    assert attention_of(task, "a b c") == task.translate(["a b c"], attention=True)[0].attention


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        (taggers, {}),
        (languages, {}),
        (classifiers, {"classifier": {"pooling": ["max"]}}),
        (translators, {"decoder": {"attention": "none"}}),
    ],
)
def test_models_without_attention_say_so(module: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no attention"):
        attention_of(module.untrained(**settings), TEXT)
