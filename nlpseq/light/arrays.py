"""Padding, reversal and the usual functions, on NumPy: the twin of `batching.py`.

Axes: B sentences, T positions, D features. Padding stands at the end of a row and is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def pad(rows: Sequence[Sequence[int]]) -> Array:
    """Rows of ids as one int64 array (B, T), 0 after the end of each shorter row."""
    padded_BT = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
    for place, row in enumerate(rows):
        padded_BT[place, : len(row)] = row
    return padded_BT


def mask_of(lengths_B: Array, width: int) -> Array:
    """Booleans (B, T): True where a position is within its sentence."""
    mask_BT: Array = np.arange(width)[None, :] < lengths_B[:, None]
    return mask_BT


def reversed_positions(lengths_B: Array, width: int) -> Array:
    """Positions (B, T) that read each row backwards within its length and leave its padding where it is."""
    forward_T = np.arange(width)
    backward_BT = lengths_B[:, None] - 1 - forward_T[None, :]
    return np.where(backward_BT >= 0, backward_BT, forward_T)


def reorder(inputs_BTD: Array, positions_BT: Array) -> Array:
    """(B, T, ...) with each row's positions in the order of `positions_BT`."""
    reordered: Array = inputs_BTD[np.arange(len(inputs_BTD))[:, None], positions_BT]
    return reordered


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    result: Array = 0.5 * np.tanh(0.5 * x) + 0.5
    return result


def logsumexp(x: Array, axis: int) -> Array:
    """log(sum(exp(x))) over an axis."""
    highest = x.max(axis, keepdims=True)
    result: Array = np.log(np.exp(x - highest).sum(axis)) + highest.squeeze(axis)
    return result


def log_softmax(x: Array) -> Array:
    """The logarithm of the softmax over the last axis."""
    result: Array = x - logsumexp(x, -1)[..., None]
    return result


def softmax(x: Array) -> Array:
    """The softmax over the last axis; -inf gives 0."""
    raised = np.exp(x - x.max(-1, keepdims=True))
    result: Array = raised / raised.sum(-1, keepdims=True)
    return result
