"""What the characters of a word say of it.

Axes: U distinct words, C character positions, E character width, F features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nlpseq.config import KERNELS
from nlpseq.nn.recurrent import RecurrentLayer


class CharacterCNN(nn.Module):
    """Convolutions of several widths, each maximised over the word (Kim et al. 2016; Ma & Hovy 2016)."""

    def __init__(self, symbols: int, width: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width, padding_idx=0)
        shares = [features // len(KERNELS) + (i < features % len(KERNELS)) for i in range(len(KERNELS))]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, share, kernel, padding=kernel // 2) for share, kernel in zip(shares, KERNELS, strict=True)
        )

    def forward(self, characters_UC: Tensor) -> Tensor:
        """(U, C) int64, padded with 0 -> (U, F). Padding embeds as zero, and cannot win the maximum past one kernel."""
        embedded_UEC = self.embedding(characters_UC).transpose(1, 2)
        inside_U1C = (characters_UC != 0).unsqueeze(1)
        pooled = []
        for convolution in self.convolutions:
            found_UFC = convolution(embedded_UEC)[:, :, : characters_UC.shape[1]]
            pooled.append(found_UFC.masked_fill(~inside_U1C, -torch.inf).amax(2))
        return torch.relu(torch.cat(pooled, dim=1))


class CharacterLSTM(nn.Module):
    """The last states of a bidirectional LSTM over the characters (Lample et al. 2016)."""

    def __init__(self, symbols: int, width: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width, padding_idx=0)
        self.layer = RecurrentLayer("lstm", width, features // 2, bidirectional=True)

    def forward(self, characters_UC: Tensor) -> Tensor:
        """(U, C) int64, padded with 0 -> (U, F)."""
        lengths_U = (characters_UC != 0).sum(1)
        states_UCF = self.layer(self.embedding(characters_UC), lengths_U)
        half = states_UCF.shape[2] // 2
        last_U1F = (lengths_U - 1)[:, None, None].expand(-1, 1, half)
        return torch.cat((states_UCF[:, :, :half].gather(1, last_U1F).squeeze(1), states_UCF[:, 0, half:]), dim=1)
