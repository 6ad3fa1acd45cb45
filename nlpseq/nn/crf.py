"""A linear-chain conditional random field (Lafferty et al. 2001) on top of emission scores.

Axes: B sentences, T positions, K labels. Position 0 is always within its sentence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORBIDDEN = -1e30  # nats: no emissions make up for it, and there is room for as many as a sentence has positions
LEAST = 40.0  # nats


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

    def _steep(self, transitions_KK: Tensor, start_K: Tensor) -> bool:
        """Whether any step that is allowed has odds below e^-LEAST."""
        gaps_KK = (transitions_KK - transitions_KK.max())[self.allowed_KK]
        gaps_K = (start_K - start_K.max())[self.allowed_start_K]
        return bool((torch.cat((gaps_KK, gaps_K)) < -LEAST).any())

    @torch.no_grad()
    def marginals(self, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """p(y_t = k | x), (B, T, K), without gradients.

        The same algorithm on probabilities, scaled to sum to 1 at each position (Rabiner 1989, V.A): a step is a matrix
        product instead of a sum of exponentials. Where odds below e^-LEAST would underflow, it is `log_marginals`.
        """
        transitions_KK, start_K = self._scores()
        gaps_BTK = emissions_BTK - emissions_BTK.amax(2, keepdim=True)
        if self._steep(transitions_KK, start_K) or bool(((gaps_BTK.amin(2) < -LEAST) & mask_BT).any()):
            return self.log_marginals(emissions_BTK, mask_BT).exp()
        follow_KK, begin_K = (transitions_KK - transitions_KK.max()).exp(), (start_K - start_K.max()).exp()
        odds_TBK = gaps_BTK.clamp(min=-LEAST).exp().transpose(0, 1)  # at padded positions they may be anything
        inside_TB1 = mask_BT.T.unsqueeze(2)
        alphas = [_scaled(begin_K * odds_TBK[0])]
        for odds_BK, inside_B1 in zip(odds_TBK[1:], inside_TB1[1:], strict=True):
            alphas.append(torch.where(inside_B1, _scaled((alphas[-1] @ follow_KK) * odds_BK), alphas[-1]))
        betas = [torch.ones_like(alphas[0])]
        for odds_BK, inside_B1 in zip(odds_TBK[1:].flip(0), inside_TB1[1:].flip(0), strict=True):
            betas.append(torch.where(inside_B1, _scaled((betas[-1] * odds_BK) @ follow_KK.T), betas[-1]))
        return _scaled(torch.stack(alphas) * torch.stack(betas[::-1])).transpose(0, 1)

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


def _scaled(odds_BK: Tensor) -> Tensor:
    """The same, summing to 1 over the last axis."""
    return odds_BK / odds_BK.sum(-1, keepdim=True)
