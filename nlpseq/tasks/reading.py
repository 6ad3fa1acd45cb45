"""What a language model on torch remembers of the texts that it has read, for writing on.

Axes: B sequences, T positions, D features of a unit, V units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from nlpseq.nn.fused import State
from nlpseq.text.units import Units
from nlpseq.writing.memory import must_be_numbers

if TYPE_CHECKING:
    from nlpseq.tasks.language_model import LanguageModel

Array = np.ndarray[Any, Any]


class TorchMemory:
    """What was read of B sequences: log p (B, V) of what follows, and the states. See `writing.memory`."""

    def __init__(self, model: LanguageModel, log_BV: Array, states: Sequence[State]) -> None:
        self.model, self.log_BV, self.states = model, log_BV, states

    def then(self, ids: Sequence[int]) -> TorchMemory:
        """After one more unit of each sequence."""
        return read_on(self.model, torch.tensor([[index] for index in ids]), states=self.states)

    def of(self, rows: Sequence[int]) -> TorchMemory:
        """Of some of the sequences, in this order."""
        rows_B = torch.tensor(rows, device=self.model.device)
        states = [tuple(part.index_select(1, rows_B) for part in layer) for layer in self.states]
        return TorchMemory(self.model, self.log_BV[rows], states)

    def beside(self, others: Sequence[TorchMemory]) -> TorchMemory:
        """Of these sequences and those of others."""
        all_of_them = [self, *others]
        layers = zip(*(one.states for one in all_of_them), strict=True)
        states = [tuple(torch.cat(same, dim=1) for same in zip(*layer, strict=True)) for layer in layers]
        return TorchMemory(self.model, np.concatenate([one.log_BV for one in all_of_them]), states)


@torch.inference_mode()
def read_on(
    model: LanguageModel, ids_BT: Tensor, units: Units | None = None, states: Sequence[State] | None = None
) -> TorchMemory:
    """After ids, of the model's units or of those that its `meet` gave, read on from such states or from none.

    Raises NlpseqError where states have become too large for numbers.
    """
    model.network.eval()
    vectors_BTD = model.vectors(ids_BT, units)
    log_BV, after = model.network.last_log_probabilities(model.network.forwards, vectors_BTD, states)
    log_BV[:, sorted(model.units.silent)] = -torch.inf
    return TorchMemory(model, must_be_numbers(log_BV.float().cpu().numpy()), after)
