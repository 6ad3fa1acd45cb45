"""`nlpseq train sentiment` and what can be done with what it leaves, through the real command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.checkpoint import load_task
from nlpseq.cli.main import app
from tests.classifiers import SMALL, trained, write_checkpoint
from tests.opinions import opinions, write_csv


def inside(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def settings(**more: object) -> list[str]:
    given = {f"{section}.{key}": value for section, group in SMALL.items() if isinstance(group, dict)
             for key, value in group.items()} | more  # fmt: skip
    return [part for key, value in given.items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    write_csv(folder / "train.csv", opinions(150, seed=1))
    write_csv(folder / "dev.csv", opinions(60, seed=2))
    write_checkpoint(folder / "judge", trained())
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


def test_train_predict_evaluate(work: Path) -> None:
    """From files of one's own to scores; the manifest's are those that evaluate gives, and the temperature is kept."""
    result = inside(
        "train",
        "sentiment",
        "--train",
        "train.csv",
        "--dev",
        "dev.csv",
        "-o",
        "mine",
        *settings(**{"training.epochs": 25}),
    )
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "150 examples, 60 to choose by" in " ".join(result.stderr.split())
    scored = json.loads(inside("evaluate", "mine", "dev.csv", "--json").stdout)
    assert scored["polarity"]["accuracy"] >= 95  # 100 with this seed; who takes no notice of "not" gets 65
    manifest = json.loads((work / "mine" / "manifest.json").read_bytes())
    assert manifest["task"] == "sentiment"
    for scheme in ("polarity", "stars"):
        assert manifest["scores"][scheme] == pytest.approx(scored[scheme]["accuracy"], abs=0.01)
        assert load_task(work / "mine")[0].temperatures[scheme] == scored[scheme]["temperature"]  # type: ignore[attr-defined]
    (line,) = inside("sentiment", "-c", "mine", "the film was not good .").stdout.splitlines()
    assert json.loads(line)["label"] == "negative"
    assert inside("checkpoints", "verify", "mine").exit_code == 0
    shutil.rmtree(work / "mine")


def test_columns_may_be_chosen_for_training_and_for_scoring(work: Path) -> None:
    lines = (work / "train.csv").read_text().replace("text,polarity,stars", "opinion,verdict,points")
    (work / "own.csv").write_text(lines)
    chosen = ["--text-column", "opinion", "--label-column", "verdict"]
    one_epoch = settings(**{"training.epochs": 1})
    assert inside("train", "sentiment", "--train", "own.csv", "-o", "own", *chosen, *one_epoch).exit_code == 0
    scored = json.loads(inside("evaluate", "own", "own.csv", *chosen, "--json").stdout)
    assert set(scored) == {"texts", "tokens", "verdict"}
    missing = inside("train", "sentiment", "--train", "own.csv", "-o", "new")
    assert (missing.exit_code, "--text-column" in missing.stderr) == (2, True)
    other = inside("evaluate", "own", "dev.csv")
    assert (other.exit_code, "none of the columns that own predicts (verdict)" in other.stderr) == (2, True)
    assert "say --label-column polarity=verdict (or sentiment=verdict, as the column is named)." in other.stderr


def test_one_object_for_each_line_in_order_with_failures_in_their_place() -> None:
    lines = [json.dumps({"body": t, "id": n}) for n, t in enumerate(["the meal was good .", "", "the meal was bad ."])]
    result = inside("sentiment", "-c", "judge", "-i", "-", "--input-format", "jsonl", "--text-key", "body",
                    stdin="\n".join([lines[0], "{", *lines[1:]]))  # fmt: skip
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 3
    assert [one.get("id") for one in found] == [0, None, 1, 2]
    assert [one.get("label") for one in found] == ["positive", None, "neutral", "negative"]
    assert found[1]["line"] == 2
    assert "nothing to judge" in found[2]["note"]
    assert list(found[0])[:5] == ["text", "label", "score", "scores", "stars"]
    assert sum(found[0]["scores"].values()) == pytest.approx(1, abs=1e-3)


def test_explain_in_every_format() -> None:
    for name, mark in [
        ("text", "not(+"),
        ("jsonl", '"contributions":'),
        ("tsv", "not="),
        ("html", "<mark"),
        ("rich", "[not +"),
    ]:
        result = inside("sentiment", "-c", "judge", "--explain", "-f", name, "the film was not good .")
        assert (result.exit_code, mark in result.stdout) == (0, True), name
        assert mark not in inside("sentiment", "-c", "judge", "-f", name, "the film was not good .").stdout
    assert "occlusion" in " ".join(inside("sentiment", "--help").stdout.split())


def test_without_a_shipped_checkpoint_it_says_how_to_train_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_checkpoints", dict)
    result = inside("sentiment", "fine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: No checkpoint sentiment-en came with this install; train one with")
    assert "nlpseq train sentiment --corpus sample-sentiment -o my-sentiment" in result.stderr


def test_a_checkpoint_of_another_task_is_told() -> None:
    result = inside("tag", "-c", "judge", "x")
    assert (result.exit_code, "was trained for sentiment, not for tag" in result.stderr) == (2, True)


def test_tables_of_evaluate() -> None:
    result = inside("evaluate", "judge", "dev.csv", "--confusions", "1", "--worst", "1")
    heads = [block.splitlines()[0].split("\t")[0] for block in result.stdout.split("\n\n")]
    assert heads[:4] == ["scheme", "polarity", "stars", "tokens"]


def test_lint_and_info_know_labelled_texts(work: Path) -> None:
    assert inside("corpora", "lint", "sample-sentiment").exit_code == 0
    result = inside("corpora", "lint", "--texts", "train.csv", "dev.csv")
    assert "text-leaked" in result.stdout  # so few templates that some come again
    (work / "bad.csv").write_text("a,b\n1,2\n")
    assert inside("corpora", "lint", "--texts", "bad.csv").exit_code == 1
    assert "polarity, stars" in inside("corpora", "info", "sst").stdout


def test_settings_can_be_listed() -> None:
    rows = [line.split("\t") for line in inside("train", "sentiment", "--settings").stdout.splitlines()]
    assert {"classifier.pooling", "windows.size", "encoder.cell"} <= {row[0] for row in rows}
    assert all(len(row) == 3 and row[2] for row in rows)


def test_a_configuration_may_name_the_columns(work: Path) -> None:
    lines = (work / "train.csv").read_text().replace("text,polarity,stars", "opinion,verdict,points")
    (work / "named.csv").write_text(lines)
    data = ["[data]", 'train = "named.csv"', 'text_column = "opinion"', 'label_columns = ["verdict=polarity"]']
    (work / "my.toml").write_text("\n".join(data) + "\n")
    one_epoch = settings(**{"training.epochs": 1})
    result = inside("train", "sentiment", "--config", "my.toml", "-o", "configured", *one_epoch)
    assert result.exit_code == 0, result.stderr
    assert list(load_task(work / "configured")[0].labels) == ["polarity"]  # type: ignore[attr-defined]
