"""Products of eight-bit numbers, on processors that multiply such numbers fast, and whether these are wanted.

What is multiplied lies between -1 and 1 and so has one fixed scale; weights have a scale for each output. Sums are
exact integers.

Axes: N or R rows, D features, G outputs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from torch import Tensor, nn

ZERO, STEPS = 128, 127.0  # a state s is kept as ZERO + STEPS * s, rounded
FEW = 8  # rows, at most, that are fewer than oneDNN is good for
HALF = torch.tensor(ZERO + 0.5)  # what is added before the rest is cut off, to round

_in_full: ContextVar[bool] = ContextVar("_in_full", default=False)


@contextmanager
def full_precision() -> Iterator[None]:
    """Within it, what is made for predictions reads nothing in fewer bits: for those who look at the layers themselves,
    and for comparisons. A pipeline that was made before goes on as it was.
    """
    before = _in_full.set(True)
    try:
        yield
    finally:
        _in_full.reset(before)


def wanted() -> bool:
    """Whether layers are to be read so: where the processor has instructions for it (VNNI) and this torch uses them.

    NLPSEQ_PRECISION=float32 in the environment turns it off.
    """
    return not _in_full.get() and os.environ.get("NLPSEQ_PRECISION", "") != "float32" and _fast_here()


@cache
def _fast_here() -> bool:
    supported = getattr(torch.cpu, "_is_vnni_supported", lambda: False)
    return bool(supported()) and hasattr(torch.ops.onednn, "qlinear_pointwise") and _exact()


def _exact() -> bool:
    """Whether products are exact integers, even the largest: where oneDNN is told not to use VNNI
    (ONEDNN_MAX_CPU_ISA), they stop at 16 bits. What is asked of torch here has no promise to stay as it is, either.
    """
    largest_GD = torch.ones(16, 64)
    largest_GD[::2] *= -1
    states_ND = torch.full((8, 64), 2 * ZERO - 1, dtype=torch.uint8)
    sums_NG = torch.zeros(8, 16)
    try:
        product = Product(largest_GD, torch.zeros(16))
        product.add_to(sums_NG, states_ND)
        whole_NG = product.of(states_ND)
    except (RuntimeError, TypeError, AttributeError):
        return False
    wanted_NG = largest_GD.sum(1).expand(8, 16)
    return torch.allclose(sums_NG, wanted_NG, rtol=1e-5) and torch.allclose(whole_NG, wanted_NG, rtol=1e-5)


class Product:
    """Eight-bit weights (G, D), packed for products with eight-bit states, and what is added to these (G), if any."""

    def __init__(self, weights_GD: Tensor, bias_G: Tensor | None = None) -> None:
        self.bias_G = None if bias_G is None else bias_G.float()
        self.scales_G = weights_GD.abs().amax(1).clamp(min=1e-12) / 127
        self.rounded_GD = (weights_GD / self.scales_G[:, None]).round().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(self.rounded_GD, None)
        self.zeros_G = torch.zeros(len(weights_GD), dtype=torch.int64)

    def add_to(self, sums_NG: Tensor, states_ND: Tensor) -> None:
        """Adds the product to what is there."""
        given = (states_ND, 1 / STEPS, ZERO, self.packed, self.scales_G, self.zeros_G, sums_NG, None)
        torch.ops.onednn.qlinear_pointwise.binary(*given, 1.0, 0, torch.float32, 1.0, 0, "sum", 1.0, "none", [], "")

    def of(self, states_RD: Tensor) -> Tensor:
        """The product with any number of rows (R, G), and what is added to it."""
        rows = len(states_RD)
        given = (padded(states_RD), 1 / STEPS, ZERO, self.packed, self.scales_G, self.zeros_G, self.bias_G)
        found_RG: Tensor = torch.ops.onednn.qlinear_pointwise(*given, 1.0, 0, torch.float32, "none", [], "")
        return found_RG[:rows]


def coarse(states: Tensor) -> Tensor:
    """Numbers between -1 and 1 in eight bits."""
    return torch.add(HALF, states, alpha=STEPS).to(torch.uint8)


def padded(states_RD: Tensor) -> Tensor:
    """The same rows, with others behind them where there are not few."""
    rows = len(states_RD)
    more = 0 if rows <= FEW else rounded(rows) - rows
    return nn.functional.pad(states_RD, (0, 0, 0, more)) if more else states_RD


def rounded(count: int, unit: int = 8, parts: int = 8) -> int:
    """At least so many, one of few numbers: a multiple of `unit`, or of so large a part of the power of two below.

    oneDNN makes a kernel for each shape, in half a millisecond and, in bfloat16, half a megabyte, and keeps a thousand.
    """
    unit = max(unit, (1 << count.bit_length() >> 1) // parts)
    return -(-count // unit) * unit
