"""Small encoders, and how many words of what width they read."""

from __future__ import annotations

import torch

from nlpseq.config import Cell, EncoderConfig
from nlpseq.nn.recurrent import RecurrentEncoder

WORDS, WIDTH = 40, 12


def encoder(layers: int = 2, *, bidirectional: bool = True, cell: Cell = "lstm") -> RecurrentEncoder:
    """With random weights, the same for each number of layers, 20 wide in each direction."""
    torch.manual_seed(layers)
    config = EncoderConfig(cell=cell, layers=layers, width=20, bidirectional=bidirectional)
    return RecurrentEncoder(config, WIDTH).eval()
