"""What goes by the lengths of texts alone: groups of like ones, windows over long ones, the ends of giant ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

Item = TypeVar("Item")


def length_groups(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices grouped by length, longest first, each group within `budget` padded tokens (or a single item).

    Groups are as large as the budget allows; within a group the longest comes first.
    """
    groups: list[list[int]] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if groups and (len(groups[-1]) + 1) * width <= budget:
            groups[-1].append(index)
        else:
            groups.append([index])
            width = max(lengths[index], 1)
    return groups


def bounds(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Start and end of the windows over `length` positions, evenly spread, each sharing `overlap` with the next.

    Each has `size` positions, or `length` where that is less. Sharing is at most half a window.
    """
    if length <= size:
        return [(0, length)]
    step = size - min(overlap, size // 2)
    count = -(-(length - size) // step) + 1
    starts = [round(index * (length - size) / (count - 1)) for index in range(count)]
    return [(start, start + size) for start in starts]


def cut_in_windows(
    texts: Sequence[Sequence[int]], size: int, overlap: int
) -> tuple[list[Sequence[int]], list[list[int]]]:
    """The windows of texts of ids (none of them empty), and where each position of each text is found in them.

    A place counts positions of all windows, one after the other, each as wide as the widest. Where two windows share
    positions, each gives the nearer half.
    """
    rows: list[Sequence[int]] = []
    cuts = [bounds(len(text), size, overlap) for text in texts]
    width = max((end - start for cut in cuts for start, end in cut), default=0)
    places: list[list[int]] = []
    for text, cut in zip(texts, cuts, strict=True):
        seams = [0, *((left[1] + right[0]) // 2 for left, right in pairwise(cut)), len(text)]
        place: list[int] = []
        for (start, end), first, last in zip(cut, seams, seams[1:], strict=False):
            at = len(rows) * width - start
            place += range(at + first, at + last)
            rows.append(text[start:end])
        places.append(place)
    return rows, places


def within_limit(tokens: Sequence[Item], limit: int) -> Sequence[Item]:
    """The tokens (or what belongs to each), or where they are more than `limit`, that many from their two ends."""
    if len(tokens) <= limit:
        return tokens
    half = limit // 2
    return [*tokens[: limit - half], *tokens[len(tokens) - half :]]
