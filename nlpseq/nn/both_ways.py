"""Readings of the same inputs that are trained at once, on a part of the CPU's threads each: a layer's two directions.

The products of a recurrent step are too small to be shared out between cores, and neither direction waits for the
other, forwards or backwards.

Axes: X and Y are whatever enters and leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from nlpseq.threads import at_once

Read = Callable[[Any, Tensor], Tensor]  # what is told about it, and inputs (X) -> what is made of them (Y)


def worth_it(inputs_X: Tensor) -> bool:
    """Whether gradients are wanted, and there are threads to share out."""
    return torch.is_grad_enabled() and inputs_X.device.type == "cpu" and torch.get_num_threads() > 1


def read_at_once(
    read: Read, told: Sequence[Any], inputs_X: Tensor, weights: Sequence[Sequence[Tensor]]
) -> tuple[Tensor, ...]:
    """What `read` makes of the same inputs, told one thing after the other, by weights of its own each time.

    Second derivatives cannot be taken of it.
    """
    given = (*[inputs_X] * len(told), *chain.from_iterable(weights))
    made: tuple[Tensor, ...] = _AtOnce.apply(read, told, weights, *given)  # type: ignore[no-untyped-call]
    return made


class _AtOnce(torch.autograd.Function):
    """Each has a graph of its own behind it, which no other thread sees."""

    @staticmethod
    def forward(
        ctx: Any, read: Read, told: Sequence[Any], weights: Sequence[Sequence[Tensor]], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        inputs = [given.detach().requires_grad_(given.requires_grad) for given in tensors[: len(told)]]

        def one(about: Any, inputs_X: Tensor) -> Tensor:
            with torch.enable_grad():
                return read(about, inputs_X)

        made = at_once(one, told, inputs)
        ctx.graphs = [(made_Y, [given, *own]) for made_Y, given, own in zip(made, inputs, weights, strict=True)]
        return tuple(made_Y.detach() for made_Y in made)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph=True
            raise RuntimeError("No second derivatives of layers in two threads: use torch.set_num_threads(1).")
        found = at_once(_gradients, ctx.graphs, slopes)
        of_weights = [gradient for _, *own in found for gradient in own]
        return (None, None, None, *(first for first, *_ in found), *of_weights)


def _gradients(graph: tuple[Tensor, list[Tensor]], slopes_Y: Tensor) -> list[Tensor | None]:
    """Of the inputs and weights that a graph began with; none of those that are not learnt."""
    made_Y, begun_with = graph
    learnt = [tensor for tensor in begun_with if tensor.requires_grad]
    # The graph goes when the one around it goes, which alone knows whether it is differentiated again.
    gradients = iter(torch.autograd.grad(made_Y, learnt, slopes_Y, retain_graph=True) if learnt else ())
    return [next(gradients) if tensor.requires_grad else None for tensor in begun_with]
