"""The language model whose states are read beside words, as a checkpoint has it. No torch here."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nlpseq.config import Cell

CONTEXT = "context"  # below the checkpoint's `text/`: its shape, and with a suffix its units

Width = Annotated[int, Meta(ge=1, le=65536)]


class ContextShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What units it reads, how wide their vectors are, its layers in one direction, and whether it has both."""

    unit: Literal["pieces", "characters"]
    cell: Cell
    width: Width
    layers: Annotated[tuple[Width, ...], Meta(min_length=1, max_length=64)]
    backwards: bool
