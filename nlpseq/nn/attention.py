"""Attention over the states of a source. Axes: B sentences, S source positions, H state features, Q queries, A inner.

The queries of a sentence are the steps of a decoder that is taught, or the hypotheses of a search: either way each
looks at its sentence's one memory, so that nothing is copied for a beam.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn


class Memory(NamedTuple):
    """What is attended to: states (B, S, H), keys made of them once (B, S, A), and which positions are true (B, S)."""

    states_BSH: Tensor
    keys_BSA: Tensor
    mask_BS: Tensor

    def kept(self, sentences: Tensor) -> Memory:
        """The memory of these sentences alone."""
        return Memory(*(part.index_select(0, sentences) for part in self))


class Attention(nn.Module):
    """A mean of the states of a source, weighted by how well each answers a query.

    - luong: the energy is q · W h, the "general" score of Luong et al. 2015, section 3.1: two matrix products
    - bahdanau: the energy is v · tanh(U q + W h) (Bahdanau et al. 2015, appendix A.1.2): every pair of query and
      position has a hidden vector of its own, which costs much more
    """

    def __init__(self, kind: Literal["bahdanau", "luong"], query_width: int, memory_width: int) -> None:
        super().__init__()
        self.keys = nn.Linear(memory_width, query_width, bias=False)
        additive = kind == "bahdanau"
        self.query = nn.Linear(query_width, query_width) if additive else None
        self.energy = nn.Linear(query_width, 1, bias=False) if additive else None

    def memory(self, states_BSH: Tensor, mask_BS: Tensor) -> Memory:
        """The states of a source, made ready to be asked."""
        return Memory(states_BSH, self.keys(states_BSH), mask_BS)

    def forward(self, queries_BQA: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The means (B, Q, H), and the weights (B, Q, S): each row sums to 1, and is 0 at padding."""
        energies_BQS = self._energies(queries_BQA, memory.keys_BSA)
        weights_BQS = energies_BQS.masked_fill(~memory.mask_BS.unsqueeze(1), -torch.inf).softmax(2)
        return torch.bmm(weights_BQS, memory.states_BSH), weights_BQS

    def _energies(self, queries_BQA: Tensor, keys_BSA: Tensor) -> Tensor:
        if self.query is None or self.energy is None:
            return torch.bmm(queries_BQA, keys_BSA.transpose(1, 2))
        hidden_BQSA = torch.tanh(self.query(queries_BQA).unsqueeze(2) + keys_BSA.unsqueeze(1))
        energies_BQS: Tensor = self.energy(hidden_BQSA).squeeze(3)
        return energies_BQS
