"""The language model on NumPy against the one on torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from nlpseq.api import load, load_light
from nlpseq.config import Cell
from nlpseq.generation import GenerationPipeline
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.writing.prompt import Prompt
from tests.languages import trained, untrained, write_checkpoint

pytestmark = pytest.mark.usefixtures("full_precision")

NEAR = 1e-5
TEXTS = ["", "two three", "two three ", "six one tw", "Ünknown wörds, and a Name", "one\ntwo 42"]
OPTIONS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "three layers": ("words", {"encoder": {"layers": 3}}),
    "both ways": ("words", {"encoder": {"bidirectional": True}}),
    "tied words": ("words", {"text": {"softmax": "tied"}}),
    "tied words in eight bits": ("words", {"text": {"softmax": "tied"}, "embedding": {"eight_bit": True}}),
    "words with an output of their own": ("words", {"text": {"softmax": "full"}}),
    "words without characters": ("words", {"embedding": {"characters": "none"}}),
    "words of characters alone": ("words", {"embedding": {"words": "none", "affix_width": 0}}),
    "an LSTM over characters": ("words", {"embedding": {"characters": "lstm"}}),
    "tied characters": ("characters", {"encoder": {"layers": 2}}),
    "characters with an output of their own": ("characters", {"text": {"softmax": "full"}}),
    "adaptive characters": ("characters", {"text": {"softmax": "adaptive"}}),
    "pieces": ("pieces", {"text": {"size": 290}}),
    "adaptive pieces": ("pieces", {"text": {"size": 290, "softmax": "adaptive"}}),
}


def both(folder: Path | str) -> tuple[GenerationPipeline, GenerationPipeline]:
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert not isinstance(light.model, LanguageModel)
    return light, heavy


def compare(folder: Path | str) -> None:
    """What they remember of every text and after more units, and what they write."""
    light, heavy = both(folder)
    for text in TEXTS:
        memories = [Prompt.of(one.model.units, text).read_by(one.model) for one in (light, heavy)]
        for more in ([3], [5]):
            assert memories[0].log_BV == pytest.approx(memories[1].log_BV, abs=NEAR, rel=NEAR)
            memories = [memory.then(more) for memory in memories]
    for settings in ({"temperature": 0}, {"seed": 3}, {"beam_size": 3}, {"suggestions": 3}):
        found, wanted = (list(one.writing_with(max_tokens=6, **settings).pipe(TEXTS)) for one in (light, heavy))
        for mine, theirs in zip(found, wanted, strict=True):
            assert (mine.text, mine.tokens, mine.ended) == (theirs.text, theirs.tokens, theirs.ended)
            assert mine.score == pytest.approx(theirs.score, abs=10 * NEAR)
            assert mine.alternatives == theirs.alternatives
            words = [[(s.word, s.probability) for s in one.suggestions or ()] for one in (mine, theirs)]
            assert [p for _, p in words[0]] == pytest.approx([p for _, p in words[1]], abs=NEAR)


@pytest.mark.parametrize("cell", get_args(Cell))
def test_every_cell(cell: str, tmp_path: Path) -> None:
    compare(write_checkpoint(tmp_path / "it", untrained(seed=1, encoder={"cell": cell, "layers": 2})))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_that_changes_the_network(name: str, tmp_path: Path) -> None:
    unit, sections = OPTIONS[name]
    compare(write_checkpoint(tmp_path / "it", untrained(unit, 2, **sections)))


@pytest.mark.parametrize("unit", ["words", "characters", "pieces"])
def test_trained_ones(unit: str, tmp_path: Path) -> None:
    compare(write_checkpoint(tmp_path / "it", trained(unit)))


def test_the_shipped_one() -> None:
    compare("lm-en")


def test_an_adaptive_output_with_every_cluster(tmp_path: Path) -> None:
    """Of 10,050 words, so that there are frequent, rarer and rare ones."""
    lines = [" ".join(f"w{10 * line + place}" for place in range(10)) for line in range(1005)]
    model = LanguageModel.create(untrained(text={"size": 20_000}).config, lines)
    light, heavy = both(write_checkpoint(tmp_path / "it", model))
    memories = [Prompt.of(one.model.units, "w5 w10049").read_by(one.model) for one in (light, heavy)]
    assert memories[0].log_BV.shape == (1, len(model.units))
    assert memories[0].log_BV == pytest.approx(memories[1].log_BV, abs=NEAR, rel=NEAR)
    assert np.exp(memories[0].log_BV).sum() == pytest.approx(1, abs=0.01)  # but for what is never written


def test_rows_of_a_memory_and_memories_beside_one_another(tmp_path: Path) -> None:
    light, heavy = both(write_checkpoint(tmp_path / "it", trained()))
    for pipeline in (light, heavy):
        memory = Prompt.of(pipeline.model.units, "two three").read_by(pipeline.model)
        together = memory.of([0, 0, 0]).then([3, 4, 5])
        alone = [memory.then([unit]) for unit in (3, 4, 5)]
        joined = alone[0].beside(alone[1:]).of([2, 0])
        for one, rows in ((together, (0, 1, 2)), (joined, (2, 0))):
            for place, row in enumerate(rows):
                assert one.log_BV[place] == pytest.approx(alone[row].log_BV[0], abs=NEAR)
                assert one.then([4] * len(rows)).log_BV[place] == pytest.approx(
                    alone[row].then([4]).log_BV[0], abs=NEAR
                )
