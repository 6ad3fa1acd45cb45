"""A recurrent layer of one direction, in one call of torch's fused kernel.

Axes: B sentences or streams, T positions, D input features, H state features.
"""

from __future__ import annotations

import warnings
from functools import cache

import torch
from torch import Tensor, nn

from nlpseq.nn.precision import is_mixed, rounding

_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")  # in the order that torch's functions want
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
            weights: list[Tensor] = [getattr(layer, name) for name in _WEIGHTS]
            if recurrent_weight is not None:
                weights[1] = recurrent_weight
            kind = torch.bfloat16 if on_gpu else inputs_BTD.dtype
            states_BTH, after = _called(layer, inputs_BTD, before or _zeros(layer, inputs_BTD), weights, kind)
    return states_BTH.to(inputs_BTD.dtype), tuple(state.to(inputs_BTD.dtype) for state in after)


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
