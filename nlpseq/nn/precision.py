"""Training with products of bfloat16 numbers, on processors that multiply such numbers twice as fast as float32.

Weights, their gradients, and what enters and leaves an encoder stay float32. Within recurrent layers and the output
layer of a translator or language model, which are most of the work, the factors of matrix products are rounded to
bfloat16, which has the range of float32 and 8 bits of mantissa (mixed precision: Micikevicius et al. 2018; with
bfloat16: Kalamkar et al. 2019), and so are, on a CPU, the states that pass from one LSTM layer of an encoder to the
next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache

import torch

_CUDNN = 91300  # the first version whose recurrent layers read bfloat16
_low: ContextVar[bool] = ContextVar("_low", default=False)


@contextmanager
def mixed_precision(wanted: bool = True) -> Iterator[None]:
    """Within it, layers that can do so multiply in bfloat16."""
    before = _low.set(wanted)
    try:
        yield
    finally:
        _low.reset(before)


def is_mixed() -> bool:
    """Whether products are to be of bfloat16 numbers here."""
    return _low.get()


def rounding() -> AbstractContextManager[object]:
    """What torch's own layers are called within, on a CPU."""
    return torch.autocast("cpu", torch.bfloat16) if is_mixed() else nullcontext()


@cache
def is_fast_on(kind: str) -> bool:
    """Whether a device of this kind multiplies such numbers fast: a CPU that has instructions for it (AVX512_BF16 or
    AMX), a GPU where cuDNN can read recurrent layers so.
    """
    if kind == "cuda":
        version = torch.backends.cudnn.version() or 0  # type: ignore[no-untyped-call]
        return torch.cuda.is_bf16_supported() and version >= _CUDNN
    kinds = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return kind == "cpu" and any(getattr(torch.cpu, name, lambda: False)() for name in kinds)
