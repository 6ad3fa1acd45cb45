"""A recurrent layer of one direction, in one call of torch's fused kernel.

Axes: B sentences or streams, T positions, D input features, H state features.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.batching import reversed_positions
from nlpseq.nn.precision import is_mixed, rounding

WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")  # in the order that torch's functions want
_FUNCTIONS = {"GRU": torch.gru, "RNN_RELU": torch.rnn_relu, "RNN_TANH": torch.rnn_tanh}
State = tuple[Tensor, ...]  # h, and for an LSTM c, each (1, B, H)


def read(
    layer: nn.RNNBase, inputs_BTD: Tensor, before: State | None = None, *, recurrent_weight: Tensor | None = None
) -> tuple[Tensor, State]:
    """The states (B, T, H), and the last ones. `before` is such a state to begin in; None: zero.

    `recurrent_weight` is taken in place of the layer's own, as dropout leaves it. Where products are to be of bfloat16
    numbers, the states are as precise as the inputs all the same.
    """
    on_gpu = is_mixed() and inputs_BTD.is_cuda
    with rounding():
        if recurrent_weight is None and not on_gpu:
            begin = () if before is None else (before if len(before) > 1 else before[0],)  # as torch's modules want it
            states_BTH, after = layer(inputs_BTD, *begin)
            after = after if isinstance(after, tuple) else (after,)
        else:
            weights: list[Tensor] = [getattr(layer, name) for name in WEIGHTS]
            if recurrent_weight is not None:
                weights[1] = recurrent_weight
            kind = torch.bfloat16 if on_gpu else inputs_BTD.dtype
            states_BTH, after = _called(layer, inputs_BTD, before or _zeros(layer, inputs_BTD), weights, kind)
    return states_BTH.to(inputs_BTD.dtype), tuple(state.to(inputs_BTD.dtype) for state in after)


class Order(NamedTuple):
    """In what order a layer reads: where each step of each row stands among the B T positions, step by step (T, B), and
    at which of these steps each position is read (B, T).
    """

    rows_TB: Tensor
    back_BT: Tensor


def both_orders(lengths_B: Tensor, width: int) -> tuple[Order, Order]:
    """Forwards, and backwards within the length of each row, padding staying where it is."""
    count, device = len(lengths_B), lengths_B.device
    rows_B1 = torch.arange(count, device=device)[:, None]
    steps_BT = torch.arange(width, device=device).expand(count, -1), reversed_positions(lengths_B, width)
    one, other = (Order((width * rows_B1 + own_BT).T, count * own_BT + rows_B1) for own_BT in steps_BT)
    return one, other


def precision(layer: nn.Module, inputs_BTD: Tensor) -> torch.dtype:
    """The kind of numbers in which a layer gives its states, if it may choose.

    Where products are to be of bfloat16 numbers on a CPU, so are the states of an LSTM: they are rounded anyway.
    Torch's kernels of other cells would add up their states in bfloat16, too.
    """
    low = is_mixed() and not inputs_BTD.is_cuda and isinstance(layer, nn.LSTM)
    return torch.bfloat16 if low else inputs_BTD.dtype


def read_in_order(layer: nn.RNNBase, order: Order, inputs_BTD: Tensor) -> Tensor:
    """The states (B, T, H) of a layer that reads in this order from zero, each where its input stands."""
    width, count = order.rows_TB.shape
    kind = precision(layer, inputs_BTD)
    rows_N, back_N = order.rows_TB.flatten(), order.back_BT.flatten()
    # Step by step in memory, as the kernels want it.
    inputs_BTD = moved(inputs_BTD.flatten(0, 1).to(kind), rows_N, back_N).view(width, count, -1).transpose(0, 1)
    if kind == torch.bfloat16:
        weights: list[Tensor] = [getattr(layer, name) for name in WEIGHTS]
        states_BTH, _ = _called(layer, inputs_BTD, _zeros(layer, inputs_BTD), weights, kind)
    else:
        states_BTH, _ = read(layer, inputs_BTD)
    return moved(states_BTH.transpose(0, 1).flatten(0, 1), back_N, rows_N).view(count, width, -1)


def moved(rows_ND: Tensor, order_N: Tensor, back_N: Tensor) -> Tensor:
    """Rows in another order, which `back_N` undoes, by which their gradients go back: faster than to add them up."""
    result_ND: Tensor = _Moved.apply(rows_ND, order_N, back_N)  # type: ignore[no-untyped-call]
    return result_ND


class _Moved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor, order_N: Tensor, back_N: Tensor) -> Tensor:
        ctx.save_for_backward(order_N, back_N)
        return rows_ND.index_select(0, order_N)

    @staticmethod
    def backward(ctx: Any, slope_ND: Tensor) -> tuple[Tensor, None, None]:
        order_N, back_N = ctx.saved_tensors
        return moved(slope_ND, back_N, order_N), None, None


def _called(
    layer: nn.RNNBase, inputs_BTD: Tensor, before: State, weights: list[Tensor], kind: torch.dtype
) -> tuple[Tensor, State]:
    """The function behind torch's module, with these weights, all numbers being of one kind."""
    if inputs_BTD.is_cuda:
        _silence_copies()
    begin = tuple(state.to(kind) for state in before)
    rest = (True, 1, 0.0, layer.training, False, True)  # biases, layers, dropout, one way, batch first
    given = [weight.to(kind) for weight in weights]
    if isinstance(layer, nn.LSTM):
        states_BTH, *end = torch.lstm(inputs_BTD.to(kind), begin, given, *rest)
    else:
        states_BTH, *end = _FUNCTIONS[layer.mode](inputs_BTD.to(kind), begin[0], given, *rest)
    return states_BTH, tuple(end)


@cache
def _silence_copies() -> None:
    """Silences torch's warning that cuDNN puts the weights together at every call: they were dropped or rounded.

    That holds from the first call on a GPU on, in the whole process, behind the user's own filters. To silence a call
    alone, `warnings.catch_warnings` is no means: layers are read on several threads, and before Python 3.14 it changes
    the filters of all of them, and may leave them changed.
    """
    message = "RNN module weights are not part of single contiguous chunk"
    warnings.filterwarnings("ignore", message=message, append=True)


def _zeros(layer: nn.RNNBase, inputs_BTD: Tensor) -> State:
    zeros = inputs_BTD.new_zeros(1, inputs_BTD.shape[0], layer.hidden_size)
    return (zeros, zeros) if isinstance(layer, nn.LSTM) else (zeros,)
