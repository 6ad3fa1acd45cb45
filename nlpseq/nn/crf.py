"""A linear-chain conditional random field (Lafferty et al. 2001) on top of emission scores.

Axes: B sentences, T positions, K labels. Position 0 is always within its sentence.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

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
        # A GPU would have to be waited for, to look at the scores.
        if emissions_BTK.device.type == "cpu" and not self._underflows(emissions_BTK, mask_BT):
            given = emissions_BTK, transitions_KK, start_K, mask_BT
            total_B: Tensor = _LogPartition.apply(*given)  # type: ignore[no-untyped-call]
        else:
            total_B = self._forward(emissions_BTK, mask_BT)[-1].logsumexp(1)
        return total_B - gold_B

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

    @torch.no_grad()
    def _underflows(self, emissions_BTK: Tensor, mask_BT: Tensor) -> bool:
        """Whether a label and an allowed step to it may have odds below e^-LEAST, so that scaled probabilities fail."""
        spread_BT = (emissions_BTK.amax(2) - emissions_BTK.amin(2)).masked_fill(~mask_BT, 0.0)
        steps = self.transitions[self.allowed_KK], self.start[self.allowed_start_K]
        return bool(spread_BT.max() + max(scores.max() - scores.min() for scores in steps) > LEAST)

    @torch.no_grad()
    def marginals(self, emissions_BTK: Tensor, mask_BT: Tensor) -> Tensor:
        """p(y_t = k | x), (B, T, K), without gradients.

        The same algorithm on probabilities, scaled to sum to 1 at each position (Rabiner 1989, V.A): a step is a matrix
        product instead of a sum of exponentials. Where odds below e^-LEAST would underflow, it is `log_marginals`.
        """
        if self._underflows(emissions_BTK, mask_BT):
            return self.log_marginals(emissions_BTK, mask_BT).exp()
        transitions_KK, start_K = self._scores()
        follow_KK, begin_K = (transitions_KK - transitions_KK.max()).exp(), (start_K - start_K.max()).exp()
        odds_TBK = (emissions_BTK - emissions_BTK.amax(2, keepdim=True)).exp().transpose(0, 1)
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


class _LogPartition(torch.autograd.Function):
    """log Z (B,), and its slopes, which are probabilities: of labels and of steps (Rabiner 1989, V.A and III.C).

    By scaled probabilities, forwards and backwards: what autograd would make of sums of exponentials, step by step,
    takes several times as long.
    """

    @staticmethod
    def forward(ctx: Any, emissions_BTK: Tensor, transitions_KK: Tensor, start_K: Tensor, mask_BT: Tensor) -> Tensor:
        most_BT, most, first = emissions_BTK.amax(2), transitions_KK.max(), start_K.max()
        odds_BTK = (emissions_BTK - most_BT.unsqueeze(2)).exp_().masked_fill_(~mask_BT.unsqueeze(2), 1.0)
        odds_TBK = odds_BTK.transpose(0, 1).contiguous()
        follow_KK, inside_TB = (transitions_KK - most).exp(), mask_BT.T
        alphas_TBK, sums_TB1 = torch.empty_like(odds_TBK), odds_TBK.new_ones(*odds_TBK.shape[:2], 1)
        reached_BK = (start_K - first).exp() * odds_TBK[0]
        for position in range(len(odds_TBK)):
            if position:
                reached_BK = (alphas_TBK[position - 1] @ follow_KK).mul_(odds_TBK[position])
            sums_TB1[position] = reached_BK.sum(1, keepdim=True)
            torch.div(reached_BK, sums_TB1[position], out=alphas_TBK[position])
        # Past the end of a sentence all this goes on, and nothing is made of it.
        logs_BT = (sums_TB1.squeeze(2).log().T + most_BT).masked_fill(~mask_BT, 0.0)
        ctx.save_for_backward(odds_TBK, follow_KK, alphas_TBK, sums_TB1, inside_TB)
        return logs_BT.sum(1) + first + most * (mask_BT.sum(1) - 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_B: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        odds_TBK, follow_KK, alphas_TBK, sums_TB1, inside_TB = ctx.saved_tensors
        ahead_TBK, betas_TBK = torch.zeros_like(odds_TBK), torch.ones_like(odds_TBK)
        for position in range(len(odds_TBK) - 1, 0, -1):
            torch.mul(odds_TBK[position], betas_TBK[position], out=ahead_TBK[position])
            ahead_TBK[position].div_(sums_TB1[position])
            reached_BK = ahead_TBK[position] @ follow_KK.T
            betas_TBK[position - 1] = torch.where(inside_TB[position, :, None], reached_BK, betas_TBK[position - 1])
        slopes_TB1 = (inside_TB * slope_B).unsqueeze(2)
        labels_TBK = (alphas_TBK * betas_TBK).mul_(slopes_TB1)
        steps_KK = (alphas_TBK[:-1] * slopes_TB1[1:]).flatten(0, 1).T @ ahead_TBK[1:].flatten(0, 1)
        return labels_TBK.transpose(0, 1), steps_KK * follow_KK, labels_TBK[0].sum(0), None


def _scaled(odds_BK: Tensor) -> Tensor:
    """The same, summing to 1 over the last axis."""
    return odds_BK / odds_BK.sum(-1, keepdim=True)
