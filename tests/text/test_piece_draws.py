from __future__ import annotations

import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlpseq.text.piece_draws import PieceDraws
from nlpseq.text.pieces import PIECE_UNKNOWN, PieceKind, Pieces

SENTENCES = [
    f"the {size} {what} number {number} {does} by the {where}"
    for number in range(30)
    for size, what, does, where in (("old", "house", "stands", "river"), ("small", "boat", "stays", "harbour"))
]
SIZE = 340


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def kind(request: pytest.FixtureRequest) -> PieceKind:
    given: PieceKind = request.param
    return given


@pytest.fixture(scope="module")
def pieces(kind: PieceKind) -> Pieces:
    return Pieces.trained(SENTENCES, SIZE, kind=kind)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), seed=st.integers(0, 2**31))
@settings(max_examples=100)
def test_what_is_drawn_spells_what_the_usual_pieces_spell(
    kind: PieceKind, pieces: Pieces, text: str, seed: int
) -> None:
    drawn = PieceDraws(pieces, kind, 0.3).ids(text, Random(seed))
    assert pieces.text(drawn) == pieces.text(pieces.ids(text))
    assert PIECE_UNKNOWN not in drawn


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=100)
def test_without_chance_it_is_the_usual_way_to_split(kind: PieceKind, pieces: Pieces, text: str) -> None:
    draws = PieceDraws(pieces, kind, 200.0 if kind == "unigram" else 0.0)
    for given_text in (text, *SENTENCES[:4]):
        assert draws.ids(given_text, Random(1)) == pieces.ids(given_text)


def test_ways_come_as_often_as_sentencepiece_draws_them(kind: PieceKind, pieces: Pieces) -> None:
    alpha, times, text = 0.3, 4000, "house"
    draws, chance = PieceDraws(pieces, kind, alpha), Random(1)
    own = Counter(tuple(draws.ids(text, chance)) for _ in range(times))
    theirs = Counter(
        tuple(pieces._processor.encode(text, enable_sampling=True, alpha=alpha, nbest_size=-1)) for _ in range(times)
    )
    assert len(own) > 1
    for ids in own.keys() | theirs.keys():
        assert abs(own[ids] - theirs[ids]) < 0.06 * times  # six standard deviations of a half and more


DRAWN = """
from random import Random
from nlpseq.text.piece_draws import PieceDraws
from nlpseq.text.pieces import Pieces
from tests.text.test_piece_draws import SENTENCES, SIZE
draws = PieceDraws(Pieces.trained(SENTENCES, SIZE, kind="bpe"), "bpe", 0.3)
print([draws.ids(sentence, Random(7)) for sentence in SENTENCES[:5]])
"""


def test_another_process_draws_the_same() -> None:
    answers = {subprocess.check_output([sys.executable, "-c", DRAWN], text=True) for _ in range(2)}
    assert len(answers) == 1
