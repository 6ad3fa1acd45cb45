"""A linear layer on NumPy. Axes: D input features, K outputs."""

from __future__ import annotations

from nlpseq.light.arrays import Array
from nlpseq.light.weights import Weights


class Linear:
    """x · Wᵀ, and b where there is one."""

    def __init__(self, weights: Weights, name: str, width: int, outputs: int, *, bias: bool = True) -> None:
        self.weight_KD = weights.matrix(f"{name}.weight", outputs, width)
        self.bias_K = weights.matrix(f"{name}.bias", outputs) if bias else None

    def __call__(self, inputs_D: Array) -> Array:
        """(..., D) -> (..., K)."""
        outputs_K: Array = inputs_D @ self.weight_KD.T
        if self.bias_K is not None:
            outputs_K += self.bias_K
        return outputs_K
