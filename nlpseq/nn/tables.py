"""Tables of vectors that are stored as eight-bit numbers: each row has a scale, the largest of its numbers being 127.

Axes: V rows, D numbers of each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SCALES = ".scales"  # the name of a table's scales is its own with this behind
_MOST = 127


def coarse_tables(network: nn.Module) -> set[str]:
    """The names of the weights that are stored so: those of modules with a true attribute `eight_bit`."""
    return {f"{path}.weight" for path, module in network.named_modules() if getattr(module, "eight_bit", False)}


def coarse(table_VD: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers (V, D) int8 of a table, and the scales (V) float32 of its rows. `fine` of them gives the same again.

    Where a row holds what is no finite number, the scale is none. Of a table without content the two have none either:
    to compute with it, torch would import its compiler.
    """
    if table_VD.is_meta:
        return table_VD.to(torch.int8), table_VD.new_empty(len(table_VD), dtype=torch.float32)
    scales_V = table_VD.float().abs().amax(1) / _MOST
    scales_V1 = scales_V.unsqueeze(1)
    numbers_VD = (table_VD / scales_V1).nan_to_num(0.0).round().clamp(-_MOST, _MOST)
    return numbers_VD.to(torch.int8), scales_V


def fine(numbers_VD: Tensor, scales_V: Tensor) -> Tensor:
    """The table (V, D) float32 that was stored so."""
    return numbers_VD.float() * scales_V.unsqueeze(1)
