"""`nlpseq bench`, through the real command, on checkpoints of every task that are made in a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.cli import bench
from nlpseq.cli.main import app
from nlpseq.errors import NlpseqError
from nlpseq.generation import GenerationPipeline
from nlpseq.speed import Speed, unit_of, whole_process
from tests import classifiers, languages, taggers, translators

QUICKLY = ("--runs", "1", "--starts", "0")
TEXTS = ["the good film", "a very poor meal , and an awful hotel .", "one two three"]


def inside(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["bench", *arguments], input=stdin, catch_exceptions=False)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    taggers.write_checkpoint(folder / "tag")
    classifiers.write_checkpoint(folder / "judge", classifiers.untrained())
    translators.write_checkpoint(folder / "translate", translators.untrained())
    languages.write_checkpoint(folder / "lm", languages.untrained())
    (folder / "lines.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # for the fresh process that it starts


@pytest.mark.parametrize(
    ("checkpoint", "unit", "units"), [("tag", "words", 3 + 10 + 3), ("judge", "texts", 3), ("translate", "texts", 3)]
)
def test_in_a_pipe_it_is_json(checkpoint: str, unit: str, units: int) -> None:
    result = inside(checkpoint, "-i", "lines.txt", "--runs", "2", "--starts", "0", "--threads", "1")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["unit"], found["units"], found["texts"], found["runs"], found["threads"]) == (unit, units, 3, 2, 1)
    assert 0 < found["slowest"] <= found["per_second"] <= found["fastest"]
    assert 0 < found["latency"] <= found["latency_p95"]
    assert found["load_seconds"] > 0
    assert found["start_seconds"] is None
    assert 0 < found["share_of_layers"] < 1  # the whole way holds the layers, and much besides
    assert found["share_of_layers"] == pytest.approx(found["per_second"] / found["layers_per_second"])
    assert found["machine"]["cores"].isdigit()


def test_a_language_model_has_no_layers_that_read_a_text_whole() -> None:
    result = inside("lm", "-i", "lines.txt", *QUICKLY)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["unit"], found["layers_per_second"], found["share_of_layers"]) == ("words", None, None)
    assert found["per_second"] > 0


@pytest.mark.parametrize("unit", ["words", "pieces", "characters"])
def test_what_a_language_model_writes_is_counted_in_its_own_units(unit: str) -> None:
    model = languages.untrained(unit, text={"size": 290})
    assert unit_of(GenerationPipeline(model, languages.manifest())) == unit


def test_without_a_file_it_takes_the_sample_corpus_and_no_more_texts_than_asked_for() -> None:
    found = json.loads(inside("tag", "--texts", "4", "--runs", "1", "--starts", "1").stdout)
    assert found["texts"] == 4
    assert found["start_seconds"] > found["latency"]  # a process that imports all it needs takes longer than a text


def test_texts_come_from_json_lines_and_tokens_too(work: Path) -> None:
    (work / "a.jsonl").write_text('{"body": "one two"}\n{"body": "three"}\n', encoding="utf-8")
    found = json.loads(inside("tag", "-i", "a.jsonl", "--input-format", "jsonl", "--text-key", "body", *QUICKLY).stdout)
    assert (found["texts"], found["units"]) == (2, 3)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "There is no text to measure with."), (b"good\n\xff\n", "nasty.txt:2: This is not UTF-8")],
)
def test_what_cannot_be_measured_with_is_a_sentence(work: Path, content: bytes, told: str) -> None:
    (work / "nasty.txt").write_bytes(content)
    result = CliRunner().invoke(app, ["bench", "tag", "-i", "nasty.txt", *QUICKLY])
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


@pytest.mark.parametrize("command", [["bench", "tag", *QUICKLY], ["inspect", "gradients", "tag"]])
def test_how_a_file_is_read_means_nothing_without_one(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--text-key", "body", "--input-format", "jsonl"])
    assert result.exit_code == 2
    assert "--input-format, --text-key: no file was given with -i that could be read so." in result.stderr


def test_a_checkpoint_whose_command_fails_says_what_the_command_said(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPSEQ_THREADS", "none")
    with pytest.raises(NlpseqError, match=r"nlpseq tag failed: (?s:.)*NLPSEQ_THREADS"):
        whole_process(str(work / "tag"), "one", "cpu", None)


def test_a_person_reads_the_speed_first_and_then_what_it_is_made_of() -> None:
    speed = Speed(
        checkpoint="tag-en", task="tag", unit="words", texts=10, units=250, processes=2, threads=1, device="cpu",
        runs=3, start_seconds=0.5, load_seconds=0.25, latency=0.002, latency_p95=0.004, one_per_second=6_543.2,
        per_second=12_345.6, slowest=12_000, fastest=13_000, layers_per_second=24_691.2, peak_bytes=300 * 2**20,
    )  # fmt: skip
    shown = list(bench.rows(speed))
    assert shown[0] == ("raw text to JSON Lines", "12,346 words/s")
    assert ("its recurrent layers alone", "24,691 words/s, of which 50% is reached") in shown
    assert ("one text, loaded", "2.0 ms (95% within 4.0 ms)") in shown
    assert ("one text, whole command", "0.50 s") in shown
    assert ("the same, one process", "6,543 words/s") in shown
    assert ("peak memory of one process", "300 MiB") in shown
    assert ("with", "2 processes of one thread (cpu)") in shown


def test_where_there_are_several_cores_it_measures_several_processes() -> None:
    found = json.loads(inside("tag", "-i", "lines.txt", "--threads", "2", "--device", "cpu", *QUICKLY).stdout)
    assert (found["processes"], found["threads"], found["units"]) == (2, 1, 3 + 10 + 3)
    assert found["one_per_second"] > 0
