"""`nlpseq inspect`, through the real command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.cli import inspect
from nlpseq.cli.main import app
from nlpseq.inspection import Gate, Memory
from nlpseq.speed import sample_texts
from tests import classifiers, languages, taggers, translators

EVERY = {"tag": taggers, "judge": classifiers, "translate": translators, "lm": languages}


def inside(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["inspect", *arguments], catch_exceptions=False)


def lines(*arguments: str) -> list[Any]:
    result = inside(*arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    for name, module in EVERY.items():
        module.write_checkpoint(folder / name, module.untrained())
    (folder / "lines.txt").write_text("the good film\n\na very poor meal\n \n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


@pytest.mark.parametrize("checkpoint", EVERY)
def test_every_task_can_be_looked_into(checkpoint: str) -> None:
    assert all(weight["values"] > 0 for weight in lines("params", checkpoint))
    assert {gate["gate"] for gate in lines("gates", checkpoint, "the good film")} == {"input", "forget", "output"}
    memories = lines("gradients", checkpoint, "-i", "lines.txt", "--furthest", "2")
    assert {memory["cell"] for memory in memories} == {"lstm"}
    assert {len(memory["gradients"]) for memory in memories} <= {2, 3}


def test_attention() -> None:
    (found,) = lines("attention", "judge", "the good film")
    assert found["source"] == ["the", "good", "film"]


def test_texts_may_be_typed_and_their_number_limited() -> None:
    assert lines("gradients", "tag", "good film", "bad film", "--texts", "1")[0]["texts"] == 1


def test_without_texts_a_language_model_reads_fifty_lines_of_the_sample_corpus_whole() -> None:
    """To be continued in `bench`, it has the first three words of twenty of them alone."""
    assert sample_texts("lm", begun=True) == [" ".join(text.split()[:3]) for text in sample_texts("lm")[:20]]
    memory, *_ = lines("gradients", "lm")
    assert len(memory["gradients"]) > 3
    assert memory["texts"] == 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attention", "tag", "a film"), "no attention"),
        (("gates", "tag", ""), "no words"),
        (("gradients", "tag", "film"), "longer"),
        (("gradients", "tag", "a film", "-i", "lines.txt"), "both"),
    ],
)
def test_what_cannot_be_shown_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    result = inside(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_a_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of the norm at distance 0, and where it is below a half and a hundredth, or beyond what was looked at."""
    memory = Memory("encoder", "lstm", True, 3, (4.0, 1.0, 0.2), 1, None)
    assert inspect._remembered(memory, (1, 2, 4)) == ("encoder", "lstm", "←", "3", "1", "> 2", "25.0%", "5.0%", "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert not inspect._as_json([memory], wanted=False)


def test_maps_say_which_layer() -> None:
    gate = Gate("encoder.layers.1.backwards", 1, "forget", True, 0.5, 0.0, 0.0, ("a",), (0.5,))
    assert inspect._named(gate) == "enc1 ← forget"


def test_an_empty_file_is_not_taken_for_none(work: Path) -> None:
    (work / "empty.txt").write_text("\n", encoding="utf-8")
    result = inside("gradients", "tag", "-i", "empty.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "empty.txt: There is no text to be read." in result.stderr
