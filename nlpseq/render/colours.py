"""The colour of each label, on a terminal and on a page: the one place where colours are chosen.

On a page the text keeps its own colour: each background here has a contrast of at least 7:1 with the
page's text (WCAG 2.2, level AAA). Colour never says anything that the label does not say in words.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple


class Colour(NamedTuple):
    """A background for a terminal (with black text), and one for a light and for a dark page."""

    terminal: str
    light: str
    dark: str


BLUE = Colour("bright_cyan", "#cfe3ff", "#143a66")
ORANGE = Colour("bright_yellow", "#ffe0b8", "#5c3600")
GREEN = Colour("bright_green", "#cdf0d3", "#0f4a23")
PURPLE = Colour("bright_magenta", "#eed7fb", "#4d2266")
RED = Colour("bright_red", "#ffd6d6", "#661f1f")
GREY = Colour("white", "#e2e4e8", "#3a3f47")
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)

_KNOWN = {
    "PER": BLUE, "PERSON": BLUE,
    "ORG": ORANGE, "CORPORATION": ORANGE, "COMPANY": ORANGE,
    "LOC": GREEN, "GPE": GREEN, "LOCATION": GREEN, "FAC": GREEN,
    "GROUP": RED, "NORP": RED,
    "MISC": PURPLE, "PRODUCT": PURPLE, "CREATIVE-WORK": PURPLE, "WORK_OF_ART": PURPLE,
}  # fmt: skip


def colour_of(label: str) -> Colour:
    """The same colour for the same label, in every run and in every format."""
    known = _KNOWN.get(label.upper())
    return known or PALETTE[zlib.crc32(label.encode("utf-8", "replace")) % len(PALETTE)]


# Of words that speak for the label of a prediction, and against it; on a page paler where they say less.
FOR = Colour("bright_cyan", "#9cc4ff", "#1c4f8c")
AGAINST = Colour("bright_yellow", "#ffbd66", "#734400")
TELLING = 0.1  # log-odds: a word of less weight than this is not marked

CONFIDENCE_BELOW = 0.5  # a token's score under this is drawn to the reader's attention
DOUBT = "yellow"
HEADING = "bold"
FAINT = "dim"
HEAT = "cyan"  # of attention
