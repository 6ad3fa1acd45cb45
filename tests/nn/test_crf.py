"""The CRF against the enumeration of every label sequence: with 3 labels and 5 positions there are 243."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from nlpseq.nn.crf import LinearChainCRF
from nlpseq.tasks.tagging_network import _allowed
from nlpseq.text.tags import can_follow
from nlpseq.text.vocab import Vocabulary

LENGTHS = [5, 1, 3, 2]
EXACT = {"atol": 1e-10, "rtol": 1e-10}  # float64 sums of a few hundred terms


def chain(
    labels: int, allowed_KK: Tensor | None = None, allowed_K: Tensor | None = None, seed: int = 0
) -> LinearChainCRF:
    everything = torch.ones(labels, labels, dtype=torch.bool)
    crf = LinearChainCRF(
        everything if allowed_KK is None else allowed_KK, everything[0] if allowed_K is None else allowed_K
    ).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in crf.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return crf


def restricted(seed: int = 0) -> LinearChainCRF:
    """Label 2 may follow 1 and 2 alone, and not come first: as I-X after B-X and I-X."""
    allowed_KK = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])
    return chain(3, allowed_KK, torch.tensor([True, True, False]), seed)


def emissions(labels: int = 3, seed: int = 1, scale: float = 2.0) -> tuple[Tensor, Tensor]:
    """Scores (B, T, K) with garbage at padded positions, and the mask."""
    generator = torch.Generator().manual_seed(seed)
    scores = scale * torch.randn(len(LENGTHS), max(LENGTHS), labels, generator=generator, dtype=torch.float64)
    mask = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
    return scores.masked_fill(~mask[..., None], 77.0), mask


def enumerated(crf: LinearChainCRF, scores_TK: Tensor) -> dict[tuple[int, ...], Tensor]:
    """The score of every allowed path, from the definition."""
    found = {}
    for path in product(range(scores_TK.shape[1]), repeat=scores_TK.shape[0]):
        if not crf.allowed_start_K[path[0]] or not all(crf.allowed_KK[a, b] for a, b in pairwise(path)):
            continue
        score = crf.start[path[0]] + sum(scores_TK[t, k] for t, k in enumerate(path))
        found[path] = score + sum(crf.transitions[a, b] for a, b in pairwise(path))
    return found


MAKERS = pytest.mark.parametrize("make", [lambda: chain(3), restricted], ids=["free", "restricted"])


SCALES = pytest.mark.parametrize("scale", [2.0, 60.0])  # of the second, probabilities would underflow


@MAKERS
@SCALES
def test_the_loss_is_that_of_the_enumeration(make: Callable[[], LinearChainCRF], scale: float) -> None:
    crf = make()
    scores, mask = emissions(scale=scale)
    labels = torch.tensor([[1, 2, 0, 1, 2], [0, 2, 2, 2, 2], [1, 2, 2, 0, 0], [0, 1, 2, 2, 2]])  # any at padding
    wanted = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS):
        paths = enumerated(crf, scores[row, :length])
        wanted += torch.stack(list(paths.values())).logsumexp(0) - paths[tuple(labels[row, :length].tolist())]
    torch.testing.assert_close(crf.loss(scores, labels, mask).sum(), wanted, **EXACT)


@MAKERS
@SCALES
def test_the_gradient_is_that_of_the_enumeration(make: Callable[[], LinearChainCRF], scale: float) -> None:
    crf = make()
    scores, mask = emissions(scale=scale)
    scores.requires_grad_()
    weights = [1.0, 3.0, 0.5, 2.0]  # of the sentences
    labels = torch.tensor([[1, 2, 0, 1, 2], [0, 0, 0, 0, 0], [1, 2, 2, 0, 0], [0, 1, 0, 0, 0]])
    (crf.loss(scores, labels, mask) * torch.tensor(weights)).sum().backward()
    ours = [scores.grad.clone(), crf.transitions.grad.clone(), crf.start.grad.clone()]
    for tensor in (scores, crf.transitions, crf.start):
        tensor.grad = None
    total = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS):
        paths = enumerated(crf, scores[row, :length])
        loss = torch.stack(list(paths.values())).logsumexp(0) - paths[tuple(labels[row, :length].tolist())]
        total = total + weights[row] * loss
    total.backward()
    theirs = [scores.grad, crf.transitions.grad, crf.start.grad]
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, **EXACT)
    assert ours[0][~mask].abs().sum() == 0


@MAKERS
@pytest.mark.parametrize("seed", range(5))
def test_the_decoded_path_is_the_best_of_all(make: Callable[[], LinearChainCRF], seed: int) -> None:
    crf = make()
    scores, mask = emissions(seed=seed)
    decoded = crf.decode(scores, mask)
    for row, length in enumerate(LENGTHS):
        paths = enumerated(crf, scores[row, :length])
        assert tuple(decoded[row, :length].tolist()) == max(paths, key=lambda path: paths[path].item())


@MAKERS
@pytest.mark.parametrize(("scale", "steepness"), [(2, 1), (60, 1), (2, 60), (1e4, 1)])
def test_marginals_are_those_of_the_enumeration(
    make: Callable[[], LinearChainCRF], scale: float, steepness: float
) -> None:
    """Also where odds would underflow, of labels or of steps."""
    crf = make()
    with torch.no_grad():
        for weight in crf.parameters():
            weight *= steepness
    scores, mask = emissions(scale=scale)
    marginals = crf.marginals(scores, mask)
    for row, length in enumerate(LENGTHS):
        paths = enumerated(crf, scores[row, :length])
        whole = torch.stack(list(paths.values())).logsumexp(0)
        wanted = torch.zeros(length, 3, dtype=torch.float64)
        for path, score in paths.items():
            for position, label in enumerate(path):
                wanted[position, label] += (score - whole).exp()
        torch.testing.assert_close(marginals[row, :length], wanted, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_odds_that_underflow_together(seed: int) -> None:
    """Of labels and of steps to them, each of which would do alone; in float32, with steps of any kind forbidden."""
    generator = torch.Generator().manual_seed(seed)
    allowed_KK = (torch.rand(5, 5, generator=generator) < 0.5) | torch.eye(5, dtype=torch.bool)
    crf = LinearChainCRF(allowed_KK, torch.ones(5, dtype=torch.bool))
    with torch.no_grad():
        for weight in crf.parameters():
            weight.copy_(39 * torch.rand(weight.shape, generator=generator))
    scores = (39 * torch.rand(2, 10, 5, generator=generator)).requires_grad_()
    mask = torch.ones(2, 10, dtype=torch.bool)
    wanted = crf.double().log_marginals(scores.detach().double(), mask).exp().float()
    crf.float()
    assert torch.allclose(crf.marginals(scores.detach(), mask), wanted, atol=1e-3)
    crf.loss(scores, wanted.argmax(2), mask).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in (scores, *crf.parameters()))


@pytest.mark.parametrize("lead", [50, 2e4, 1e9])
@pytest.mark.parametrize("seed", range(4))
def test_the_forbidden_is_never_predicted_and_has_no_probability(seed: int, lead: float) -> None:
    """Even where every emission asks for it: label 2 leads by 50, which is e^50 to 1, or by far more."""
    crf = restricted(seed)
    scores, mask = emissions(seed=seed)
    scores[..., 2] += lead
    decoded, marginals = crf.decode(scores, mask), crf.marginals(scores, mask)
    for row, length in enumerate(LENGTHS):
        path = decoded[row, :length].tolist()
        assert path[0] != 2
        assert marginals[row, 0, 2] == 0
        assert all(crf.allowed_KK[a, b] for a, b in pairwise(path))


def test_padding_changes_nothing() -> None:
    crf = chain(3)
    scores, mask = emissions()
    labels = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.int64)
    total = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS):
        alone = scores[row : row + 1, :length], mask[row : row + 1, :length]
        torch.testing.assert_close(crf.marginals(scores, mask)[row, :length], crf.marginals(*alone)[0], **EXACT)
        assert torch.equal(crf.decode(scores, mask)[row, :length], crf.decode(*alone)[0])
        total = total + crf.loss(alone[0], labels[row : row + 1, :length], alone[1]).sum()
    torch.testing.assert_close(crf.loss(scores, labels, mask).sum(), total, **EXACT)


def test_a_fresh_chain_is_a_softmax_a_position() -> None:
    crf = LinearChainCRF(torch.ones(3, 3), torch.ones(3)).double()
    scores, mask = emissions()
    torch.testing.assert_close(crf.marginals(scores, mask)[mask], scores.softmax(2)[mask], **EXACT)
    assert torch.equal(crf.decode(scores, mask)[mask], scores.argmax(2)[mask])


def test_a_long_sentence_stays_finite_in_float32() -> None:
    """1,000 words with large scores: forward sums reach tens of thousands, of which float32 keeps two digits after
    the point; so probabilities are good to some 1e-2, and each row still adds up."""
    crf = restricted().float()
    scores = 30 * torch.randn(1, 1000, 3, generator=torch.Generator().manual_seed(3))
    mask = torch.ones(1, 1000, dtype=torch.bool)
    marginals = crf.marginals(scores, mask)
    torch.testing.assert_close(marginals.sum(2), torch.ones(1, 1000))
    wanted = crf.double().marginals(scores.double(), mask)
    assert (marginals - wanted).abs().max() < 1e-2
    path = crf.decode(scores.double(), mask)
    assert crf.loss(scores.double(), path, mask).isfinite()


def test_a_tagger_forbids_just_what_iob2_does() -> None:
    tags = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    allowed_KK, allowed_K = _allowed("ner", Vocabulary(tags, reserved=0))
    for i, previous in enumerate(tags):
        assert bool(allowed_K[i]) == can_follow(None, previous) == (not previous.startswith("I"))
        for j, tag in enumerate(tags):
            wanted = not tag.startswith("I") or previous in {f"B-{tag[2:]}", f"I-{tag[2:]}"}
            assert bool(allowed_KK[i, j]) == wanted
    assert all(part.all() for part in _allowed("upos", Vocabulary(("I-X", "O"), reserved=0)))
