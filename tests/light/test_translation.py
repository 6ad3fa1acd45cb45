"""The translator on NumPy against the translator on torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from nlpseq.api import load, load_light
from nlpseq.config import AttentionKind, Cell
from nlpseq.records import TranslationPrediction
from tests.letters import pairs
from tests.translators import decided, trained, untrained, write_checkpoint

pytestmark = pytest.mark.usefixtures("full_precision")

NEAR = 1e-5
TEXTS = [
    *(pair.source for pair in pairs(6, seed=3)),
    "",
    "a b c. Two sentences,\n\nand http://x.org an address!",
    "unseen Ünïcode letters 42",
]
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    **{f"attention {kind}": {"decoder": {"attention": kind}} for kind in get_args(AttentionKind)},
    **{f"{kind}, fed": {"decoder": {"attention": kind, "input_feeding": True}} for kind in get_args(AttentionKind)},
    "three layers and two": {"encoder": {"layers": 2}, "decoder": {"layers": 3}},
    "another cell in the decoder": {"encoder": {"cell": "gru"}, "decoder": {"cell": "lstm"}},
    "one way": {"encoder": {"bidirectional": False}},
    "in the order of the text": {"source": {"reverse": False}},
    "two models of pieces": {"pieces": {"joint": False, "size": 300}},
    "nothing tied": {"vectors": {"tied": "none"}},
    "the target tied": {"vectors": {"tied": "target"}},
    "a low limit": {"source": {"limit": 8}},
    "greedy": {"search": {"beam_size": 1}},
    "no guard": {"search": {"no_repeat_ngram_size": 0, "length_cap": 1.3}},
}


def same(one: TranslationPrediction, other: TranslationPrediction) -> bool:
    """Whether two predictions differ in nothing but the last digits of their scores and weights."""
    assert one.score == pytest.approx(other.score, rel=NEAR, abs=NEAR)
    mine, theirs = one.attention or (), other.attention or ()
    for a, b in zip(mine, theirs, strict=True):
        assert (a.source, a.target) == (b.source, b.target)
        assert [w for row in a.weights for w in row] == pytest.approx([w for row in b.weights for w in row], abs=NEAR)
    assert [a.translation for a in one.alternatives] == [a.translation for a in other.alternatives]
    assert [a.score for a in one.alternatives] == pytest.approx([a.score for a in other.alternatives], abs=NEAR)
    return (one.source, one.translation, one.note) == (other.source, other.translation, other.note)


def compare(folder: Path, **searching: Any) -> None:
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    found = light.searching(**searching).pipe(TEXTS), heavy.searching(**searching).pipe(TEXTS)
    assert all(same(*pair) for pair in zip(*found, strict=True))


@pytest.mark.parametrize("cell", get_args(Cell))
def test_every_cell(cell: str, tmp_path: Path) -> None:
    compare(write_checkpoint(tmp_path / "it", decided(untrained(seed=1, encoder={"cell": cell}))))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_that_changes_the_network_or_the_search(name: str, tmp_path: Path) -> None:
    compare(write_checkpoint(tmp_path / "it", decided(untrained(seed=2, **OPTIONS[name]))))


@pytest.mark.parametrize(
    "searching", [{"alternatives": 3}, {"beam_size": 2, "alternatives": 4}, {"attention": True}], ids=str
)
def test_alternatives_and_attention_of_a_trained_one(searching: dict[str, Any], tmp_path: Path) -> None:
    compare(write_checkpoint(tmp_path / "it", trained()), **searching)
