"""LSTM encoders read with eight-bit weights and states: for predictions on processors that multiply such numbers fast.

What words give to the gates of the first layer is computed once a word, in float32, or in bfloat16 on processors that
multiply such numbers fast. All other products are of states, which lie between -1 and 1 and so have one fixed scale,
with weights, which have a scale for each gate; their sums are exact integers. So what one text gives does not depend on
those it is read with (but for the last digits, and for what these round to), unlike with scales that are taken from the
values at hand.

Axes: B rows, T positions, D features of a word, W state features of one direction, H of all directions together, G
gates of one direction (4 W), L directions; U words, M vectors that are looked up, X features of one, N true positions
of a batch, R rows of a step, S slots: the rows of all steps, one after the other; K labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.nn.eight_bit_products import FEW, HALF, STEPS, ZERO, Product, rounded
from nlpseq.nn.precision import is_fast_on
from nlpseq.nn.recurrent import RecurrentEncoder, RecurrentLayer, last_states

NO_HEADS: Mapping[str, nn.Linear] = {}


def readable(encoder: RecurrentEncoder) -> bool:
    """Whether the encoder may be read so: LSTMs on a CPU. The states of an `irnn` have no bounds."""
    weights = list(encoder.parameters())
    cells = [layer.forwards for layer in encoder.layers if isinstance(layer, RecurrentLayer)]
    return all(isinstance(cell, nn.LSTM) for cell in cells) and weights[0].device.type == "cpu"


class _Plan(NamedTuple):
    """Where the true positions of a batch are read, step by step: step t takes one of every row that is so long.

    `counts_T` says how many rows a step takes, rounded up where there are not `few`. Of true position n, `flat_N` says
    where it stands in (B, T), `slots_NL` in which slot (of all that the steps have) each direction reads it, and
    `turns_NL` at which place it enters, where the directions take turns in each step.
    """

    counts_T: list[int]
    flat_N: Tensor
    slots_NL: Tensor
    turns_NL: Tensor


def _planned(lengths_B: Tensor, width: int, ways: int, *, few: bool) -> _Plan:
    rows_B = lengths_B.argsort(descending=True, stable=True)
    sorted_B = lengths_B[rows_B]
    there_TB = torch.arange(width)[:, None] < sorted_B[None, :]
    true_T = there_TB.sum(1)
    counts = [count if few else rounded(count) for count in true_T.tolist() if count]
    counts_T = torch.tensor(counts)
    slots_T = counts_T.cumsum(0) - counts_T
    position_N, place_N = there_TB.nonzero(as_tuple=True)
    behind_N = sorted_B[place_N] - 1 - position_N
    steps = (position_N, behind_N)[:ways]
    slots_NL = torch.stack([slots_T[step_N] + place_N for step_N in steps], dim=1)
    turns = [ways * slots_T[step_N] + way * counts_T[step_N] + place_N for way, step_N in enumerate(steps)]
    return _Plan(counts, rows_B[place_N] * width + position_N, slots_NL, torch.stack(turns, dim=1))


class _Few:
    """The same products in float32, for a few rows, which take oneDNN longer to begin than to multiply.

    Sums of products are integers below 2^24, which float32 has exactly, of up to 1,040 inputs, and mostly of more: so
    nothing differs but the rounding of what they are multiplied by and added to.
    """

    def __init__(self, products: Sequence[Product], bias_LG: Tensor) -> None:
        """Products (L) of the input and the state, in this order, or of the state alone."""
        gates = bias_LG.shape[1]
        weights_LXG = torch.stack([product.rounded_GD.T for product in products]).float()
        inputs_LDG, self._states_LWG = weights_LXG[:, : -(gates // 4)], weights_LXG[:, -(gates // 4) :].contiguous()
        self._inputs_DG = inputs_LDG.transpose(0, 1).flatten(1)
        self._worth_L1G = torch.stack([product.scales_G for product in products]).unsqueeze(1) / STEPS
        self._bias_G = bias_LG.flatten()

    def entered(self, inputs_ND: Tensor) -> Tensor:
        """What inputs give to the gates of each direction (N L, G)."""
        sums_NG = torch.mm(inputs_ND, self._inputs_DG)
        return torch.addcmul(self._bias_G, sums_NG, self._worth_L1G.flatten()).view(-1, self._worth_L1G.shape[2])

    def add_to(self, sums_LRG: Tensor, states_LRW: Tensor) -> None:
        """Adds the product of the states to what is there."""
        sums_LRG.addcmul_(torch.bmm(states_LRW, self._states_LWG), self._worth_L1G)


class _Kept(NamedTuple):
    """Which states of a layer are kept: in eight bits, for the next one to read, and in float32."""

    rounded: bool
    states: bool


class _Layer:
    """One layer of one direction or two: `first` where it reads words, else what the layer before it says."""

    def __init__(self, layer: RecurrentLayer, *, first: bool) -> None:
        cells: list[nn.RNNBase] = [cell for cell in (layer.forwards, layer.backwards) if cell is not None]
        self.ways, self.width, self.first = len(cells), layer.forwards.hidden_size, first
        # tanh(x) is 2 sigmoid(2 x) - 1: with twice the weights, one sigmoid serves all gates.
        twice_G1 = torch.ones(4 * self.width, 1)
        twice_G1[2 * self.width : 3 * self.width] = 2
        named = [{name: weight.float() for name, weight in cell.named_parameters()} for cell in cells]
        biases = [weights["bias_ih_l0"] + weights["bias_hh_l0"] for weights in named]
        self.bias_LG = twice_G1[:, 0] * torch.stack(biases)
        self.input_LGD = twice_G1 * torch.stack([weights["weight_ih_l0"] for weights in named])
        recurring_LGW = twice_G1 * torch.stack([weights["weight_hh_l0"] for weights in named])
        both_LGX = recurring_LGW if first else torch.cat((self.input_LGD, recurring_LGW), dim=2)
        self.products = [
            Product(both_GX) for both_GX in both_LGX
        ]  # of the state before, or of the input and it at once
        self._half_few = torch.tensor(0.5)

    @cached_property
    def few(self) -> _Few:
        """For a few rows."""
        return _Few(self.products, self.bias_LG)

    def read_few(
        self, entering_MX: Tensor, places: Tensor, counts_T: Sequence[int], kept: _Kept
    ) -> tuple[Tensor | None, Tensor | None]:
        """What `read` gives for a few rows, states in eight bits being whole numbers (-127 to 127) of float32."""
        ways, width, slots = self.ways, self.width, len(places) // self.ways
        entered_SG = entering_MX.index_select(0, places)
        states_LSW = torch.empty(ways, slots, width) if kept.states else None
        rounded_LSW = torch.empty(ways, slots, width) if kept.rounded else None
        less_LRW = torch.zeros(ways, counts_T[0], width)
        before_LRW = torch.zeros_like(less_LRW)
        start = 0
        for count in counts_T:
            if count < less_LRW.shape[1]:
                less_LRW, before_LRW = less_LRW[:, :count].contiguous(), before_LRW[:, :count]
            gates_LRG = entered_SG[ways * start : ways * (start + count)].view(ways, count, -1)
            if start:
                self.few.add_to(gates_LRG, before_LRW)
            room_LRW = torch.empty_like(less_LRW) if states_LSW is None else states_LSW[:, start : start + count]
            before_LRW = torch.add(self._half_few, stepped(gates_LRG, less_LRW, room_LRW), alpha=STEPS).floor_()
            if rounded_LSW is not None:
                rounded_LSW[:, start : start + count] = before_LRW
            start += count
        return rounded_LSW, states_LSW

    def read(
        self, entering_MX: Tensor, places: Tensor, counts_T: Sequence[int], kept: _Kept
    ) -> tuple[Tensor | None, Tensor | None]:
        """States (L, S, W) of all S slots, in eight bits and in float32, as far as they are to be kept.

        `places` (L S) says which row of `entering_MX` enters, step by step, one direction after the other in each: of
        the first layer, what words give to the gates of one direction; else states of the layer before, in eight bits.
        """
        ways, width, slots = self.ways, self.width, len(places) // self.ways
        states_LSW = torch.empty(ways, slots, width) if kept.states else None
        rounded_LSW = torch.empty(ways, slots, width, dtype=torch.uint8) if kept.rounded else None
        less_LRW = torch.zeros(ways, counts_T[0], width)
        before_LRW = torch.full((ways, counts_T[0], width), ZERO, dtype=torch.uint8)
        # One room for all steps: that of a fresh one has to be found by the system each time.
        entering_RX = entering_MX.new_empty(ways * counts_T[0], entering_MX.shape[1])
        gates_RG = entering_RX if self.first else torch.empty(len(entering_RX), 4 * width)
        rooms = torch.empty(2, ways, counts_T[0], width)
        start = 0
        for count in counts_T:
            if count < less_LRW.shape[1]:
                less_LRW, before_LRW = less_LRW[:, :count].contiguous(), before_LRW[:, :count]
            rows, first, here = ways * count, ways * start, slice(start, start + count)
            torch.index_select(entering_MX, 0, places[first : first + rows], out=entering_RX[:rows])
            gates_LRG = gates_RG[:rows].view(ways, count, -1)
            self._fill(gates_LRG, entering_RX[:rows].view(ways, count, -1), before_LRW, begins=not start)
            room_LRW, fine_LRW = rooms[:, :, :count]
            state_LRW = stepped(gates_LRG, less_LRW, room_LRW if states_LSW is None else states_LSW[:, here])
            torch.add(HALF, state_LRW, alpha=STEPS, out=fine_LRW)
            before_LRW = before_LRW if rounded_LSW is None else rounded_LSW[:, here]
            before_LRW.copy_(fine_LRW)
            start += count
        return rounded_LSW, states_LSW

    def _fill(self, gates_LRG: Tensor, entering_LRX: Tensor, before_LRW: Tensor, *, begins: bool) -> None:
        """Puts there the sums that go into the gates; of the first layer, what enters is there already."""
        if self.first:
            if not begins:
                for gates_RG, before_RW, product in zip(gates_LRG, before_LRW, self.products, strict=True):
                    product.add_to(gates_RG, before_RW)
            return
        both_LRX = torch.cat((entering_LRX, before_LRW), dim=2)
        gates_LRG.copy_(self.bias_LG[:, None])
        for gates_RG, both_RX, product in zip(gates_LRG, both_LRX, self.products, strict=True):
            product.add_to(gates_RG, both_RX)


def stepped(gates_LRG: Tensor, less_LRW: Tensor, state_LRW: Tensor) -> Tensor:
    """The state, put into `state_LRW`, and minus twice the cell, in its place, after a step.

    Torch's sigmoid is five times as fast as its tanh: tanh(x) is 2 sigmoid(2 x) - 1, and 1 - 2 sigmoid(-2 x), so that
    the state, o tanh(c), is o - 2 o sigmoid(-2 c).
    """
    input_LRW, forget_LRW, new_LRW, output_LRW = torch.split(gates_LRG.sigmoid_(), less_LRW.shape[2], 2)
    less_LRW.mul_(forget_LRW).addcmul_(input_LRW, new_LRW, value=-4).add_(input_LRW, alpha=2)
    return torch.addcmul(output_LRW, less_LRW.sigmoid(), output_LRW, value=-2, out=state_LRW)


class EightBitEncoder:
    """What a RecurrentEncoder of LSTMs reads, nearly: see above. It is a copy of the weights as they are now."""

    STEP_ROWS = 100  # what a step costs beside its rows, as rows
    kind = torch.float32  # of what `entered` gives

    def __init__(self, encoder: RecurrentEncoder, heads: Mapping[str, nn.Linear] = NO_HEADS) -> None:
        """Requires `readable(encoder)`; `heads` are what `scores` are of."""
        with torch.no_grad():
            layers = [layer for layer in encoder.layers if isinstance(layer, RecurrentLayer)]
            self.layers = [_Layer(layer, first=not index) for index, layer in enumerate(layers)]
            self._heads = Heads(heads) if heads else None
        first = self.layers[0]
        self.entered_width = first.bias_LG.numel()
        self._bias_G = first.bias_LG.flatten()
        kind = torch.bfloat16 if is_fast_on("cpu") else torch.float32
        self._input_DG = first.input_LGD.flatten(0, 1).T.contiguous().to(kind)

    def entered(self, vectors_UD: Tensor) -> Tensor:
        """What words give to the gates of the first layer, in all directions: (U, L G)."""
        return torch.mm(vectors_UD.to(self._input_DG.dtype), self._input_DG).float().add_(self._bias_G)

    def read(self, entered_UG: Tensor, words_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """States (B, T, H) of the last layer in float32, zero at padded positions.

        `words_BT` says which row of `entered_UG` (U, L G) stands at each position; `lengths_B` are at least 1.
        """
        plan, (states_LSW,), _ = self._layers_of(entered_UG, words_BT, lengths_B, fine=1)
        return _placed(_joined(states_LSW, plan), plan, *words_BT.shape)

    def scores(self, entered_UG: Tensor, words_BT: Tensor, lengths_B: Tensor) -> dict[str, Tensor]:
        """What the heads say of the last layer's states in eight bits: (B, T, K) by name, zero at padded positions."""
        assert self._heads is not None, "asked only where there are heads"
        plan, _, states_NH = self._layers_of(entered_UG, words_BT, lengths_B, fine=0)
        found = self._heads.of(states_NH)
        return {name: _placed(scores_NK, plan, *words_BT.shape) for name, scores_NK in found.items()}

    def with_ends(self, entered_UG: Tensor, words_BT: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """What `read` gives, and where each layer's reading ended, side by side (B, layers * H)."""
        plan, found, _ = self._layers_of(entered_UG, words_BT, lengths_B, fine=len(self.layers))
        layers = [_placed(_joined(states_LSW, plan), plan, *words_BT.shape) for states_LSW in found]
        both = self.layers[0].ways == 2
        ends = [last_states(states_BTH, lengths_B, bidirectional=both) for states_BTH in layers]
        return layers[-1], torch.cat(ends, dim=1)

    def _layers_of(
        self, entered_UG: Tensor, words_BT: Tensor, lengths_B: Tensor, *, fine: int
    ) -> tuple[_Plan, list[Tensor], Tensor]:
        """Where states stand; those (L, S, W) of the last `fine` layers in float32; and where there are none of these,
        those of the last layer in eight bits (N, H).
        """
        (rows, width), ways = words_BT.shape, self.layers[0].ways
        few = rows <= FEW
        plan = _planned(lengths_B, width, ways, few=few)
        entering_MX = entered_UG.view(-1, 4 * self.layers[0].width)
        rows_NL = ways * words_BT.flatten()[plan.flat_N, None] + torch.arange(ways)
        found: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            if few and not layer.first:
                entering_MX, rows_NL = layer.few.entered(entering_MX), ways * rows_NL + torch.arange(ways)
            places = torch.zeros(ways * sum(plan.counts_T), dtype=torch.int64)
            places[plan.turns_NL] = rows_NL
            ahead = len(self.layers) - 1 - index
            kept = _Kept(rounded=bool(ahead) or not fine, states=ahead < fine)
            read = layer.read_few if few else layer.read
            rounded_LSW, states_LSW = read(entering_MX, places, plan.counts_T, kept)
            if states_LSW is not None:
                found.append(states_LSW)
            if rounded_LSW is not None:
                entering_MX = _joined(rounded_LSW, plan)
                rows_NL = torch.arange(len(plan.flat_N))[:, None].expand(-1, ways)
        return plan, found, entering_MX


class Heads:
    """Linear layers that read the same states, as one product."""

    def __init__(self, heads: Mapping[str, nn.Linear]) -> None:
        self._sizes = {name: head.out_features for name, head in heads.items()}
        weights_KH = torch.cat([head.weight.float() for head in heads.values()])
        self._product = Product(weights_KH, torch.cat([head.bias.float() for head in heads.values()]))
        self._few_HK = self._product.rounded_GD.T.float()

    def of(self, states_NH: Tensor) -> dict[str, Tensor]:
        """Scores (N, K) by name, of states in eight bits, or as the whole numbers of `read_few`."""
        if states_NH.is_floating_point():
            worth_K, bias_K = self._product.scales_G / STEPS, self._product.bias_G
            assert bias_K is not None, "heads have one"
            scores_NK = torch.addcmul(bias_K, torch.mm(states_NH, self._few_HK), worth_K)
        else:
            scores_NK = self._product.of(states_NH)
        parts = torch.split(scores_NK, list(self._sizes.values()), dim=1)
        return dict(zip(self._sizes, parts, strict=True))


def _placed(states_NH: Tensor, plan: _Plan, rows: int, width: int) -> Tensor:
    """What true positions have, where they stand (B, T, H); zero elsewhere."""
    zeros_MH = states_NH.new_zeros(rows * width, states_NH.shape[1])
    return zeros_MH.index_copy_(0, plan.flat_N, states_NH).view(rows, width, -1)


def _joined(states_LSW: Tensor, plan: _Plan) -> Tensor:
    """The states of all directions side by side (N, H), at the position that they were made at."""
    parts = [own_SW.index_select(0, slots_N) for own_SW, slots_N in zip(states_LSW, plan.slots_NL.T, strict=True)]
    return torch.cat(parts, dim=1)
