"""`nlpseq train lm`, `nlpseq generate` and what else can be done with a language model, through the real command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.checkpoint import load_task
from nlpseq.cli import generate, streams
from nlpseq.cli.main import app
from tests.examples import corpus, write_conllu
from tests.languages import SMALL, counting, trained, write_checkpoint

ROOT = Path(__file__).parents[2]


def inside(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def settings(**more: object) -> list[str]:
    given = {f"{section}.{key}": value for section, group in SMALL.items() for key, value in group.items()} | more
    return [part for key, value in given.items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "train.txt").write_text("\n".join(counting(60)) + "\n")
    (folder / "dev.txt").write_text("\n".join(counting(12)) + "\n")
    write_checkpoint(folder / "counter", trained())
    write_conllu(folder / "train.conllu", corpus(60, seed=1))
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


def test_train_evaluate_generate(work: Path) -> None:
    """From a text of one's own to a continuation; the manifest's scores are those that evaluate gives."""
    result = inside("train", "lm", "--train", "train.txt", "--dev", "dev.txt", "-o", "mine",
                    *settings(**{"text.distinct": "false", "training.epochs": 10}))  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "60 examples, 12 to choose by" in " ".join(result.stderr.split())
    scored = json.loads(inside("evaluate", "mine", "dev.txt", "--json").stdout)
    assert scored["perplexity"] < 4  # of seven units that are as frequent as each other, who cannot count has 7
    manifest = json.loads((work / "mine" / "manifest.json").read_bytes())
    assert manifest["task"] == "lm"
    assert manifest["scores"]["perplexity"] == pytest.approx(scored["perplexity"], abs=0.01)
    assert not (work / "mine" / "resume").exists()  # nor the tokens in it
    told = inside("generate", "-c", "mine", "--temperature", "0", "--max-tokens", "2", "two three")
    assert (told.exit_code, told.stdout) == (0, "two three four five\n")
    assert inside("checkpoints", "verify", "mine").exit_code == 0


def test_a_killed_run_goes_on_to_the_very_same_end(work: Path) -> None:
    command = ["train", "lm", "--train", "train.txt", "--dev", "dev.txt",
               *settings(**{"text.distinct": "false", "encoder.bidirectional": "true", "training.evaluate_every": 3,
                            "training.epochs": 4})]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nlpseq.cli.main", *command, "-o", "killed"], stderr=subprocess.DEVNULL, env=environment
    )
    state, end = work / "killed" / "resume" / "state.safetensors", time.monotonic() + 90
    while not state.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    process.kill()
    assert process.wait() != 0, "the run was over before it could be killed"
    assert inside(*command, "-o", "killed", "--resume").exit_code == 0
    assert inside(*command, "-o", "whole").exit_code == 0
    ends = [(work / name / "model.safetensors").read_bytes() for name in ("killed", "whole")]
    assert ends[0] == ends[1]


def test_one_line_for_each_in_order() -> None:
    def drawn(seed: str) -> Result:
        arguments = ["generate", "-c", "counter", "--seed", seed, "--max-tokens", "8"]
        return inside(*arguments, stdin="one two\n\nthree four\n")

    found = drawn("3")
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("one two")
    assert lines[2].startswith("three four")
    assert drawn("3").stdout == found.stdout != drawn("4").stdout


def test_json_lines_pass_keys_through_and_keep_failures_in_their_place() -> None:
    lines = ['{"text": "one two", "id": 1}', "{", '{"text": "five", "id": 2}']
    result = inside("generate", "-c", "counter", "-f", "jsonl", "--input-format", "jsonl", "--temperature", "0",
                    "--max-tokens", "1", stdin="\n".join(lines))  # fmt: skip
    assert result.exit_code == 3
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert list(found[0]) == ["prompt", "text", "tokens", "ended", "score", "id"]
    assert (found[0]["text"], found[2]["text"]) == (" three", " six")
    assert found[1]["line"] == 2


def test_suggestions_and_beams_in_every_format() -> None:
    def told(*arguments: str) -> str:
        return inside("generate", "-c", "counter", *arguments).stdout

    found = json.loads(told("--suggest", "2", "-f", "jsonl", "two three"))
    assert [list(one) for one in found["suggestions"]] == [["word", "probability"]] * 2
    assert found["suggestions"][0]["word"] == "four"
    text = told("--suggest", "2", "two three")
    assert text.startswith("four ")
    assert text.count("%") == 2
    assert "four" in told("--suggest", "2", "-f", "rich", "two three")
    best = json.loads(told("--beam-size", "3", "--max-tokens", "4", "-f", "jsonl", "two"))
    assert 1 <= len(best["alternatives"]) <= 2
    assert "four" in told("--temperature", "0", "-f", "rich", "two three")
    refused = inside("generate", "-c", "counter", "-f", "conllu", "x")
    assert (refused.exit_code, "'auto', 'rich', 'text', 'jsonl'." in refused.stderr) == (2, True)


def test_on_a_terminal_it_is_written_as_it_comes(work: Path) -> None:
    """A real terminal; what would be harmful there is not let through."""
    ours, theirs = pty.openpty()
    arguments = ["generate", "-c", "counter", "--temperature", "0", "--max-tokens", "6", "two \x1b[31mthree", "four"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nlpseq.cli.main", *arguments], stdout=theirs, stderr=theirs, env=environment, cwd=work
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0, shown
    assert b"\x1b[31m" not in shown
    first, apart, second = shown.decode().replace("\x1b[2m", "").replace("\x1b[0m", "").splitlines()
    assert first.startswith("two ␛[31mthree ")
    assert apart == ""
    assert second.startswith("four five six one")


def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_checkpoints", dict)
    for arguments, code, says in (
        (["generate", "x"], 2, "nlpseq train lm --corpus sample-text -o my-lm"),
        (["generate", "-c", "counter", "--top-p", "0", "x"], 2, "top_p"),
        (["generate", "-c", "counter", "--suggest", "2", "--beam-size", "3", "x"], 2, "--beam-size: --suggest looks"),
        (
            ["generate", "-c", "counter", "--suggest", "2", "--seed", "1", "--max-tokens", "60", "x"],
            2,
            "--max-tokens, --seed: --suggest looks up words, and writes none. Leave them out.",
        ),
        (
            ["generate", "-c", "counter", "--beam-size", "2", "--top-p", "0.95", "--top-k", "0", "x"],
            2,
            "--top-k, --top-p: --beam-size searches",
        ),
        (["tag", "-c", "counter", "x"], 2, "was trained for lm, not for tag"),
        (["train", "lm", "--train", "missing.txt", "-o", "new"], 2, "missing.txt"),
        (["train", "lm", "--corpus", "sample-tagging", "-o", "new"], 2, "no plain text"),
        (
            ["train", "lm", "--train", "train.txt", "--dev", "dev.txt", "--teacher", "counter", "-o", "new"],
            2,
            "--teacher",
        ),
        (
            ["train", "lm", "--train", "train.txt", "--set", "encoder.pretrained=counter", "-o", "new"],
            2,
            "tag and sent",
        ),
        (["corpora", "lint", "sample-text"], 2, "plain text"),
    ):
        result = inside(*arguments)
        assert (result.exit_code, says in result.stderr) == (code, True), (arguments, result.stderr)
        assert not Path("new").exists(), arguments


def test_evaluate_shows_tables() -> None:
    shown = inside("evaluate", "counter", "dev.txt", "--worst", "1").stdout
    assert [line.split("\t")[0] for line in shown.split("\n\n")[0].splitlines()] == [
        "score", "probability", "perplexity", "bits per character", "accuracy", "unknown"
    ]  # fmt: skip
    assert "most surprising" in shown


def test_a_tagger_starts_from_it(work: Path) -> None:
    """Its shapes are taken over unasked, and the file that it came from is not needed afterwards."""
    given = ("encoder.pretrained=counter", "training.epochs=2", "training.unfreeze=1", "training.layer_decay=0.5")
    chosen = [part for one in given for part in ("--set", one)]
    result = inside("train", "tag", "--train", "train.conllu", "-o", "tagger", *chosen)
    assert result.exit_code == 0, result.stderr
    tagger = load_task(work / "tagger")[0]
    assert tagger.config.encoder.width == SMALL["encoder"]["width"]
    assert tagger.config.embedding.width == SMALL["embedding"]["width"]
    assert "three" in tagger.words.forms  # type: ignore[attr-defined]
    assert inside("tag", "-c", "tagger", "the can can fall").exit_code == 0
    other = inside("train", "tag", "--train", "train.conllu", "-o", "other", "--set", "encoder.pretrained=counter",
                   "--set", "encoder.width=20")  # fmt: skip
    assert other.exit_code == 2, other.stderr
    assert "encoder.width is 20, and that of counter is 16" in other.stderr
    assert not (work / "other").exists()
    wrong = inside("train", "tag", "--train", "train.conllu", "-o", "new2", "--set", "encoder.pretrained=tagger")
    assert (wrong.exit_code, "no language model" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("strict", [False, True])
def test_on_a_terminal_what_is_no_text_fails_as_in_a_pipe(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], strict: bool
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tokens": ["", ""]}\n{"tokens": ["two"]}\n')
    request = streams.Request(
        None, str(path), None, "auto", str(work / "counter"), "cpu", None, None, "auto", None, strict
    )
    with pytest.raises(streams.RecordError, match="line 1: Expected a text" if strict else "1 of 2 inputs failed"):
        generate._show(request, {"max_tokens": 2})
    out, err = capsys.readouterr()
    assert ("two" in out, "line 1: Expected a text" in err) == (not strict, not strict)
