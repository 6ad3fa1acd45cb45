"""How far back a recurrent layer remembers: what its last state would change by, were an earlier input another.

Axes: T positions, D input features, W units, N rows.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

PROBES = 8


def by_distance(
    layer: nn.RNNBase, inputs_TD: Tensor, start: Sequence[Tensor] = (), *, probes: int = PROBES, seed: int = 0
) -> Tensor:
    """The size (T) of the gradients of the last state with respect to each input, the last input first.

    At distance k it is the Frobenius norm of the Jacobian dh_T / dx_{T-k}, a product of k Jacobians of single steps,
    which is why it may vanish or explode (Bengio et al. 1994; Pascanu et al. 2013, equation 5). The squared norm is the
    expectation of |v J|^2 over vectors v of random signs (Hutchinson 1989), here the mean over `probes` of them. That
    is an estimate: off by a few per cent near the end, and far back, where all that is left points in one direction,
    by a quarter (one standard deviation of eight probes). Over texts with other `seed`s it averages out. `start` is
    the state (W,) the layer began in, h and for an LSTM c; zeros where it is not given.
    """
    trained = copy.deepcopy(layer).train()  # torch's kernels keep what a gradient needs only while training
    inputs_NTD = inputs_TD.detach().clone().expand(probes, -1, -1).contiguous().requires_grad_()
    generator = torch.Generator().manual_seed(seed)
    with torch.enable_grad():
        last_NW = trained(inputs_NTD, _side_by_side(start, probes))[0][:, -1]
        signs_NW = torch.randint(2, last_NW.shape, generator=generator).to(last_NW) * 2 - 1
        (slope_NTD,) = torch.autograd.grad((last_NW * signs_NW).sum(), inputs_NTD)
    return slope_NTD.pow(2).sum(2).mean(0).sqrt().flip(0)


def _side_by_side(start: Sequence[Tensor], rows: int) -> Tensor | tuple[Tensor, ...] | None:
    states = tuple(state_W.detach().clone().expand(1, rows, -1).contiguous() for state_W in start)
    return states if len(states) > 1 else states[0] if states else None
