"""Which of the ways to read an encoder in few bits is the fastest on this processor."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from nlpseq.nn.eight_bit import NO_HEADS, EightBitEncoder, readable
from nlpseq.nn.eight_bit_products import wanted
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.nn.sixteen_bit import SixteenBitEncoder, has_tiles


def fast_reader(
    encoder: RecurrentEncoder, heads: Mapping[str, nn.Linear] = NO_HEADS
) -> SixteenBitEncoder | EightBitEncoder | None:
    """What reads the encoder, and names the labels of its states, fastest here; None where only the encoder does."""
    if not (wanted() and readable(encoder)):
        return None
    return SixteenBitEncoder(encoder, heads) if has_tiles() else EightBitEncoder(encoder, heads)
