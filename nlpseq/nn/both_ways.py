"""Two recurrent layers that are trained at once, on half of the CPU's threads each: the two directions of one layer.

The products of a recurrent step are too small to be shared out between cores, and neither direction waits for the
other, forwards or backwards.

Axes: B sentences, T positions, D input features, W state features of one direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nlpseq.threads import pool_of

R = TypeVar("R")
Read = Callable[[nn.Module, Tensor], Tensor]  # a layer and its inputs (B, T, D) -> states (B, T, W)


def worth_it(inputs_BTD: Tensor) -> bool:
    """Whether gradients are wanted, and there are threads to share out."""
    return torch.is_grad_enabled() and inputs_BTD.device.type == "cpu" and torch.get_num_threads() > 1


def read_at_once(read: Read, layers: Sequence[nn.Module], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What `read` makes of each layer and its inputs. Second derivatives cannot be taken of it."""
    weights = [list(layer.parameters()) for layer in layers]
    given = (*inputs, *chain.from_iterable(weights))
    states: tuple[Tensor, ...] = _AtOnce.apply(read, layers, weights, *given)  # type: ignore[no-untyped-call]
    return states


class _AtOnce(torch.autograd.Function):
    """Each layer has a graph of its own behind it, which no other thread sees."""

    @staticmethod
    def forward(
        ctx: Any, read: Read, layers: Sequence[nn.Module], weights: Sequence[list[Tensor]], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        inputs = [given.detach().requires_grad_(given.requires_grad) for given in tensors[: len(layers)]]

        def one(layer: nn.Module, inputs_BTD: Tensor) -> Tensor:
            with torch.enable_grad():
                return read(layer, inputs_BTD)

        states = _each(one, layers, inputs)
        ctx.graphs = [(made, [given, *own]) for made, given, own in zip(states, inputs, weights, strict=True)]
        return tuple(made.detach() for made in states)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph=True
            raise RuntimeError("No second derivatives of layers in two threads: use torch.set_num_threads(1).")
        found = _each(_gradients, ctx.graphs, slopes)
        of_weights = [gradient for _, *own in found for gradient in own]
        return (None, None, None, *(first for first, *_ in found), *of_weights)


def _gradients(graph: tuple[Tensor, list[Tensor]], slopes_BTW: Tensor) -> list[Tensor | None]:
    """Of the inputs and weights that a graph began with; none of those that are not learnt."""
    states_BTW, begun_with = graph
    learnt = [tensor for tensor in begun_with if tensor.requires_grad]
    # The graph goes when the one around it goes, which alone knows whether it is differentiated again.
    gradients = iter(torch.autograd.grad(states_BTW, learnt, slopes_BTW, retain_graph=True) if learnt else ())
    return [next(gradients) if tensor.requires_grad else None for tensor in begun_with]


def _each(work: Callable[..., R], *given: Sequence[Any]) -> list[R]:
    """`work` of each, at once, in the contexts of this thread."""
    sets = list(zip(*given, strict=True))
    pool = pool_of(len(sets), max(1, torch.get_num_threads() // len(sets)))
    waiting = [pool.submit(copy_context().run, work, *one) for one in sets]
    return [done.result() for done in waiting]
