"""Ids into batches: grouping by length, padding, masks, reversal. The one place where padding is made.

Axes: B sentences of a batch, T positions. Padding stands at the end of a row and is 0.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

from nlpseq.text.lengths import length_groups

__all__ = [
    "batch_budget",
    "length_groups",
    "mask_of",
    "pad",
    "reverse_sources",
    "reversed_positions",
    "shuffled",
    "training_batches",
]

T = TypeVar("T")
POOL = 8  # batches of like targets among which sources are put together by length


def pad(rows: Sequence[Sequence[int]], *, value: int = 0) -> Tensor:
    """Rows of ids as one int64 tensor (B, T), `value` after the end of each shorter row."""
    width = max(map(len, rows), default=0)
    padded = [[*row, *[value] * (width - len(row))] for row in rows]
    return torch.tensor(padded, dtype=torch.int64).reshape(len(rows), width)


def mask_of(lengths_B: Tensor, width: int) -> Tensor:
    """Booleans (B, T): True where a position is within its sentence."""
    return torch.arange(width, device=lengths_B.device)[None, :] < lengths_B[:, None]


def reversed_positions(lengths_B: Tensor, width: int) -> Tensor:
    """Positions (B, T) that read each row backwards within its length and leave its padding where it is.

    Applying it twice gives the row back. Both the backward direction of an encoder and source reversal
    (Sutskever et al. 2014) are this one gather.
    """
    forward_T = torch.arange(width, device=lengths_B.device)
    backward_BT = lengths_B[:, None] - 1 - forward_T[None, :]
    return torch.where(backward_BT >= 0, backward_BT, forward_T)


def reverse_sources(ids_BS: Tensor, lengths_B: Tensor) -> Tensor:
    """Each row backwards within its length (Sutskever et al. 2014, section 3.3); of the result, the rows as they were.

    So the first words of a source stand next to the first of its target. It works as well for what belongs to the
    positions, such as attention (B, S), and puts that into the order of the text again.
    """
    return ids_BS.gather(1, reversed_positions(lengths_B, ids_BS.shape[1]))


def batch_budget(tokens: int) -> int:
    """Tokens of a batch for a corpus of that many: an epoch has about 150 batches of 120 to 1,200 tokens."""
    return min(1200, max(120, tokens // 150))


def shuffled(
    items: Sequence[T], lengths: Sequence[int], budget: int, seed: int, sources: Sequence[int] = ()
) -> list[list[T]]:
    """The items of each training batch of one epoch; `budget` 0 goes by the size of the corpus."""
    batches = training_batches(lengths, budget or batch_budget(sum(lengths)), seed, sources)
    return [[items[index] for index in batch] for batch in batches]


def training_batches(lengths: Sequence[int], budget: int, seed: int, sources: Sequence[int] = ()) -> list[list[int]]:
    """A random order of batches for one epoch: lengths are jittered, so that company changes between epochs.

    The same seed gives the same batches, whatever was drawn elsewhere. Where items have a source as well, `sources` are
    its lengths; then batches are narrow in both, and within `budget` padded tokens on either side.
    """
    generator = random.Random(seed)
    jittered = [length + generator.uniform(-1.5, 1.5) for length in lengths]
    order = sorted(range(len(lengths)), key=lambda i: -jittered[i])
    widths = [max(pair) for pair in zip(lengths, sources, strict=True)] if sources else lengths
    batches: list[list[int]] = []
    widest = 0
    for index in _by_source(order, lengths, sources, budget) if sources else order:
        widest = max(widest, widths[index])
        if batches and (len(batches[-1]) + 1) * widest <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
            widest = widths[index]
    generator.shuffle(batches)
    return batches


def _by_source(order: Sequence[int], lengths: Sequence[int], sources: Sequence[int], budget: int) -> list[int]:
    """The order with each stretch of `POOL` batches sorted by the length of the source, down and up in turn.

    So the last of a stretch is like the first of the next.
    """
    result: list[int] = []
    falling = True
    while len(result) < len(order):
        size = max(1, POOL * budget // max(1, lengths[order[len(result)]]))
        pool = order[len(result) : len(result) + size]
        result += sorted(pool, key=lambda i: sources[i], reverse=falling)
        falling = not falling
    return result
