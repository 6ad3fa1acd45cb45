"""The generators that a training draws from: torch's own, of the processor and of the device that the network is on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor


def generators(device: torch.device) -> dict[str, Generator]:
    """The generators of a network on `device`, by the kind of device they draw on."""
    found = {"cpu": torch.default_generator}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.default_generators[device.index]
    if device.type == "mps":
        found["mps"] = torch.mps._get_default_mps_generator()
    return found


def seeded(found: Mapping[str, Generator], seed: int) -> dict[str, Tensor]:
    """The states that such generators have when they are seeded; they themselves stay as they are."""
    return {kind: Generator(generator.device).manual_seed(seed).get_state() for kind, generator in found.items()}


def states_of(found: Mapping[str, Generator]) -> dict[str, Tensor]:
    """Their states, as tensors of bytes on the processor."""
    return {kind: generator.get_state() for kind, generator in found.items()}


def set_states(found: Mapping[str, Generator], states: Mapping[str, Tensor]) -> None:
    """Lets them go on from such states."""
    for kind, generator in found.items():
        generator.set_state(states[kind])
