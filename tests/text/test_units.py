from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlpseq.text.pieces import Pieces
from nlpseq.text.units import Characters, PieceUnits

LINES = ["the old man and the sea", "the sea, the sea!", "don't go to the old mill-house"] * 20
CHARACTERS = Characters.seen(LINES, size=100, min_count=2)
PIECES = PieceUnits(Pieces.trained(LINES, 290))


@given(st.text(alphabet=sorted(set("".join(LINES))), max_size=30))
def test_characters_spell_what_they_were_made_of(text: str) -> None:
    assert CHARACTERS.text(CHARACTERS.ids(text)) == text


def test_characters_that_are_rare_are_unknown() -> None:
    few = Characters.seen([*LINES, "q"], size=100, min_count=2)
    assert few.text(few.ids("seq")) == "se\ufffd"
    fewer = Characters.seen(LINES, size=8, min_count=1)
    assert len(fewer) == 8
    assert fewer.text(fewer.ids("the e")) == "the e"  # the most frequent, and the space among them
    assert CHARACTERS.ids("a\tb\u2028c")[1::2] == [CHARACTERS.vocabulary.id(" ")] * 2


def test_silence() -> None:
    """Reserved ids are not heard."""
    assert CHARACTERS.text([0, CHARACTERS.end, *CHARACTERS.ids("sea")]) == "sea"
    assert PIECES.text([0, PIECES.end, *PIECES.ids("the sea")]) == "the sea"


def test_where_words_begin_and_end() -> None:
    symbols = {CHARACTERS.vocabulary.symbol(index) for index in CHARACTERS.opening if index != CHARACTERS.end}
    assert symbols == {" ", ",", "!"}
    assert CHARACTERS.end in CHARACTERS.opening
    assert {CHARACTERS.vocabulary.symbol(index) for index in CHARACTERS.begins(False)} == {" "}
    assert CHARACTERS.vocabulary.id("t") in CHARACTERS.begins(True)
    names = dict(zip(PIECES.pieces.names(range(len(PIECES))), range(len(PIECES)), strict=True))
    begun = {index for name, index in names.items() if name.startswith("▁")}
    assert begun
    assert PIECES.begins(False) == begun
    assert PIECES.opening == begun | {names["!"], names[","], PIECES.end}  # no bytes, and no apostrophe


def test_they_come_back_from_plain_values() -> None:
    assert Pieces(PIECES.to_plain()["pieces"]).ids("the sea") == PIECES.ids("the sea")
    assert CHARACTERS.to_plain()["units"] == CHARACTERS.vocabulary.symbols
