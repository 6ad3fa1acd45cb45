"""Products of bfloat16 numbers, against the same of float32."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nlpseq.config import EncoderConfig
from nlpseq.nn.precision import is_mixed, mixed_precision
from nlpseq.nn.recurrent import CellState, RecurrentEncoder, run
from nlpseq.nn.softmax import smoothed_cross_entropy
from nlpseq.nn.stack import RecurrentStack
from nlpseq.training.loop import Run
from tests import taggers

cells = pytest.mark.parametrize("cell", ["rnn", "irnn", "gru", "lstm"])


def compared(work: Callable[[], Tensor], weights: list[Tensor]) -> tuple[Tensor, Tensor, float]:
    """What `work` gives in float32 and in bfloat16, and the cosine between the gradients of its weighted sum."""
    found, slopes = [], []
    for mixed in (False, True):
        with mixed_precision(mixed):
            given = work()
        marks = torch.linspace(-1, 1, given.numel()).view_as(given)
        slopes.append(torch.cat([slope.flatten() for slope in torch.autograd.grad((given * marks).sum(), weights)]))
        found.append(given.detach())
    assert all(slope.dtype == torch.float32 for slope in slopes)
    return found[0], found[1], float(nn.functional.cosine_similarity(*slopes, dim=0))


@cells
def test_layers_say_nearly_the_same_and_so_do_their_gradients(cell: str) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(EncoderConfig(cell=cell, layers=2, width=24, dropout=0.0), 16)  # type: ignore[arg-type]
    inputs_BTD, lengths_B = torch.randn(5, 9, 16), torch.tensor([9, 3, 1, 7, 9])
    whole, mixed, cosine = compared(lambda: encoder(inputs_BTD, lengths_B), list(encoder.parameters()))
    assert mixed.dtype == torch.float32
    assert not torch.equal(whole, mixed)
    assert torch.allclose(whole, mixed, atol=0.02 * float(whole.abs().max()))
    assert cosine > 0.999


@cells
def test_what_a_layer_hands_on_stays_float32(cell: str) -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(cell, 6, [7, 8], weight_dropout=0.5)  # type: ignore[arg-type]
    start = CellState(torch.zeros(3, 7), torch.zeros(3, 7) if cell == "lstm" else None)
    with mixed_precision():
        dropped, raw, after = stack(torch.randn(3, 4, 6))
        stack(torch.randn(3, 4, 6), after)  # and is taken up again
        states = run(stack.layers[0], torch.randn(3, 4, 6), start)
    assert {t.dtype for t in (dropped, raw, states, *(state for layer in after for state in layer))} == {torch.float32}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_an_output_layer_is_nearly_the_same(smoothing: float) -> None:
    torch.manual_seed(0)
    weights = [torch.randn(50, 16, requires_grad=True), torch.randn(30, 16, requires_grad=True)]
    bias, targets = torch.randn(30, requires_grad=True), torch.randint(30, (50,))
    whole, mixed, cosine = compared(
        lambda: smoothed_cross_entropy(*weights, bias, targets, smoothing)[None] + 0 * bias[:1], [*weights, bias]
    )
    assert not torch.equal(whole, mixed)
    assert torch.allclose(whole, mixed, rtol=0.01)
    assert cosine > 0.999


def test_it_ends_with_its_block() -> None:
    with mixed_precision():
        assert is_mixed()
        with mixed_precision(False):
            assert not is_mixed()
        assert is_mixed()
    assert not is_mixed()


@pytest.mark.parametrize(("precision", "fast", "mixed"), [("auto", True, True), ("auto", False, False)])
def test_it_is_chosen_where_the_processor_is_fast_at_it(
    precision: str, fast: bool, mixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlpseq.training.loop.is_fast_on", lambda _: fast)
    task = taggers.untrained(training={"precision": precision})
    assert Run(task, task.config.training).mixed == mixed
    for said in ("float32", "bfloat16"):
        task = taggers.untrained(training={"precision": said})
        assert Run(task, task.config.training).mixed == (said == "bfloat16")


def test_steps_of_training_are_mixed_and_evaluations_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from nlpseq.training.loop import fit
    from tests.examples import corpus

    task = taggers.untrained(training={"precision": "bfloat16", "epochs": 1})
    seen: dict[str, set[bool]] = {"losses": set(), "score": set()}
    for name, said in seen.items():
        own = getattr(task, name)
        monkeypatch.setattr(task, name, lambda given, own=own, said=said: (said.add(is_mixed()), own(given))[1])
    examples = corpus(12, seed=1)
    list(fit(Run(task, task.config.training), [task.encode(example) for example in examples], examples))
    assert seen == {"losses": {True}, "score": {False}}
