"""A linear-chain conditional random field (Lafferty et al. 2001) on top of emission scores.

Axes: B sentences, T positions, K labels. Position 0 is always within its sentence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4


class LinearChainCRF(nn.Module):
    """p(y | x) = exp(score) / Z(x); score = start[y_1] + sum emissions[t, y_t] + sum transitions[y_t-1, y_t].

    `allowed_KK[i, j]` says whether label j may follow label i, `allowed_start_K` whether a label may come first;
    what is forbidden has probability 0 and is never predicted.
    """

    allowed_KK: Tensor
    allowed_start_K: Tensor

    def __init__(self, allowed_KK: Tensor, allowed_start_K: Tensor) -> None:
        super().__init__()
        labels = len(allowed_start_K)
        self.transitions = nn.Parameter(torch.zeros(labels, labels))
        self.start = nn.Parameter(torch.zeros(labels))
        self.register_buffer("allowed_KK", allowed_KK.bool())
        self.register_buffer("allowed_start_K", allowed_start_K.bool())

    def _scores(self) -> tuple[Tensor, Tensor]:
        transitions_KK = self.transitions.masked_fill(~self.allowed_KK, FORBIDDEN)
        return transitions_KK, self.start.masked_fill(~self.allowed_start_K, FORBIDDEN)

    def loss(self, emissions_BTK: Tensor, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Negative log-likelihood (B,) of the labels, in nats. Labels at padded positions are not looked at."""
        transitions_KK, start_K = self._scores()
        picked_BT = emissions_BTK.gather(2, labels_BT.unsqueeze(2)).squeeze(2)
        steps_BT = transitions_KK[labels_BT[:, :-1], labels_BT[:, 1:]]
        gold_B = (picked_BT * mask_BT).sum(1) + (steps_BT * mask_BT[:, 1:]).sum(1) + start_K[labels_BT[:, 0]]
        return self._forward(emissions_BTK, mask_BT)[-1].logsumexp(1) - gold_B

    def _forward(self, emissions_BTK: Tensor, mask_BT: Tensor) -> list[Tensor]:
        """log alpha at each position (Rabiner 1989, III.A); past a sentence's end it stays as at its end."""
        transitions_KK, start_K = self._scores()
        alphas = [emissions_BTK[:, 0] + start_K]
        for position in range(1, emissions_BTK.shape[1]):
            reached_BK = (alphas[-1].unsqueeze(2) + transitions_KK).logsumexp(1) + emissions_BTK[:, position]
            alphas.append(torch.where(mask_BT[:, position, None], reached_BK, alphas[-1]))
        return alphas

    def log_marginals(self, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """log p(y_t = k | x), (B, T, K), by the forward-backward algorithm."""
        transitions_KK, _ = self._scores()
        alphas_TBK = torch.stack(self._forward(emissions_BTK, mask_BT))
        betas = [torch.zeros_like(alphas_TBK[0])]
        for position in range(emissions_BTK.shape[1] - 1, 0, -1):
            ahead_BK = betas[-1] + emissions_BTK[:, position]
            reached_BK = (transitions_KK + ahead_BK.unsqueeze(1)).logsumexp(2)
            betas.append(torch.where(mask_BT[:, position, None], reached_BK, betas[-1]))
        joint_BTK = (alphas_TBK + torch.stack(betas[::-1])).transpose(0, 1)
        return joint_BTK.log_softmax(2)

    def marginals(self, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """p(y_t = k | x), (B, T, K)."""
        return self.log_marginals(emissions_BTK, mask_BT).exp()

    def decode(self, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """The most probable label sequence of each sentence (Viterbi 1967), int64 (B, T)."""
        transitions_KK, start_K = self._scores()
        best_BK = emissions_BTK[:, 0] + start_K
        pointers: list[Tensor] = []
        stay_K = torch.arange(emissions_BTK.shape[2], device=emissions_BTK.device)
        for position in range(1, emissions_BTK.shape[1]):
            reached_BK, pointer_BK = (best_BK.unsqueeze(2) + transitions_KK).max(1)
            inside_B1 = mask_BT[:, position, None]
            best_BK = torch.where(inside_B1, reached_BK + emissions_BTK[:, position], best_BK)
            pointers.append(torch.where(inside_B1, pointer_BK, stay_K))
        path = [best_BK.argmax(1)]
        for pointer_BK in reversed(pointers):
            path.append(pointer_BK.gather(1, path[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(path[::-1], dim=1)
