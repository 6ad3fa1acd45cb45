"""Adversarial training on word vectors (Miyato, Dai & Goodfellow 2017, section 3).

Axes: R windows, W positions of a window, D features of a word.
"""

from __future__ import annotations

import torch
from torch import Tensor


def against(vectors_RWD: Tensor, loss: Tensor, size: float) -> Tensor:
    """The vectors, those of each window together moved by `size` (Euclidean) to where the loss rises most.

    r = size * g / |g|, g the gradient of the loss with respect to a window (equation 3 there). The move is a constant:
    gradients reach the vectors as if they had not been moved. Padding, which has no gradient, stays where it is.
    """
    (slope_RWD,) = torch.autograd.grad(loss, vectors_RWD, retain_graph=True)
    norm_R11 = slope_RWD.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    moved_RWD: Tensor = vectors_RWD + size * slope_RWD / norm_R11
    return moved_RWD
