"""A linear-chain conditional random field on NumPy: the twin of `nn/crf.py`.

Axes: B sentences, T positions, K labels. Position 0 is always within its sentence.
"""

from __future__ import annotations

import numpy as np

from nlpseq.light.arrays import Array
from nlpseq.light.weights import Weights

FORBIDDEN = np.float32(-1e30)
LEAST = np.float32(40)  # nats


class LinearChainCRF:
    """Scores of the steps from label to label; what is forbidden has probability 0 and is never predicted."""

    def __init__(self, weights: Weights, name: str, labels: int) -> None:
        transitions_KK = weights.matrix(f"{name}.transitions", labels, labels)
        start_K = weights.matrix(f"{name}.start", labels)
        allowed_KK = weights.flags(f"{name}.allowed_KK", labels, labels)
        allowed_start_K = weights.flags(f"{name}.allowed_start_K", labels)
        self.transitions_KK = np.where(allowed_KK, transitions_KK, FORBIDDEN)
        self.start_K = np.where(allowed_start_K, start_K, FORBIDDEN)
        gaps_KK = (self.transitions_KK - self.transitions_KK.max())[allowed_KK]
        gaps_K = (self.start_K - self.start_K.max())[allowed_start_K]
        self.steepness = -float(np.concatenate((gaps_KK, gaps_K)).min())  # nats

    def marginals(self, emissions_BTK: Array, mask_BT: Array) -> Array:
        """p(y_t = k | x), (B, T, K), by the forward-backward algorithm on scaled probabilities, or on their logarithms
        where these would underflow.
        """
        gaps_BTK = emissions_BTK - emissions_BTK.max(2, keepdims=True)
        if self.steepness - np.where(mask_BT, gaps_BTK.min(2), 0).min() > LEAST:
            return np.exp(self._log_marginals(emissions_BTK, mask_BT))
        follow_KK = np.exp(self.transitions_KK - self.transitions_KK.max())
        begin_K = np.exp(self.start_K - self.start_K.max())
        odds_BTK = np.exp(np.maximum(gaps_BTK, -LEAST))  # at padded positions they may be anything
        alphas = [_scaled(begin_K * odds_BTK[:, 0])]
        for position in range(1, emissions_BTK.shape[1]):
            reached_BK = _scaled((alphas[-1] @ follow_KK) * odds_BTK[:, position])
            alphas.append(np.where(mask_BT[:, position, None], reached_BK, alphas[-1]))
        betas = [np.ones_like(alphas[0])]
        for position in range(emissions_BTK.shape[1] - 1, 0, -1):
            reached_BK = _scaled((betas[-1] * odds_BTK[:, position]) @ follow_KK.T)
            betas.append(np.where(mask_BT[:, position, None], reached_BK, betas[-1]))
        return _scaled(np.stack(alphas, axis=1) * np.stack(betas[::-1], axis=1))

    def _log_marginals(self, emissions_BTK: Array, mask_BT: Array) -> Array:
        alphas = [emissions_BTK[:, 0] + self.start_K]
        for position in range(1, emissions_BTK.shape[1]):
            reached_BK = _log_sum(alphas[-1][:, :, None] + self.transitions_KK, 1) + emissions_BTK[:, position]
            alphas.append(np.where(mask_BT[:, position, None], reached_BK, alphas[-1]))
        betas = [np.zeros_like(alphas[0])]
        for position in range(emissions_BTK.shape[1] - 1, 0, -1):
            ahead_BK = betas[-1] + emissions_BTK[:, position]
            reached_BK = _log_sum(self.transitions_KK + ahead_BK[:, None, :], 2)
            betas.append(np.where(mask_BT[:, position, None], reached_BK, betas[-1]))
        joint_BTK = np.stack(alphas, axis=1) + np.stack(betas[::-1], axis=1)
        result: Array = joint_BTK - _log_sum(joint_BTK, 2)[:, :, None]
        return result

    def decode(self, emissions_BTK: Array, mask_BT: Array) -> Array:
        """The most probable label sequence of each sentence, int64 (B, T)."""
        best_BK = emissions_BTK[:, 0] + self.start_K
        pointers: list[Array] = []
        stay_K = np.arange(emissions_BTK.shape[2])
        for position in range(1, emissions_BTK.shape[1]):
            steps_BKK = best_BK[:, :, None] + self.transitions_KK
            inside_B1 = mask_BT[:, position, None]
            best_BK = np.where(inside_B1, steps_BKK.max(1) + emissions_BTK[:, position], best_BK)
            pointers.append(np.where(inside_B1, steps_BKK.argmax(1), stay_K))
        path = [best_BK.argmax(1)]
        for pointer_BK in reversed(pointers):
            path.append(pointer_BK[np.arange(len(pointer_BK)), path[-1]])
        return np.stack(path[::-1], axis=1)


def _log_sum(scores: Array, axis: int) -> Array:
    """log sum exp over an axis."""
    most = scores.max(axis, keepdims=True)
    result: Array = np.log(np.exp(scores - most).sum(axis)) + most.squeeze(axis)
    return result


def _scaled(odds: Array) -> Array:
    """The same, summing to 1 over the last axis."""
    result: Array = odds / odds.sum(-1, keepdims=True)
    return result
