"""The classifier on NumPy against the classifier on torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from nlpseq.api import load, load_light
from nlpseq.config import Cell, PoolingKind
from nlpseq.records import SentimentPrediction
from tests.classifiers import untrained, write_checkpoint
from tests.opinions import opinions

pytestmark = pytest.mark.usefixtures("full_precision")

NEAR = 1e-5  # float32, and sums in another order
TEXTS = [
    *(example.text for example in opinions(12, seed=3)),
    "",
    " \t ",
    *("!!!", "👍", "12:30", "10/10", ":-)"),
    "I can't say that it wasn't “good” :-)",
    "Not a word of this was seen before. " * 4,
    ["tokens", "that", "were", "given"],
]
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    **{f"pooling {kind}": {"classifier": {"pooling": [kind]}} for kind in get_args(PoolingKind)},
    "one way, its end": {"encoder": {"bidirectional": False}, "classifier": {"pooling": ["last"]}},
    "one way, attention": {"encoder": {"bidirectional": False}, "classifier": {"pooling": ["attention"]}},
    "all poolings": {"classifier": {"pooling": list(get_args(PoolingKind))}},
    "windows": {"windows": {"size": 8, "overlap": 3}},
    "the ends of long texts": {"windows": {"size": 8, "overlap": 3, "text_limit": 11}},
    "character LSTM": {"embedding": {"characters": "lstm"}},
    "words alone": {"embedding": {"characters": "none", "affix_width": 0}},
    "tables in eight bits": {"embedding": {"eight_bit": True}},
    "no runs of words": {"classifier": {"ngrams": 0}},
    "runs of five words, few of them kept": {"classifier": {"ngrams": 5, "ngram_limit": 20}},
}


def same(one: SentimentPrediction, other: SentimentPrediction) -> bool:
    """Whether two predictions differ in nothing but the last digits of their scores and weights."""
    assert one.scores == pytest.approx(dict(other.scores), rel=NEAR, abs=NEAR)
    assert one.score == pytest.approx(other.score, rel=NEAR, abs=NEAR)
    mine, theirs = one.contributions or (), other.contributions or ()
    assert [p.weight for p in mine] == pytest.approx([p.weight for p in theirs], rel=1e-4, abs=1e-4)  # of log-odds
    assert [(p.text, p.start, p.end) for p in mine] == [(p.text, p.start, p.end) for p in theirs]
    assert (one.contributions is None) == (other.contributions is None)
    return (one.text, one.label, one.stars, one.note, one.cut) == (
        other.text, other.label, other.stars, other.note, other.cut
    )  # fmt: skip


@pytest.mark.parametrize("cell", get_args(Cell))
def test_every_cell_explanations_too(cell: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained(seed=1, encoder={"cell": cell, "layers": 2}))
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    pairs = zip(light.explaining().pipe(TEXTS), heavy.explaining().pipe(TEXTS), strict=True)
    assert all(same(*pair) for pair in pairs)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_that_changes_the_network(name: str, tmp_path: Path) -> None:
    classifier = untrained(seed=2, **OPTIONS[name])
    classifier.temperatures = {scheme: 1.5 + place for place, scheme in enumerate(classifier.labels)}
    classifier.shares = {scheme: 2.5 + place for place, scheme in enumerate(classifier.labels)}
    folder = write_checkpoint(tmp_path / "it", classifier)
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert all(same(*pair) for pair in zip(light.pipe(TEXTS), heavy.pipe(TEXTS), strict=True))


def test_the_shipped_classifier_says_the_same_on_both() -> None:
    lines = [example.text for example in opinions(30, seed=8)]
    lines += (Path(__file__).parents[1] / "behaviour" / "opinions.toml").read_text(encoding="utf-8").splitlines()
    light, heavy = load_light("sentiment-en"), load("sentiment-en", device="cpu")
    assert light is not None
    assert len(lines) > 60
    assert all(same(*pair) for pair in zip(light.pipe(lines), heavy.pipe(lines), strict=True))
