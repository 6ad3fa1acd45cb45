from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nlpseq.nn import softmax
from nlpseq.nn.softmax import log_sums, sampled_cross_entropy, smoothed_cross_entropy

smoothings = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])


def problem(positions: int = 11, width: int = 5, classes: int = 7) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States, weight, bias and targets in double precision, as gradcheck wants them."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(positions, width), (classes, width), (classes,)]
    states_ND, weight_VD, bias_V = (
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes
    )
    return states_ND, weight_VD, bias_V, torch.randint(classes, (positions,), generator=generator)


@pytest.fixture(params=[1, 3, 100], autouse=True)
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven positions in chunks of one, of three (the last is shorter), and all at once."""
    monkeypatch.setattr(softmax, "CHUNK_SCORES", 7 * request.param)


@smoothings
def test_loss_and_gradients_are_those_of_torch(smoothing: float) -> None:
    *ours, targets_N = problem()
    *theirs, _ = problem()
    loss = smoothed_cross_entropy(*ours, targets_N, smoothing)
    scores_NV = nn.functional.linear(*theirs)
    wanted = nn.functional.cross_entropy(scores_NV, targets_N, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(loss, wanted)
    (3 * loss).backward()  # by a factor, since the gradients are computed before it is known
    (3 * wanted).backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@smoothings
def test_the_gradients_are_those_of_the_loss(smoothing: float) -> None:
    *weights, targets_N = problem(positions=4)
    assert torch.autograd.gradcheck(lambda *w: smoothed_cross_entropy(*w, targets_N, smoothing), weights)


def test_large_scores_are_no_trouble() -> None:
    states_ND = torch.tensor([[1000.0], [-1000.0]], requires_grad=True)
    loss = smoothed_cross_entropy(states_ND, torch.tensor([[1.0], [-1.0]]), torch.zeros(2), torch.tensor([0, 0]))
    assert loss.item() == 2000.0  # the first is certain, the second 2000 nats off
    loss.backward()
    assert states_ND.grad is not None
    assert states_ND.grad.tolist() == [[0.0], [-2.0]]


def test_without_gradients_nothing_is_kept() -> None:
    *weights, targets_N = problem()
    with torch.no_grad():
        assert not smoothed_cross_entropy(*weights, targets_N).requires_grad


@pytest.mark.parametrize("still", [torch.no_grad, torch.inference_mode])
def test_without_gradients_none_are_computed(still: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a matrix product a chunk, as the scores do, and there are two of them: weights that need gradients
    elsewhere once made evaluations three times as long.
    """
    *weights, targets_N = problem()
    products = 0

    def counted(*factors: Tensor) -> Tensor:
        nonlocal products
        products += 1
        return torch.matmul(*factors)

    monkeypatch.setattr(torch, "mm", counted)
    with still():
        smoothed_cross_entropy(*weights, targets_N)
    assert products == -(-11 // (softmax.CHUNK_SCORES // 7))


def test_no_position_has_no_loss() -> None:
    *weights, _ = problem()
    loss = smoothed_cross_entropy(weights[0][:0], *weights[1:], torch.zeros(0, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0


def test_among_all_classes_the_sampled_loss_is_the_whole_one() -> None:
    *weights, targets_N = problem()
    torch.testing.assert_close(
        sampled_cross_entropy(*weights, targets_N, 100_000), smoothed_cross_entropy(*weights, targets_N)
    )


def test_few_samples_give_gradients_to_few_classes() -> None:
    torch.manual_seed(0)
    states_ND, weight_VD, bias_V, targets_N = problem(classes=1000)
    sampled_cross_entropy(states_ND, weight_VD, bias_V, targets_N, 20).backward()
    assert weight_VD.grad is not None
    touched = weight_VD.grad.any(1)
    assert touched[targets_N].all()
    assert touched.sum() <= len(targets_N) + 20


def test_the_softmax_over_all_is_learnt_from_samples() -> None:
    """Of 300 classes, by Zipf's law, 60 or fewer are looked at in a step: their frequencies are learnt all the same."""
    torch.manual_seed(0)
    true_V = 1 / torch.arange(1, 301)
    true_V /= true_V.sum()
    bias_V, states_N1, weight_V1 = torch.zeros(300, requires_grad=True), torch.ones(40, 1), torch.zeros(300, 1)
    optimizer = torch.optim.Adam([bias_V], lr=0.05)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 600)
        optimizer.zero_grad()
        targets_N = torch.multinomial(true_V, 40, replacement=True)
        (sampled_cross_entropy(states_N1, weight_V1, bias_V, targets_N, 20) / 40).backward()
        optimizer.step()
    learnt_V = bias_V.detach().softmax(0)
    assert (true_V * (true_V / learnt_V).log()).sum() < 0.02  # nats; of all alike it is 1.3


def test_nothing_to_foretell_costs_nothing_when_sampled() -> None:
    *weights, _ = problem()
    assert sampled_cross_entropy(weights[0][:0], *weights[1:], torch.zeros(0, dtype=torch.int64), 5).item() == 0


@pytest.mark.parametrize("shift", [0.0, 60.0, 300.0, -60.0, -300.0])
def test_log_sums_are_those_of_torch_however_large(shift: float) -> None:
    scores_RV = torch.randn(400, 700, generator=torch.Generator().manual_seed(1)).mul_(5).add_(shift)
    torch.testing.assert_close(log_sums(scores_RV), scores_RV.logsumexp(1))


def test_where_nothing_is_possible_a_log_sum_is_a_number() -> None:
    scores_RV = torch.tensor([[-torch.inf, -torch.inf], [0.0, 0.0]])
    assert log_sums(scores_RV).isfinite().all()
