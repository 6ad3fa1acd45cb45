"""A language model of one's own text, and what is trained with its states, through the real commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.checkpoint import load_task, verify
from nlpseq.cli.main import app
from nlpseq.training.prepare import given_settings, prepare
from nlpseq.training.train import train
from tests.examples import corpus, write_conllu
from tests.languages import SMALL, counting
from tests.opinions import opinions, write_csv

LITTLE = ("encoder.width=8", "encoder.layers=1", "embedding.width=8", "training.epochs=2")


def inside(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def chosen(*settings: str) -> list[str]:
    return [part for one in settings for part in ("--set", one)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, examples, and three language models of the text: of pieces, of characters both ways, and of words."""
    folder = tmp_path_factory.mktemp("work")
    lines = [*counting(30), *(e.text for e in corpus(30, seed=1)), *(e.text for e in opinions(30, seed=1))]
    (folder / "my-text.txt").write_text("\n".join(lines) + "\n")
    write_conllu(folder / "train.conllu", corpus(60, seed=1))
    write_csv(folder / "train.csv", opinions(60, seed=1))
    small = [f"{name}.{key}={value}" for name, group in SMALL.items() for key, value in group.items() if name != "text"]
    for name, settings in {
        "my-lm": ("text.size=330",),
        "letters": ("text.unit=characters", "encoder.bidirectional=true"),
        "words": ("text.unit=words",),
    }.items():
        output, given = str(folder / name), chosen(*small, *settings, "training.epochs=1")
        result = inside("train", "lm", "--train", str(folder / "my-text.txt"), "-o", output, *given)
        assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


@pytest.fixture(scope="module")
def tagger(work: Path) -> Path:
    """Trained with the states of a copy of `my-lm`, which is gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        shutil.copytree("my-lm", "passing")
        given = chosen("encoder.pretrained=passing", *LITTLE)
        result = inside("train", "tag", "--train", "train.conllu", "-o", "tagger", *given)
        assert result.exit_code == 0, result.stderr
        shutil.rmtree("passing")
    return work / "tagger"


def test_it_tags_without_the_language_model(tagger: Path) -> None:
    config = json.loads((tagger / "config.json").read_bytes())
    assert (config["encoder"]["pretrained"], config["encoder"]["width"]) == (
        "passing",
        8,
    )  # whose shape it need not have
    assert {"text/context.json", "text/context_pieces.model"} <= verify(tagger).files.keys()
    result = inside("tag", "-c", "tagger", "-f", "jsonl", stdin="the can can fall .\nin Paris\n")
    assert result.exit_code == 0, result.stderr
    assert [len(json.loads(line)["tokens"]) for line in result.stdout.splitlines()] == [5, 2]
    assert inside("checkpoints", "verify", "tagger").exit_code == 0


def test_its_score_is_that_of_its_manifest(work: Path) -> None:
    write_conllu(work / "all.conllu", corpus(60, seed=1))
    quick = ("training.epochs=12", "training.learning_rate=0.02", "training.average=0.9")
    given = chosen("encoder.pretrained=my-lm", *LITTLE, *quick)
    made = inside("train", "tag", "--train", "all.conllu", "--dev", "all.conllu", "-o", "scored", *given)
    assert made.exit_code == 0, made.stderr
    scored = json.loads(inside("evaluate", "scored", "all.conllu", "--json").stdout)
    assert verify(work / "scored").scores["upos"] == pytest.approx(scored["upos"]["accuracy"], abs=0.01)
    assert scored["upos"]["accuracy"] > 60  # it has learnt something: the commonest label alone gives 29


def test_what_looks_inside_does_so(tagger: Path) -> None:
    for command in ("params", "gates", "gradients"):
        text = [] if command == "params" else ["Mr Paris can sing."]
        result = inside("inspect", command, str(tagger), *text)
        assert result.exit_code == 0, (command, result.stderr)
    assert "context.forwards.layers.0.weight_hh_l0" in inside("inspect", "params", str(tagger)).stdout
    result = inside("bench", str(tagger), "--runs", "1", "--starts", "0")
    assert result.exit_code == 0, result.stderr


def test_sentiment_too(work: Path) -> None:
    given = chosen(
        "encoder.pretrained=letters", "classifier.adversarial=0.1", "windows.size=8", "windows.overlap=2", *LITTLE
    )
    result = inside("train", "sentiment", "--train", "train.csv", "-o", "judge", *given)
    assert result.exit_code == 0, result.stderr
    assert "text/context_units.json" in verify(work / "judge").files
    told = inside("sentiment", "-c", "judge", "--explain", "-f", "jsonl", "the film was not good")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["label"] in {"positive", "negative"}


def test_one_goes_on_from_it_and_one_learns_of_it(tagger: Path, work: Path) -> None:
    """Beside a checkpoint to start from, `encoder.pretrained` is not given again."""
    on = inside(
        "train", "tag", "--train", "train.conllu", "-o", "on", "--start", "tagger", "--set", "training.epochs=1"
    )
    assert on.exit_code == 0, on.stderr
    before, after = load_task(tagger)[0].network, load_task(work / "on")[0].network
    for name, weight in before.state_dict().items():
        same = (after.state_dict()[name] == weight).all()
        assert same or not name.startswith("context.") or name.startswith("context.projection"), name
    given = chosen("encoder.pretrained=letters", *LITTLE)
    taught = inside("train", "tag", "--train", "train.conllu", "-o", "taught", "--teacher", "tagger", *given)
    assert taught.exit_code == 0, taught.stderr
    both = inside("train", "tag", "--train", "train.conllu", "-o", "new", "--start", "tagger", *given)
    assert (both.exit_code, "Begin from one of them" in both.stderr) == (2, True)


@pytest.mark.parametrize(("name", "stop"), [("my-lm", 1), ("letters", 3)])
def test_a_run_that_was_stopped_ends_the_same(
    name: str, stop: int, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlpseq.training.loop.REPORT_SECONDS", 0.0)
    monkeypatch.setattr("nlpseq.training.train.SAVE_SECONDS", 0.0)
    assignments = [f"encoder.pretrained={name}", "augment.replace_mentions=0.5", "training.unfreeze=1", *LITTLE]

    def job(output: str, **options: Any) -> Any:
        given, _ = given_settings(None, assignments)
        return prepare("tag", given, train=["train.conllu"], dev=[], output=work / output, threads=1, **options)

    list(train(job(f"whole-{name}")))
    reports = train(job(f"stopped-{name}"))
    for _ in range(stop):
        next(reports)
    reports.close()
    list(train(job(f"stopped-{name}", resume=True)))
    ends = [(work / f"{kind}-{name}" / "model.safetensors").read_bytes() for kind in ("whole", "stopped")]
    assert ends[0] == ends[1]


def test_what_cannot_be_is_said(tagger: Path) -> None:
    words = chosen("encoder.pretrained=words", "encoder.width=20")
    for arguments, says in (
        (["train", "tag", "--train", "train.conllu", *words], "encoder.width is 20, and that of words is 16"),
        (["train", "tag", "--train", "train.conllu", *chosen(f"encoder.pretrained={tagger}")], "is no language model"),
        (["train", "lm", "--train", "my-text.txt", *chosen("encoder.pretrained=my-lm")], "tag and sentiment"),
        (["train", "translate", "--corpus", "sample-translation@en-fr", *chosen("encoder.pretrained=my-lm")],
         "tag and sentiment"),
    ):  # fmt: skip
        result = inside(*arguments, "-o", "new")
        assert (result.exit_code, says in " ".join(result.stderr.split())) == (2, True), (arguments, result.stderr)
        assert not Path("new").exists(), arguments


def test_it_was_trained_on_what_the_language_model_was_trained_on_as_well(tagger: Path) -> None:
    assert [source.name for source in verify(tagger).trained_on] == ["my-text.txt", "train.conllu"]
