"""What the runs of words that a text has say of its labels: a linear model beside the recurrent one.

Axes: N runs of all texts that are known, B texts, V runs that are known, K labels of all schemes, S of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

BLOCK = 256  # weights that share a scale where they are stored in eight bits
START = 0.3  # of the ratios that the weights begin with: chosen on the development parts of IMDb and SST


class NgramScores(nn.Module):
    """A weight for each known run and label. A text's score is the sum of those of its runs by the root of their count.

    `known_V` has the hashes of the runs (`text/ngrams.py`), rising. The weights (V, K) are kept in rows of BLOCK, so
    that they can be stored in eight bits (`nn/tables.py`); at first all is zero.
    """

    known_V: Tensor

    def __init__(self, runs: int, labels: int, *, eight_bit: bool) -> None:
        super().__init__()
        self.runs, self.labels, self.eight_bit = runs, labels, eight_bit
        self.register_buffer("known_V", torch.zeros(runs, dtype=torch.int32))
        self.weight = nn.Parameter(torch.zeros(-(-runs * labels // BLOCK), BLOCK))

    def forward(self, places_N: Tensor, counts_B: Tensor) -> Tensor:
        """Scores (B, K) of texts that have so many of the runs, which stand at these places of `known_V`."""
        weights_VK = self.weight.view(-1)[: self.runs * self.labels].view(self.runs, self.labels)
        starts_B = counts_B.cumsum(0) - counts_B
        sums_BK = nn.functional.embedding_bag(places_N, weights_VK, starts_B, mode="sum")
        return sums_BK / counts_B.clamp(min=1).to(sums_BK.dtype).sqrt().unsqueeze(1)

    @torch.no_grad()
    def start_from(self, known_V: Tensor, counts: Sequence[Tensor]) -> None:
        """Begins with what tells the labels of each scheme apart (Wang & Manning 2012, equation 2, for more than two
        labels): START times log P(run | label), less its mean over the labels.

        `counts` has for each scheme in how many texts (V, S) of each label the runs were met.
        """
        parts = []
        for counts_VS in counts:
            shares_VS = counts_VS.double() + 1
            logs_VS = (shares_VS / shares_VS.sum(0)).log()
            parts.append((logs_VS - logs_VS.mean(1, keepdim=True)).to(self.weight.dtype))
        self.known_V.copy_(known_V)
        self.weight.view(-1)[: self.runs * self.labels] = START * torch.cat(parts, dim=1).flatten()
