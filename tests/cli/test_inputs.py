"""Inputs that come with their tokens keep the very text that they came with, from the reader to the output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlpseq.cli import inputs
from nlpseq.cli.inputs import Record
from nlpseq.cli.main import app
from nlpseq.records import TokenizedText
from tests.taggers import write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp("inputs") / "tiny"))


def tagged(checkpoint: str, given: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["tag", "-c", checkpoint, "-i", "-", *arguments], input=given)
    assert result.exit_code == 0, result.output
    return result.stdout


def row(number: str, form: str, misc: str = "_") -> str:
    return "\t".join([number, form, *"_" * 7, misc]) + "\n"


def values(given: str, tmp_path: Path, input_format: str) -> list[object]:
    path = tmp_path / "input"
    path.write_text(given, encoding="utf-8")
    return [record.value for record in inputs.read(None, str(path), input_format)]


def test_jsonl_tokens_lie_in_the_text_that_came_with_them(tmp_path: Path) -> None:
    given = {"text": " don't  stop\n", "tokens": ["do", "n't", "stop"]}
    expected = TokenizedText(" don't  stop\n", ("do", "n't", "stop"), (1, 3, 8))
    assert values(json.dumps(given), tmp_path, "jsonl") == [expected]


def test_jsonl_tokens_that_are_not_of_the_text_are_joined_by_spaces(tmp_path: Path) -> None:
    given = {"text": "wholly other", "tokens": ["do", "n't"]}
    assert values(json.dumps(given), tmp_path, "jsonl") == [TokenizedText("do n't", ("do", "n't"), (0, 3))]


def test_conllu_words_lie_in_the_text_of_their_sentence(tmp_path: Path) -> None:
    words = row("1-2", "don't") + row("1", "do") + row("2", "n't") + row("3", "stop", "SpaceAfter=No") + row("4", ".")
    given = TokenizedText("don't  stop.", ("do", "n't", "stop", "."), (0, 2, 7, 11))
    assert values("# text = don't  stop.\n" + words, tmp_path, "conllu") == [given]
    spelled = TokenizedText("don't stop.", ("do", "n't", "stop", "."), (0, 2, 6, 10))
    assert values(words, tmp_path, "conllu") == [spelled]
    assert values("# text = of others\n" + words, tmp_path, "conllu") == [spelled]


def test_conllu_words_that_are_not_in_their_range_stand_in_its_place(tmp_path: Path) -> None:
    given = "# text = du vin.\n" + row("1-2", "du") + row("1", "de") + row("2", "le") + row("3", "vin", "SpaceAfter=No")
    expected = TokenizedText("de le vin.", ("de", "le", "vin", "."), (0, 3, 6, 9))
    assert values(given + row("4", "."), tmp_path, "conllu") == [expected]


def test_conllu_out_of_order_is_the_failure_of_its_sentence(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(row("2", "a") + "\n" + row("1", "b"), encoding="utf-8")
    bad, good = inputs.read(None, str(path), "conllu")
    assert bad == Record("", 1, error="In line 1: Token 2 stands where token 1 is due.")
    assert good.value == TokenizedText("b", ("b",), (0,))


def test_the_answer_is_about_the_text_given(checkpoint: str) -> None:
    given = {"text": "don't stop", "tokens": ["do", "n't", "stop"]}
    found = json.loads(tagged(checkpoint, json.dumps(given), "--input-format", "jsonl"))
    assert found["text"] == "don't stop"
    assert [(t["text"], t["start"], t["end"]) for t in found["tokens"]] == [
        ("do", 0, 2), ("n't", 2, 5), ("stop", 6, 10)
    ]  # fmt: skip


def test_conllu_comes_out_with_its_text_and_its_spaces(checkpoint: str) -> None:
    given = "# text = don't stop.\n" + row("1-2", "don't") + row("1", "do") + row("2", "n't")
    given += row("3", "stop", "SpaceAfter=No") + row("4", ".")
    lines = tagged(checkpoint, given, "--input-format", "conllu", "-f", "conllu").splitlines()
    assert "# text = don't stop." in lines
    words = [line.split("\t") for line in lines if line[:1].isdigit()]
    assert [(columns[1], "SpaceAfter=No" in columns[9]) for columns in words] == [
        ("do", True), ("n't", False), ("stop", True), (".", False)
    ]  # fmt: skip
