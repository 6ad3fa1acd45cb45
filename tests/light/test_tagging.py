"""The tagger on NumPy against the tagger on torch: one model, two definitions, held to one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from nlpseq.api import load, load_light
from nlpseq.config import Cell
from nlpseq.records import TagPrediction
from tests.examples import corpus
from tests.taggers import untrained, write_checkpoint

pytestmark = pytest.mark.usefixtures("full_precision")

NEAR = 1e-5  # float32, and sums in another order
TEXTS = [
    *(example.text for example in corpus(12, seed=3)),
    "",
    "Sumesh can't see “Sydney City”. It's 5km away!",
    "Unseen words 42 ! " * 15,
    "é" * 40,
    "日本語 and \ud800 half a pair",
]
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "usual": {},
    "character LSTM": {"embedding": {"characters": "lstm", "character_features": 9}},
    "no characters": {"embedding": {"characters": "none"}},
    "uneven convolutions": {"embedding": {"character_features": 11, "word_length": 8}},
    "no affixes": {"embedding": {"affix_width": 0}},
    "one-hot": {"embedding": {"words": "one_hot"}},
    "no words": {"embedding": {"words": "none"}},
    "affixes alone": {"embedding": {"words": "none", "characters": "none"}},
    "tables in eight bits": {"embedding": {"eight_bit": True}},
    "one-hot in eight bits": {"embedding": {"eight_bit": True, "words": "one_hot"}},
    "one way": {"encoder": {"bidirectional": False}},
    "a layer for NER": {"heads": {"ner_width": 6}},
    "all CRF": {"heads": {"upos": "crf", "xpos": "crf"}},
    "no CRF": {"heads": {"ner": "softmax"}},
    "one column": {"heads": {"columns": ["ner"]}},
    "short sentences": {"tokenizer": {"sentence_limit": 8}},
}


def same(one: TagPrediction, other: TagPrediction) -> bool:
    """Whether two predictions differ in nothing but the last digits of their scores."""
    mine, theirs = [*one.tokens, *one.entities], [*other.tokens, *other.entities]
    assert [t.score for t in mine] == pytest.approx([t.score for t in theirs], rel=NEAR, abs=NEAR)
    for a, b in zip(one.tokens, other.tokens, strict=True):
        assert (a.text, a.start, a.end, a.upos, a.xpos, a.ner) == (b.text, b.start, b.end, b.upos, b.xpos, b.ner)
    for a, b in zip(one.entities, other.entities, strict=True):
        assert (a.text, a.label, a.start, a.end) == (b.text, b.label, b.start, b.end)
    return one.text == other.text and one.sentences == other.sentences


@pytest.mark.parametrize("cell", get_args(Cell))
def test_every_cell_and_number_of_layers(cell: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained(seed=1, encoder={"cell": cell, "layers": 3}))
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert all(same(*pair) for pair in zip(light.pipe(TEXTS), heavy.pipe(TEXTS), strict=True))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_that_changes_the_network(name: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained(seed=2, **OPTIONS[name]))
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert all(same(*pair) for pair in zip(light.pipe(TEXTS), heavy.pipe(TEXTS), strict=True))


@pytest.mark.parametrize("steep", ["transitions", "start", "labels"])
def test_odds_that_would_underflow(steep: str, tmp_path: Path) -> None:
    tagger = untrained(seed=3)
    name = "heads.ner.weight" if steep == "labels" else f"chains.ner.{steep}"
    weight = tagger.network.get_parameter(name)
    with torch.no_grad():
        weight.copy_(200 * torch.rand(weight.shape, generator=torch.Generator().manual_seed(4)))
    folder = write_checkpoint(tmp_path / "it", tagger)
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert all(same(*pair) for pair in zip(light.pipe(TEXTS), heavy.pipe(TEXTS), strict=True))


def test_a_text_is_read_the_same_alone_as_in_a_batch(tmp_path: Path) -> None:
    light = load_light(write_checkpoint(tmp_path / "it"))
    assert light is not None
    assert all(same(light(text), found) for text, found in zip(TEXTS, light.pipe(TEXTS), strict=True))


def test_threads_may_share_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Though words are forgotten all the time."""
    light = load_light(write_checkpoint(tmp_path / "it"))
    assert light is not None
    wanted = list(light.pipe(TEXTS))
    monkeypatch.setattr("nlpseq.light.embedding.LIMIT", 3)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            assert all(same(*pair) for pair in zip(pool.map(light, TEXTS), wanted, strict=True))


def test_what_was_met_stays_when_more_is_met_and_all_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("nlpseq.light.embedding.LIMIT", 20)
    light = load_light(write_checkpoint(tmp_path / "it", untrained()))
    assert light is not None
    cache = light.tagger.vector_cache()
    met = [(word, cache.meet([[word, "the"]])) for word in map(str, range(50))]
    for word, (((row, _),), vectors_RD) in met:
        (((wanted, _),), of_another_RD) = light.tagger.vector_cache().meet([[word, "the"]])
        assert (vectors_RD[row] == of_another_RD[wanted]).all()


def test_a_language_that_spacy_is_asked_about_is_for_torch(tmp_path: Path) -> None:
    assert load_light(write_checkpoint(tmp_path / "it", untrained(tokenizer={"language": "fr"}))) is None


def test_the_shipped_tagger_says_the_same_on_both() -> None:
    """Over the sentences of the tests of behaviour: what users get must not depend on how much they ask."""
    folder = Path(__file__).parents[1] / "behaviour"
    lines = [line for name in ("entities.txt", "invented.txt") for line in (folder / name).read_text().splitlines()]
    light, heavy = load_light("tag-en"), load("tag-en", device="cpu")
    assert light is not None
    assert len(lines) > 50
    assert all(same(*pair) for pair in zip(light.pipe(lines), heavy.pipe(lines), strict=True))
