"""A few texts are answered without the libraries that take longest to import, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import translators
from tests.taggers import untrained, write_checkpoint

SCRIPT = """
import sys
from nlpseq.cli.main import run
try:
    run()
finally:
    print(*sorted({"torch", "spacy", "rich", "sentencepiece", "pooch"} & set(sys.modules)), file=sys.stderr)
"""


def run(*arguments: str, stdin: str = "") -> tuple[str, list[str]]:
    """What the command wrote, and which heavy libraries it imported."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        input=stdin, capture_output=True, check=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    return result.stdout, result.stderr.split()


@pytest.mark.parametrize("form", ["jsonl", "text", "conllu", "html"])
def test_a_sentence_is_tagged_without_torch_and_spacy(form: str) -> None:
    written, imported = run("tag", "-f", form, "Sumesh can’t work at Cisco in Bengaluru.")
    assert imported == []
    assert "Bengaluru" in written


def test_an_opinion_is_judged_without_torch_and_spacy() -> None:
    written, imported = run("sentiment", "-f", "jsonl", "--explain", "I did not like it at all.")
    assert imported == []
    assert json.loads(written)["label"] == "negative"


def test_a_sentence_is_translated_without_torch(tmp_path: Path) -> None:
    folder = translators.write_checkpoint(tmp_path / "it", translators.trained())
    written, imported = run("translate", "-c", str(folder), "a b c .")
    assert imported == ["sentencepiece"]
    assert written.strip()


def test_a_short_pipe_is_answered_without_torch() -> None:
    written, imported = run("tag", stdin="One line.\nTwo lines.\n")
    assert imported == []
    assert len(written.splitlines()) == 2


def test_a_long_pipe_is_answered_by_both_in_order(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained())
    lines = [f"Mr Paris can sing in Sydney City , and {n} others can ." for n in range(600)]
    written, imported = run("tag", "-c", str(folder), stdin="\n".join(lines))
    assert "torch" in imported
    assert [json.loads(line)["text"] for line in written.splitlines()] == lines


def test_a_long_pipe_is_shared_out_between_processes_and_answered_in_order(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained())
    lines = [f"Mr Paris can sing in Sydney City , and {n} others can ." for n in range(1200)]
    written, imported = run("tag", "-c", str(folder), "--threads", "2", "--device", "cpu", stdin="\n".join(lines))
    assert imported == []
    assert [json.loads(line)["text"] for line in written.splitlines()] == lines


def test_what_goes_wrong_in_a_process_is_told_as_ever(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained())
    (tmp_path / "long.txt").write_text("one two three\n" * 2000, encoding="utf-8")
    command = ["translate", "-c", str(folder), "--threads", "2", "--device", "cpu", "-i", str(tmp_path / "long.txt")]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "was trained for tag, not for translate" in done.stderr


def test_another_language_is_left_to_spacy(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained(tokenizer={"language": "fr"}))
    assert {"spacy", "torch"} <= set(run("tag", "-c", str(folder), "Ein Satz.")[1])
