"""What goes by the lengths of texts alone: groups of like ones, windows over long ones, the ends of giant ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

STEP_ROWS = 8  # what a recurrent step costs beside its rows, as rows: measured with an LSTM of 200

Item = TypeVar("Item")


def length_groups(lengths: Sequence[int], budget: int, step_rows: int = STEP_ROWS) -> list[list[int]]:
    """Indices grouped by length, longest first, each group within `budget` padded tokens (or a single item).

    The groups are those that cost least, where a position costs its rows, padding included, and as much as `step_rows`
    more; within a group the longest comes first.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    counts = Counter(max(length, 1) for length in lengths)
    widths = sorted(counts, reverse=True)
    groups: list[list[int]] = []
    at = 0
    for first, last in _segments(widths, [counts[width] for width in widths], budget, step_rows):
        end = at + sum(counts[width] for width in widths[first:last])
        parts = _parts(end - at, widths[first], budget)
        cuts = [at + part * (end - at) // parts for part in range(parts + 1)]
        groups += [order[start:stop] for start, stop in pairwise(cuts)]
        at = end
    return groups


def _parts(rows: int, width: int, budget: int) -> int:
    """Into how many groups so many rows of a width have to be cut."""
    return -(-rows // max(1, budget // width))


def _segments(widths: Sequence[int], counts: Sequence[int], budget: int, step_rows: int) -> list[tuple[int, int]]:
    """The cheapest way to cut falling widths, with the rows of each, into stretches that are padded to their first."""
    cost, start = [0.0], [0]
    for last in range(1, len(widths) + 1):
        best, rows = (math.inf, 0), 0
        for first in range(last - 1, -1, -1):
            rows += counts[first]
            width = widths[first]
            if width > (1 + step_rows) * widths[last - 1] and best[0] < math.inf:
                break  # to be padded to so much costs these rows more than steps of their own
            steps = _parts(rows, width, budget)
            best = min(best, (cost[first] + width * (rows + step_rows * steps), first))
        cost.append(best[0])
        start.append(best[1])
    cuts = [len(widths)]
    while cuts[-1]:
        cuts.append(start[cuts[-1]])
    return list(pairwise(reversed(cuts)))


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
