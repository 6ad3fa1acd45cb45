"""What the characters of a word say of it.

Axes: U distinct words, C character positions, E character width, F features, W places of a window, S symbols.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nlpseq.config import KERNELS
from nlpseq.nn.fused import moved
from nlpseq.nn.recurrent import RecurrentLayer

MIDDLE = max(KERNELS) // 2  # the place of a position itself in the window of W = SPAN places that kernels see of it
FAR = 1e30
PARTS, FEW = 4, 64  # in which words are read, by their length, where each has so many
SPAN = MIDDLE + max(kernel - kernel // 2 for kernel in KERNELS)


class CharacterCNN(nn.Module):
    """Convolutions of several widths, each maximised over the word (Kim et al. 2016; Ma & Hovy 2016)."""

    def __init__(self, symbols: int, width: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width, padding_idx=0)
        shares = [features // len(KERNELS) + (i < features % len(KERNELS)) for i in range(len(KERNELS))]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, share, kernel, padding=kernel // 2) for share, kernel in zip(shares, KERNELS, strict=True)
        )

    def forward(self, characters_UC: Tensor, given_WSF: Tensor | None = None) -> Tensor:
        """(U, C) int64, padded with 0 -> (U, F). Padding embeds as zero, and cannot win the maximum past one kernel.

        There are few symbols: what each gives to the features from each place of a window is computed once and looked
        up, so a feature at a position is a sum of W numbers. Gradients go to the windows that won the maximum alone.
        `given_WSF` is what `given()` said, by the same weights, where it is asked for once for many calls.
        """
        given_WSF = self.given() if given_WSF is None else given_WSF
        if len(characters_UC) < PARTS * FEW:
            return torch.relu(_best(characters_UC, given_WSF) + torch.cat(self._of_all("bias")))
        order_U, parts = _by_length(characters_UC)
        found = [_best(part_UC, given_WSF) for part_UC in parts]
        best_UF = moved(torch.cat(found), order_U.argsort(), order_U)
        return torch.relu(best_UF + torch.cat(self._of_all("bias")))

    def given(self) -> Tensor:
        """What each symbol gives to each feature from each place of a window (W, S, F).

        It is minus infinity for padding in the middle, where it may not win.
        """
        symbols_S = torch.arange(self.embedding.num_embeddings, device=self.embedding.weight.device)
        weights_FEW = torch.cat([_in_the_window(weight_FEK) for weight_FEK in self._of_all("weight")])
        given_WSF = torch.einsum("se,few->wsf", self.embedding(symbols_S), weights_FEW)
        padding_WS1 = torch.zeros(SPAN, len(symbols_S), 1, dtype=torch.bool, device=symbols_S.device)
        padding_WS1[MIDDLE, 0] = True
        return given_WSF.masked_fill(padding_WS1, -torch.inf).contiguous()

    def _of_all(self, name: str) -> list[Tensor]:
        return [self.get_parameter(f"convolutions.{n}.{name}") for n in range(len(self.convolutions))]


def _by_length(characters_UC: Tensor) -> tuple[Tensor, list[Tensor]]:
    """An order of words, the shortest first, and their characters in that order, in parts of as many characters each,
    as wide as each part needs.
    """
    lengths_U, order_U = (characters_UC != 0).sum(1).sort(stable=True)
    share_U = (lengths_U.cumsum(0) - 1).clamp(min=0) * PARTS // lengths_U.sum().clamp(min=1)
    ends_P = torch.searchsorted(share_U, torch.arange(1, PARTS + 1, device=share_U.device)).tolist()
    sorted_UC, bounds = characters_UC.index_select(0, order_U), [0, *ends_P]
    parts = [(first, end) for first, end in pairwise(bounds) if first < end]
    return order_U, [sorted_UC[first:end, : max(1, int(lengths_U[end - 1]))] for first, end in parts]


def _best(characters_UC: Tensor, given_WSF: Tensor) -> Tensor:
    """The highest sum (U, F) of each feature over the positions of each word, without its bias."""
    best_UF: Tensor = _Best.apply(characters_UC, given_WSF)  # type: ignore[no-untyped-call]
    return best_UF


class _Best(torch.autograd.Function):
    """Its gradients go to the windows that won; second derivatives cannot be taken."""

    @staticmethod
    def forward(ctx: Any, characters_UC: Tensor, given_WSF: Tensor) -> Tensor:
        found_UCF = _summed(given_WSF, _windows(characters_UC, symbols=given_WSF.shape[1]))
        best_UF = found_UCF.amax(1)
        if ctx.needs_input_grad[1]:
            ctx.save_for_backward(characters_UC, _places_of(best_UF, found_UCF))
            ctx.symbols = given_WSF.shape[1]
        return best_UF

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_UF: Tensor) -> tuple[None, Tensor]:
        characters_UC, won_UF = ctx.saved_tensors
        around_UC = _around(characters_UC)
        before_U1 = around_UC.shape[1] * torch.arange(len(around_UC), device=around_UC.device).unsqueeze(1)
        around_N, at_N = around_UC.flatten(), (won_UF + before_U1).flatten()
        slopes_WSF = slope_UF.new_zeros(SPAN, ctx.symbols, slope_UF.shape[1])
        for place, slopes_SF in enumerate(slopes_WSF):
            slopes_SF.scatter_add_(0, around_N[place:].index_select(0, at_N).view_as(won_UF), slope_UF)
        return None, slopes_WSF


def _in_the_window(weight_FEK: Tensor) -> Tensor:
    """The weights (F, E, W) of a convolution that stands in the window where it stands over a word."""
    kernel = weight_FEK.shape[2]
    before = MIDDLE - kernel // 2
    return nn.functional.pad(weight_FEK, (before, SPAN - before - kernel))


def _windows(characters_UC: Tensor, symbols: int) -> Tensor:
    """For each position and place of its window, the row (U, C, W) of the symbol there, among those of all places."""
    return _around(characters_UC).unfold(1, SPAN, 1) + symbols * torch.arange(SPAN, device=characters_UC.device)


def _around(characters_UC: Tensor) -> Tensor:
    """Words with padding about them, so that each position has a whole window, which begins where it stood itself."""
    return nn.functional.pad(characters_UC, (MIDDLE, SPAN - 1 - MIDDLE))


def _summed(given_WSF: Tensor, rows_UCW: Tensor) -> Tensor:
    """The features (U, C, F) at each position."""
    found_NF = nn.functional.embedding_bag(rows_UCW.flatten(0, 1), given_WSF.flatten(0, 1), mode="sum")
    return found_NF.view(*rows_UCW.shape[:2], -1)


def _places_of(best_UF: Tensor, found_UCF: Tensor) -> Tensor:
    """Where a maximum stands (U, F), the last time, or anywhere where it is no number; `found_UCF` is overwritten.

    Torch's maximum of one axis is slow where it says that, and so are comparisons: what is less than the maximum is
    made to be less by far, and the places are added.
    """
    places_C1 = torch.arange(found_UCF.shape[1], dtype=found_UCF.dtype, device=found_UCF.device).unsqueeze(1)
    return found_UCF.sub_(best_UF.unsqueeze(1)).mul_(FAR).add_(places_C1).amax(1).nan_to_num_(nan=0.0).long()


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
