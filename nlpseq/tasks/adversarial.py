"""Word vectors that are moved against a classifier (Miyato, Dai & Goodfellow 2017, section 3).

Unlike there, vectors are not normalised, a move is of one window, not of a whole document, and what dropout hides is
drawn anew for the reading with moved vectors: what that reading teaches is to answer the same in spite of both.

Axes: R windows, W positions of a window, D features of a word, B texts, K labels.
"""

from __future__ import annotations

import torch
from torch import Tensor

NUDGE = 0.1  # how far vectors are moved to see what changes, as a part of how far they are moved then


def uphill(vectors_RWD: Tensor, loss: Tensor, size: float) -> Tensor:
    """The move (R, W, D), of the length `size` in each window, to where the loss rises most.

    r = size * g / |g|, g the gradient of the loss with respect to a window. The move is a constant:
    gradients reach vectors that it is added to as if they had not been moved. Padding, which has no gradient, stays
    where it is.
    """
    (slope_RWD,) = torch.autograd.grad(loss, vectors_RWD, retain_graph=True)
    return _as_long_as(slope_RWD, size)


def nudged(vectors_RWD: Tensor, size: float) -> Tensor:
    """Vectors that lie a little, at random, from these, to be differentiated."""
    return (vectors_RWD.detach() + _as_long_as(torch.randn_like(vectors_RWD), NUDGE * size)).requires_grad_()


def divergence(logits_BK: Tensor, settled_BK: Tensor) -> Tensor:
    """KL(p | q) (nats), summed over texts: how far what logits say, q, is from what settled ones say, p."""
    return torch.nn.functional.kl_div(
        logits_BK.log_softmax(1), settled_BK.log_softmax(1), reduction="sum", log_target=True
    )


def _as_long_as(moves_RWD: Tensor, size: float) -> Tensor:
    norm_R11 = moves_RWD.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    scaled_RWD: Tensor = size * moves_RWD / norm_R11
    return scaled_RWD
