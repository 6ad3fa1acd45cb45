"""A decoder of LSTMs with eight-bit weights and states, for searches on processors that multiply such numbers fast.

As in `nn/eight_bit.py`, whatever is multiplied lies between -1 and 1 and so has one fixed scale: states of the decoder,
means of states of the source, readouts; and vectors of pieces, each of whose features is divided by its largest value,
by which the weights are multiplied instead. So what a sentence gives does not depend on those it is read with.

Axes: B sentences, Q hypotheses of each, R = B * Q rows, S source positions, D features of a piece, W units of a layer,
H state features of the source, F = D features that the output layer reads, G gates (4 W), V target pieces, X inputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nlpseq.nn.attention import Memory
from nlpseq.nn.decoder import Decoder, DecoderState
from nlpseq.nn.eight_bit import stepped
from nlpseq.nn.eight_bit_products import Product, coarse
from nlpseq.nn.recurrent import CellState


def decodable(decoder: Decoder) -> bool:
    """Whether a decoder may be read so: LSTMs, whose attention asks with the state after the step."""
    return decoder.kind != "bahdanau" and all(isinstance(layer, nn.LSTM) for layer in decoder.layers)


class EightBitDecoder:
    """What a Decoder and the output layer behind it say, nearly. It is a copy of the weights as they are now.

    Its states are those of a Decoder, but for their kinds: what a layer says in eight bits, and minus twice the cell.
    """

    def __init__(self, decoder: Decoder, vectors_VD: Tensor, output_VF: Tensor, bias_V: Tensor) -> None:
        """Requires `decodable(decoder)`; the vectors are those of the pieces that enter."""
        with torch.no_grad():
            largest_D = vectors_VD.abs().amax(0).clamp(min=1e-12)
            self._vectors_VD = coarse(vectors_VD / largest_D)
            layers = [layer for layer in decoder.layers if isinstance(layer, nn.LSTM)]
            self._layers = [_Step(layer, largest_D if not index else None) for index, layer in enumerate(layers)]
            twice = 2 * decoder.readout.weight, 2 * decoder.readout.bias  # tanh(x) is 2 sigmoid(2 x) - 1
            self._readout, self._output = Product(twice[0], twice[1]), Product(output_VF, bias_V)
            self._keys = None if decoder.attention is None else Product(decoder.attention.keys.weight)
        self.decoder = decoder

    def start(self, ends_BE: Tensor) -> DecoderState:
        """The first state."""
        layers, fed_BF = self.decoder.start(ends_BE)
        begin = tuple(CellState(coarse(one.hidden_RW), -2 * one.cell_RW) for one in layers if one.cell_RW is not None)
        return DecoderState(begin, None if fed_BF is None else coarse(fed_BF))

    def memory(self, states_BSH: Tensor, mask_BS: Tensor) -> Memory:
        """What the attention looks back at."""
        if self._keys is None:
            return Memory(states_BSH, states_BSH, mask_BS)
        keys_BSA = self._keys.of(coarse(states_BSH.flatten(0, 1))).view(*states_BSH.shape[:2], -1)
        return Memory(states_BSH, keys_BSA, mask_BS)

    def step(self, last_BQ: Tensor, state: DecoderState, memory: Memory) -> tuple[Tensor, DecoderState]:
        """What the `scores` of what follows the pieces `last_BQ` are made of (R, F), and the state after them."""
        entering_RX = self._vectors_VD.index_select(0, last_BQ.flatten())
        if state.fed_RF is not None:
            entering_RX = torch.cat((entering_RX, state.fed_RF), dim=1)
        layers = []
        for layer, before in zip(self._layers, state.layers, strict=True):
            state_RW, after = layer.step(entering_RX, before)
            layers.append(after)
            entering_RX = after.hidden_RW
        read_RF = self._read(entering_RX, state_RW.view(*last_BQ.shape, -1), memory)
        return read_RF, DecoderState(tuple(layers), None if state.fed_RF is None else read_RF)

    def scores(self, read_RF: Tensor) -> Tensor:
        """Unnormalised log-probabilities (R, V) of the next piece."""
        return self._output.of(read_RF)

    def _read(self, rounded_RW: Tensor, states_BQW: Tensor, memory: Memory) -> Tensor:
        """The readout (R, F), in eight bits."""
        joined_RX = rounded_RW
        if self.decoder.attention is not None:
            context_BQH = self.decoder.attention(states_BQW, memory)[0]
            joined_RX = torch.cat((rounded_RW, coarse(context_BQH.flatten(0, 1))), dim=1)
        return coarse(self._readout.of(joined_RX).sigmoid_().mul_(2).sub_(1))


class _Step:
    """One layer. The first features of its input are to be multiplied by `largest_D`, where that is given."""

    def __init__(self, layer: nn.LSTM, largest_D: Tensor | None = None) -> None:
        width = layer.hidden_size
        twice_G = torch.ones(4 * width)
        twice_G[2 * width : 3 * width] = 2  # for tanh, as above
        weights: dict[str, Tensor] = dict(layer.named_parameters())
        both_GX = torch.cat((weights["weight_ih_l0"], weights["weight_hh_l0"]), dim=1)
        if largest_D is not None:
            both_GX[:, : len(largest_D)] *= largest_D
        self._product = Product(twice_G[:, None] * both_GX, twice_G * (weights["bias_ih_l0"] + weights["bias_hh_l0"]))

    def step(self, entering_RX: Tensor, before: CellState) -> tuple[Tensor, CellState]:
        """What the layer says (R, W) in float32, and the state after the step."""
        assert before.cell_RW is not None
        gates_RG = self._product.of(torch.cat((entering_RX, before.hidden_RW), dim=1))
        less_RW, state_RW = before.cell_RW.clone(), torch.empty_like(before.cell_RW)
        stepped(gates_RG[None], less_RW[None], state_RW[None])
        return state_RW, CellState(coarse(state_RW), less_RW)
