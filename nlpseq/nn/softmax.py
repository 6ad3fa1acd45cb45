"""The output layer and its loss as one operation. Axes: N positions, D features, V classes, C positions of a chunk.

A softmax over thousands of pieces is most of the work of a small decoder, and done plainly it is bound by memory: the
scores (N, V) travel to memory and back half a dozen times. Here a chunk of them at a time stays in cache, and its
gradients are computed while it is there, so nothing as large as (N, V) is ever kept.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nlpseq.nn.precision import is_mixed

CHUNK_SCORES = 2_000_000  # of a chunk: 8 MB; larger ones fall out of cache, smaller ones make slow matrix products
CHUNK_SCORES_ON_GPU = 100_000_000  # 400 MB: fewer are not enough work for one
ROOM = 2**17  # scores whose exponentials are made together
LEAST = 1e-30  # a sum of exponentials below which they may have vanished


def smoothed_cross_entropy(
    states_ND: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_N: Tensor, smoothing: float = 0.0
) -> Tensor:
    """The summed cross-entropy (nats) of softmax(states · weightᵀ + bias) with the targets (int64).

    With `smoothing` s a target stands for 1 - s of the probability, and s is spread evenly over all V classes (Szegedy
    et al. 2016, section 7). It equals `torch.nn.functional.cross_entropy(..., reduction="sum", label_smoothing=s)`.
    """
    learning = torch.is_grad_enabled()  # within `forward` it never is, and weights need gradients all the same
    loss: Tensor = _SmoothedCrossEntropy.apply(states_ND, weight_VD, bias_V, targets_N, smoothing, learning)  # type: ignore[no-untyped-call]
    return loss


def sampled_cross_entropy(
    states_ND: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_N: Tensor, samples: int
) -> Tensor:
    """The summed cross-entropy (nats) among some of V classes, which are ordered from frequent to rare: all targets,
    and what `samples` draws of Zipf's law give. It is for training: its value is not that over all classes.

    Sampled softmax (Jean et al. 2015, section 3; the targets of a batch are draws too: Yi et al. 2019, section 3): the
    logarithm of how likely a class was to be among them is taken from its score, so that the gradient is that of the
    softmax over all, but for a bias that falls with their number. That likelihood is by Zipf's law for targets too.
    """
    if not len(targets_N):
        return smoothed_cross_entropy(states_ND, weight_VD, bias_V, targets_N)
    drawn_S = _zipf(len(bias_V), samples, bias_V.device)
    chosen_C, places = torch.cat((targets_N, drawn_S)).unique(return_inverse=True)  # type: ignore[no-untyped-call]
    rank_C = chosen_C.to(bias_V.dtype)
    each_C = ((rank_C + 2) / (rank_C + 1)).log() / math.log(len(bias_V) + 1)  # the likelihood of one draw
    among_C = -torch.expm1((len(targets_N) + samples) * torch.log1p(-each_C))
    return smoothed_cross_entropy(
        states_ND, weight_VD[chosen_C], bias_V[chosen_C] - among_C.log(), places[: len(targets_N)]
    )


def _zipf(size: int, count: int, device: torch.device) -> Tensor:
    """So many draws of 0 to size - 1, of which k has the probability log((k + 2) / (k + 1)) / log(size + 1)."""
    return ((torch.rand(count, device=device) * math.log(size + 1)).exp() - 1).long().clamp(max=size - 1)


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The gradients are those of one forward pass; `backward` only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        states_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor,
        targets_N: Tensor,
        smoothing: float,
        learning: bool,
    ) -> Tensor:
        """See `smoothed_cross_entropy`."""
        learning = learning and any(ctx.needs_input_grad)
        gradients = tuple(map(torch.zeros_like, (states_ND, weight_VD, bias_V))) if learning else None
        size = max(1, (CHUNK_SCORES_ON_GPU if states_ND.is_cuda else CHUNK_SCORES) // len(weight_VD))
        total = states_ND.new_zeros(())
        kind = torch.bfloat16 if is_mixed() else states_ND.dtype  # of the factors of products
        factors_ND, factors_VD = states_ND.to(kind), weight_VD.to(kind)
        for start in range(0, len(states_ND), size):
            here = slice(start, start + size)
            scores_CV = torch.mm(factors_ND[here], factors_VD.T).to(states_ND.dtype).add_(bias_V)
            loss, slope_CV = _loss_and_slope(scores_CV, targets_N[here], smoothing)
            total += loss
            if gradients:
                factors_CV = slope_CV.to(kind)
                gradients[0][here] = torch.mm(factors_CV, factors_VD)
                gradients[1].add_(torch.mm(factors_CV.T, factors_ND[here]))
                gradients[2].add_(slope_CV.sum(0))
        if gradients:
            ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the states, the weight and the bias."""
        states_ND, weight_VD, bias_V = ctx.saved_tensors
        return grad * states_ND, grad * weight_VD, grad * bias_V, None, None, None


def _loss_and_slope(scores_CV: Tensor, targets_C: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """The summed loss, and its gradient with respect to the scores, in their place: softmax minus smoothed target."""
    targets_C1 = targets_C.unsqueeze(1)
    wanted_C = (1 - smoothing) * scores_CV.gather(1, targets_C1).squeeze(1)
    if smoothing:
        wanted_C += smoothing * scores_CV.mean(1)
    top_C1 = scores_CV.amax(1, keepdim=True)
    slope_CV = scores_CV.sub_(top_C1).exp_()
    sum_C1 = slope_CV.sum(1, keepdim=True)
    loss = ((top_C1 + sum_C1.log()).squeeze(1) - wanted_C).sum()
    slope_CV.div_(sum_C1)
    if smoothing:
        slope_CV.sub_(smoothing / slope_CV.shape[1])
    return loss, slope_CV.scatter_add_(1, targets_C1, slope_CV.new_full(targets_C1.shape, smoothing - 1))


def log_sums(scores_RV: Tensor) -> Tensor:
    """The logarithm (R) of the sum of the exponentials of all scores.

    They are summed as they are, which is twice as fast as beside the highest of them, if that is possible.
    """
    parts = torch.split(scores_RV, max(1, ROOM // scores_RV.shape[1]))
    room_CV = torch.empty_like(parts[0])
    sums_R = torch.cat([torch.exp(part_CV, out=room_CV[: len(part_CV)]).sum(1) for part_CV in parts])
    if not bool(((sums_R > LEAST) & (sums_R < torch.inf)).all()):
        return scores_RV.logsumexp(1).clamp(min=torch.finfo(scores_RV.dtype).min)  # where nothing is possible
    return sums_R.log_()
