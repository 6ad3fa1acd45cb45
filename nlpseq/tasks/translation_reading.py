"""How a translator's network is read by a search: as it is, or in fewer bits where processors are fast at that.

Axes: B sentences, S source positions, Q hypotheses of a sentence, V target pieces.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nlpseq.batching import mask_of
from nlpseq.nn.eight_bit import readable
from nlpseq.nn.eight_bit_decoder import EightBitDecoder, decodable
from nlpseq.nn.eight_bit_products import wanted
from nlpseq.nn.fast_reader import fast_reader
from nlpseq.tasks.translation_network import Growing, Reading, TranslationNetwork


class FewBitNetwork:
    """What a TranslationNetwork reads and says, nearly, as `nn/eight_bit_decoder.py` says, and `nn/sixteen_bit.py` of
    encoders. It copies the weights as they are.
    """

    def __init__(self, network: TranslationNetwork) -> None:
        """Requires `fits(network)`."""
        self.network = network
        encoder = fast_reader(network.encoder)
        assert encoder is not None, "it fits"
        self._encoder = encoder
        vectors_VD = network.vectors[-1].weight
        assert isinstance(vectors_VD, Tensor)
        self._decoder = EightBitDecoder(network.decoder, vectors_VD, network.output_weight, network.output_bias)

    @staticmethod
    def fits(network: TranslationNetwork) -> bool:
        """Whether a network may be read so, and is to be."""
        return wanted() and readable(network.encoder) and decodable(network.decoder)

    def read(self, sources_BS: Tensor, lengths_B: Tensor) -> Reading:
        """As `TranslationNetwork.read`."""
        pieces_U, places_BS = torch.unique(sources_BS, return_inverse=True)
        entered_UX = self._encoder.entered(self.network.vectors[0](pieces_U))
        states_BSH, ends_BE = self._encoder.with_ends(entered_UX, places_BS, lengths_B)
        mask_BS = mask_of(lengths_B, sources_BS.shape[1])
        return Reading(self._decoder.memory(states_BSH, mask_BS), self._decoder.start(ends_BE))

    def growing(self, reading: Reading) -> Growing:
        """As `TranslationNetwork.growing`."""
        return Growing(reading.start, reading.memory)

    def step(self, last_BQ: Tensor, state: Growing) -> tuple[Tensor, Growing]:
        """As `TranslationNetwork.step`."""
        read_RF, decoder = self._decoder.step(last_BQ, state.decoder, state.memory)
        return read_RF.view(*last_BQ.shape, -1), Growing(decoder, state.memory)

    def scores(self, features_RF: Tensor) -> Tensor:
        """As `TranslationNetwork.scores`."""
        return self._decoder.scores(features_RF)


class Readers:
    """Makes what a search reads a network with, and keeps it until other weights are seen, or it is told to `forget`.

    What changes weights in place without counting it, as optimisers do, has to tell. A copy of it, pickled or not,
    begins with nothing.
    """

    def __init__(self) -> None:
        self._kept: tuple[Any, FewBitNetwork] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Readers, ()

    def forget(self) -> None:
        """Keeps nothing."""
        self._kept = None

    def of(self, network: TranslationNetwork) -> TranslationNetwork | FewBitNetwork:
        """The network itself, or its like in fewer bits."""
        if not FewBitNetwork.fits(network):
            return network
        weights = [(id(weight), weight._version) for weight in network.parameters()]
        kept = self._kept
        if kept is None or kept[0] != weights:
            self._kept = kept = (weights, FewBitNetwork(network))
        return kept[1]
