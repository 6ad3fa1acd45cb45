"""The scripts that shipped checkpoints were made with, where they are more than commands."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlpseq.checkpoint import find_checkpoint, load_task
from nlpseq.tasks.tagging import Tagger

RECIPES = Path(__file__).parents[1] / "checkpoints" / "recipes"
TEXT = "Ada Lovelace wrote to Charles Babbage. He lived in London.\nNo.\n\nHe lived in London.\n"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("label_sentences", RECIPES / "label_sentences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sentences_are_labelled_once_each(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    command = [
        sys.executable,
        str(RECIPES / "label_sentences.py"),
        "--tagger",
        "tag-en",
        "--tagger",
        "tag-en",
        "text.txt",
    ]
    subprocess.run([*command, "-o", "out.jsonl"], cwd=tmp_path, check=True, capture_output=True)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [" ".join(one["tokens"]) for one in found] == [
        "Ada Lovelace wrote to Charles Babbage .",
        "He lived in London .",
    ]  # "No ." is too short
    assert found[0]["ner"] == ["B-PER", "I-PER", "O", "O", "B-PER", "I-PER", "O"]
    assert found[1]["upos"] == ["PRON", "VERB", "ADP", "PROPN", "PUNCT"]


def test_no_more_words_are_read_than_were_asked_for(script: Any, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    assert [len(words) for words in script.sentences(tmp_path / "text.txt", 11)] == [7]


def test_names_are_sequences_that_may_be(script: Any) -> None:
    """Though each word by itself says otherwise."""
    import torch

    tagger = load_task(find_checkpoint("tag-en"))[0]
    assert isinstance(tagger, Tagger)
    known = tagger.labels["ner"]
    shares_TK = torch.full((2, len(known)), 0.01)
    shares_TK[0, known.id("O")], shares_TK[0, known.id("B-PER")] = 0.6, 0.3
    shares_TK[1, known.id("I-PER")], shares_TK[1, known.id("O")] = 0.9, 0.02
    assert script.labels_of(shares_TK, "ner", known) == ["B-PER", "I-PER"]
    assert script.labels_of(shares_TK, "upos", known) == ["O", "I-PER"]


def test_a_grade_stands_behind_each_text(tmp_path: Path) -> None:
    texts = ["The cast is good and the sets are fine.", "It has 3 parts.", "Held out.", "Nobody laughed."]
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    (tmp_path / "held.txt").write_text("Held out.\n", encoding="utf-8")
    command = [sys.executable, str(RECIPES / "graded_texts.py"), "--texts", "texts.txt", "--without", "held.txt"]
    subprocess.run([*command, "-o", "out.jsonl"], cwd=tmp_path, check=True, capture_output=True)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(one["text"].split()[0] for one in found) == ["Nobody", "The"]
    sides = {"1": "negative", "2": "negative", "4": "positive", "5": "positive"}
    assert all(one.get("polarity") == sides.get(one["stars"]) for one in found)
