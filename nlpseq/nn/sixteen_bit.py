"""LSTM encoders read in bfloat16, for predictions on processors that multiply tiles of such numbers (AMX).

There torch's own fused kernel reads an LSTM in bfloat16 up to twice as fast as `nn/eight_bit.py` does step by step, and
more exactly: sums of products are float32, states, cells and weights have 8 bits of mantissa. On other processors it is
slower than float32. What one text gives does not depend on those it is read with, since the kernel reckons each row
in the same way.

Axes: B rows, T positions, D features of a word, W state features of one direction, H of all directions together, L
directions; U words, M = T * B places of a batch, step by step; N true positions of a batch; K labels.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.batching import mask_of, reversed_positions
from nlpseq.nn.eight_bit import NO_HEADS, Heads
from nlpseq.nn.eight_bit_products import coarse, rounded
from nlpseq.nn.fused import WEIGHTS
from nlpseq.nn.recurrent import RecurrentEncoder, RecurrentLayer

TILE = 16  # rows: many in other numbers are slow, some four times as slow
LEAST = 2  # rows: one alone is reckoned in another way


@cache
def has_tiles() -> bool:
    """Whether this processor multiplies tiles of bfloat16 numbers, and oneDNN may do so (ONEDNN_MAX_CPU_ISA)."""
    names = [os.environ.get(f"{prefix}_MAX_CPU_ISA", "").upper() for prefix in ("ONEDNN", "DNNL")]
    allowed = all(name in ("", "ALL", "DEFAULT") or "AMX" in name for name in names)
    supported = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return allowed and bool(torch.backends.mkldnn.enabled) and bool(supported())


class _Plan(NamedTuple):
    """Where things stand in a batch that is read step by step, padding included.

    `forwards_M` has the word of each place, `backwards_M` that of each place of a reading from the end of each row, and
    `turned_M` says which place of the one is which of the other, both ways: padding stays where it is.
    """

    rows: int
    forwards_M: Tensor
    backwards_M: Tensor
    turned_M: Tensor


def _planned(words_BT: Tensor, lengths_B: Tensor) -> _Plan:
    rows, width = words_BT.shape
    steps_BT = reversed_positions(lengths_B, width)
    turned_M = (rows * steps_BT + torch.arange(rows)[:, None]).T.flatten()
    words_M = words_BT.T.flatten()
    return _Plan(rows, words_M, words_M.index_select(0, turned_M), turned_M)


class SixteenBitEncoder:
    """What a RecurrentEncoder of LSTMs reads, nearly: see above. It is a copy of the weights as they are now.

    It is used as an EightBitEncoder is.
    """

    STEP_ROWS = 32  # what a step costs beside its rows, as rows
    kind = torch.bfloat16  # of what `entered` gives

    def __init__(self, encoder: RecurrentEncoder, heads: Mapping[str, nn.Linear] = NO_HEADS) -> None:
        """Requires `readable(encoder)`; `heads` are what `scores` are of."""
        with torch.no_grad():
            layers = [layer for layer in encoder.layers if isinstance(layer, RecurrentLayer)]
            self._layers = [[_Direction(cell) for cell in (one.forwards, one.backwards) if cell] for one in layers]
            self._heads = Heads(heads) if heads else None
        self.entered_width = layers[0].forwards.input_size

    def entered(self, vectors_UD: Tensor) -> Tensor:
        """What of words enters the first layer: their vectors (U, D)."""
        return vectors_UD.to(self.kind)

    def read(self, entered_UD: Tensor, words_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """States (B, T, H) of the last layer in bfloat16, zero at padded positions.

        `words_BT` says which row of `entered_UD` stands at each position; `lengths_B` are at least 1.
        """
        plan, layers = self._read(entered_UD, words_BT, lengths_B)
        return _placed(layers[-1], plan, lengths_B, words_BT.shape[1])

    def scores(self, entered_UD: Tensor, words_BT: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """What the heads say of the last layer's states: (B, T, K) by name, zero at padded positions."""
        assert self._heads is not None, "asked only where there are heads"
        plan, layers = self._read(entered_UD, words_BT, lengths_B)
        rows, width = words_BT.shape
        flat_N = mask_of(lengths_B, width).flatten().nonzero().squeeze(1)
        places_N = plan.rows * (flat_N % width) + flat_N // width
        states_NH = _joined(layers[-1], (places_N, plan.turned_M.index_select(0, places_N)))
        found = self._heads.of(coarse(states_NH.float()))
        return {
            name: scores_NK.new_zeros(rows * width, scores_NK.shape[1])
            .index_copy_(0, flat_N, scores_NK)
            .view(rows, width, -1)
            for name, scores_NK in found.items()
        }

    def with_ends(self, entered_UD: Tensor, words_BT: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """What `read` gives, and where each layer's reading ended, side by side (B, layers * H), in float32 both."""
        plan, layers = self._read(entered_UD, words_BT, lengths_B)
        last_B = plan.rows * (lengths_B - 1) + torch.arange(len(lengths_B))  # in the order of each direction
        ends = [_joined(states, (last_B, last_B)) for states in layers]
        states_BTH = _placed(layers[-1], plan, lengths_B, words_BT.shape[1])
        return states_BTH.float(), torch.cat(ends, dim=1).float()

    def _read(self, entered_UD: Tensor, words_BT: Tensor, lengths_B: Tensor) -> tuple[_Plan, list[tuple[Tensor, ...]]]:
        """Of each layer, the states (M, W) of each direction, step by step as it reads."""
        rows, width = words_BT.shape
        more = (rounded(rows, TILE) if rows > TILE else max(LEAST, rows)) - rows
        wider = rounded(width, 1, parts=16) - width
        words_BT = nn.functional.pad(words_BT, (0, wider, 0, more))
        lengths_B = nn.functional.pad(lengths_B, (0, more), value=1)
        plan = _planned(words_BT, lengths_B)
        orders = (plan.forwards_M, plan.backwards_M)
        found: list[tuple[Tensor, ...]] = []
        for layer in self._layers:
            if not found:
                inputs = [entered_UD.index_select(0, order_M) for order_M, _ in zip(orders, layer, strict=False)]
            else:
                inputs = _crossed(found[-1], plan)
            found.append(tuple(way.read(one_MX, plan.rows) for way, one_MX in zip(layer, inputs, strict=True)))
        return plan, found


class _Direction:
    """One layer of one direction."""

    def __init__(self, cell: nn.RNNBase) -> None:
        self._weights = [getattr(cell, name).detach().to(torch.bfloat16) for name in WEIGHTS]
        self._width = cell.hidden_size

    def read(self, inputs_MX: Tensor, rows: int) -> Tensor:
        """The states (M, W) of inputs that come step by step."""
        inputs_TBX = inputs_MX.view(-1, rows, inputs_MX.shape[1])
        zeros_1BW = inputs_MX.new_zeros(1, rows, self._width)
        # biases, layers, dropout, training, both ways, batch first
        states_TBW, *_ = torch.lstm(
            inputs_TBX, (zeros_1BW, zeros_1BW), self._weights, True, 1, 0.0, False, False, False
        )
        return states_TBW.flatten(0, 1)


def _crossed(states: tuple[Tensor, ...], plan: _Plan) -> list[Tensor]:
    """What each direction of the next layer reads (M, H): the states of all directions side by side, in its order."""
    if len(states) == 1:
        return list(states)
    turned = [own_MW.index_select(0, plan.turned_M) for own_MW in states]
    return [torch.cat((states[0], turned[1]), dim=1), torch.cat((turned[0], states[1]), dim=1)]


def _joined(states: tuple[Tensor, ...], places: tuple[Tensor, Tensor]) -> Tensor:
    """The states of all directions side by side, of places as each direction counts them."""
    parts = [own_MW.index_select(0, own_N) for own_MW, own_N in zip(states, places, strict=False)]
    return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]


def _placed(states: tuple[Tensor, ...], plan: _Plan, lengths_B: Tensor, width: int) -> Tensor:
    """The states of all directions where they stand (B, T, H), of the first T positions; zero at padded ones."""
    parts = [states[0], *(own_MW.index_select(0, plan.turned_M) for own_MW in states[1:])]
    states_BTH = torch.cat(parts, dim=1).view(-1, plan.rows, sum(part.shape[1] for part in parts)).transpose(0, 1)
    states_BTH = states_BTH[: len(lengths_B), :width].contiguous()
    return states_BTH.masked_fill_(~mask_of(lengths_B, states_BTH.shape[1])[:, :, None], 0.0)
