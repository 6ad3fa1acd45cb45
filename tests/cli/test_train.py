"""`nlpseq train tag`, then everything that can be done with what it leaves, through the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.cli.main import app
from nlpseq.cli.train import seconds
from nlpseq.errors import UsageError
from tests.examples import corpus, write_conllu

ROOT = Path(__file__).parents[2]
SETTINGS = (
    "embedding.width=16", "embedding.character_width=8", "embedding.character_features=16", "embedding.affix_width=8",
    "embedding.min_count=1", "embedding.dropout=0", "encoder.width=16", "encoder.layers=1", "encoder.dropout=0",
    "training.learning_rate=0.02", "training.average=0.9", "training.epochs=8", "training.patience=0",
    "training.batch_tokens=100",
)  # fmt: skip


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NLPSEQ_")}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def nlpseq(*arguments: str | Path, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nlpseq.cli.main", *map(str, arguments)],
        input=stdin, capture_output=True, check=False, text=True, timeout=120, cwd=cwd, env=environment(),
    )  # fmt: skip


@pytest.fixture
def here(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(work)
    return work


def inside(*arguments: str) -> Result:
    """The command in this process, where starting another would show nothing more."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def settings(*more: str) -> list[str]:
    return [part for one in (*SETTINGS, *more) for part in ("--set", one)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: two files of their own, and the tagger they trained."""
    folder = tmp_path_factory.mktemp("work")
    write_conllu(folder / "train.conllu", corpus(150, seed=1))
    write_conllu(folder / "dev.conllu", corpus(40, seed=2))
    trained = nlpseq("train", "tag", *data(), "-o", "tagger", *settings(), cwd=folder)
    assert (trained.returncode, trained.stdout) == (0, ""), trained.stderr  # all of it is for people: stderr
    (folder / "said").write_text(trained.stderr)
    return folder


def data() -> list[str]:
    return ["--train", "train.conllu", "--dev", "dev.conllu"]


@pytest.mark.usefixtures("here")
def test_it_learns_what_can_be_learnt(work: Path) -> None:
    """Every label follows from the word and its neighbours; so nearly all of them are right. The run of seed 1 ends
    at 100; 98 leaves room for another machine's arithmetic. Who ignores context and takes every name for a place,
    which most are, finds no person, and two places too many for every three right: an F1 of 47."""
    scored = inside("evaluate", "tagger", "dev.conllu", "--json")
    assert scored.exit_code == 0, scored.stderr
    scores = json.loads(scored.stdout)
    assert scores["sentences"] == 40
    assert min(scores["upos"]["accuracy"], scores["xpos"]["accuracy"], scores["ner"]["f1"]) >= 98
    manifest = json.loads((work / "tagger" / "manifest.json").read_bytes())
    assert manifest["scores"]["upos"] == pytest.approx(scores["upos"]["accuracy"], abs=0.01)
    assert manifest["scores"]["ner"] == pytest.approx(scores["ner"]["f1"], abs=0.01)


def test_it_tells_how_it_goes(work: Path) -> None:
    said = (work / "said").read_text()
    assert "150 examples" in said
    assert said.count("loss") == 8  # once an epoch
    log = [json.loads(line) for line in (work / "tagger" / "log.jsonl").read_text().splitlines()]
    assert sum(line["scores"] is not None for line in log) == 8
    assert log[-1]["loss"] < log[0]["loss"]


def test_context_decides(work: Path) -> None:
    answer = nlpseq("tag", "-c", "tagger", "-f", "jsonl", "the can can fall in Jordan City .", cwd=work)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [token["upos"] for token in found["tokens"]][:3] == ["DET", "NOUN", "AUX"]
    assert [(e["text"], e["label"], e["start"]) for e in found["entities"]] == [("Jordan City", "LOC", 20)]
    answer = nlpseq("tag", "-c", "tagger", cwd=work, stdin="Mr Jordan can sing .\n\nMr Paris can sing .\n")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [[e["label"] for e in line["entities"]] for line in lines] == [["PER"], [], ["PER"]]


def test_its_card_tells_how_to_make_it_again(here: Path) -> None:
    card = inside("checkpoints", "info", "tagger")
    assert card.exit_code == 0, card.stderr
    assert card.stdout == (here / "tagger" / "README.md").read_text()
    assert "train tag --train train.conllu --dev dev.conllu -o tagger" in card.stdout
    assert "`encoder.width` | `16`" in card.stdout
    assert inside("checkpoints", "verify", "tagger").exit_code == 0


@pytest.mark.usefixtures("here")
def test_a_killed_run_resumes_to_the_very_same_end(work: Path) -> None:
    """Killed as soon as there is a state to go on from; then the same bytes as those of the run that was not."""
    command = ["train", "tag", *data(), "-o", "killed", *settings()]
    process = subprocess.Popen(
        [sys.executable, "-m", "nlpseq.cli.main", *command],
        stderr=subprocess.DEVNULL, cwd=work, env=environment(),
    )  # fmt: skip
    state, end = work / "killed" / "resume" / "state.safetensors", time.monotonic() + 60
    while not state.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run was over before it could be killed"
    again = inside(*command)
    assert (again.exit_code, "--resume" in again.stderr) == (2, True)
    other = inside(*command, "--set", "encoder.width=20", "--resume")
    assert (other.exit_code, "other settings" in other.stderr) == (2, True)
    resumed = nlpseq(*command, "--resume", cwd=work)
    assert resumed.returncode == 0, resumed.stderr
    assert (work / "killed" / "model.safetensors").read_bytes() == (work / "tagger" / "model.safetensors").read_bytes()
    steps = [
        [(line["epoch"], line["scores"]) for line in map(json.loads, log.read_text().splitlines()) if line["scores"]]
        for log in (work / "killed" / "log.jsonl", work / "tagger" / "log.jsonl")
    ]
    assert steps[0] == steps[1]


def test_an_interrupted_run_says_how_it_goes_on(work: Path) -> None:
    command = ["train", "tag", *data(), "-o", "stopped", *settings("training.epochs=100000")]
    process = subprocess.Popen(
        [sys.executable, "-m", "nlpseq.cli.main", *command],
        stderr=subprocess.PIPE, text=True, cwd=work, env=environment(),
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),  # a shell may have it ignored
    )  # fmt: skip
    state, end = work / "stopped" / "resume" / "state.safetensors", time.monotonic() + 60
    while not state.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    last = told.splitlines()[-1]
    assert last == "Interrupted. The same command with --resume goes on from what is kept in stopped."


def test_a_file_of_settings_and_a_time_limit(work: Path) -> None:
    """A configuration names the data; the run that would take hours ends in its two seconds, and can be used."""
    lines = ["[data]", 'train = ["train.conllu"]', "[training]", "epochs = 100000", "batch_tokens = 100"]
    (work / "my.toml").write_text("\n".join([*lines, "[encoder]", "width = 8", "layers = 1"]))
    started = time.monotonic()
    result = nlpseq("train", "tag", "--config", "my.toml", "-o", "limited", "--time-limit", "2s", cwd=work)
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - started < 60  # two seconds and the start, on however slow a machine
    manifest = json.loads((work / "limited" / "manifest.json").read_bytes())
    assert manifest["dev"] == ["a held-out tenth"]
    assert json.loads((work / "limited" / "config.json").read_bytes())["encoder"]["width"] == 8
    assert "138 examples, 12 to choose by" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["tag"], 2, "-o"),
        (["tag", "-o", "new"], 2, "nothing to train on"),
        (["tag", "-o", "new", "--train", "missing.conllu"], 2, "missing.conllu"),
        (["tag", "-o", "new", "--train", "no-such-corpus"], 2, "no-such-corpus"),
        (["tag", "-o", "new", *data(), "--set", "encoder.widht=3"], 2, "'encoder.width'"),
        (["tag", "-o", "new", *data(), "--set", "encoder.cell=cnn"], 2, "encoder.cell"),
        (["tag", "-o", "new", *data(), "--time-limit", "soon"], 2, "30m"),
        (["tag", "-o", "new", *data(), "--config", "missing.toml"], 2, "missing.toml"),
        (["tag", "-o", "train.conllu", *data()], 2, "file"),
        (["tag", "-o", "tagger", *data()], 2, "not empty"),
        (["tag", "-o", "new", *data(), "--from", "en"], 2, "--from: is of parallel text"),
        (["lm", "-o", "new", "--train", "t.txt", "--to", "en"], 2, "--to: is of parallel text"),
        (["sentiment", "-o", "new", "--train", "t.csv", "--source-column", "1"], 2, "--source-column: is of parallel"),
        (["tag", "-o", "new", *data(), "--text-column", "body"], 2, "`nlpseq train sentiment` alone"),
        (["lm", "-o", "new", "--train", "t.csv", "--text-column", "body"], 2, "--text-column: is of tables"),
        (["translate", "-o", "new", "--train", "t.tsv", "--label-column", "b"], 2, "--label-column: is of tables"),
        (["juggle", "-o", "new"], 2, "juggle"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_left(here: Path, arguments: list[str], code: int, says: str) -> None:
    before = sorted(path.name for path in here.iterdir())
    result = inside("train", *arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert says in result.stderr
    assert sorted(path.name for path in here.iterdir()) == before


def test_what_a_file_says_of_data_for_another_task_is_refused(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[data]\ntrain = "sample-tagging"\nlabel_columns = ["verdict"]\n')
    result = inside("train", "tag", "--config", str(tmp_path / "my.toml"), "-o", str(tmp_path / "new"))
    assert result.exit_code == 2
    assert "my.toml: data.label_columns is of tables of labelled texts" in result.stderr


def test_settings_can_be_listed() -> None:
    rows = [line.split("\t") for line in inside("train", "tag", "--settings").stdout.splitlines()]
    assert rows[0] == ["setting", "default", "meaning"]
    assert "encoder.cell" in {row[0] for row in rows}
    assert all(len(row) == 3 and row[2] for row in rows)


@pytest.mark.parametrize(
    ("text", "wanted"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("45", 45), ("1.5H", 5400), (" 3 m ", 180)]
)
def test_times(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "0", "0.0s", "-3", "3d", "m", "1e3", "3 4", "nan", "1h30m", "٣x"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="90s, 30m or 2h"):
        seconds(text)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [os.fsdecode(name) for name in (b"caf\xe9.conllu", b"o7\xe9")]
    write_conllu(tmp_path / names[0], corpus(30, seed=1))
    arguments = ["train", "tag", "--train", names[0], "-o", names[1], *settings("training.epochs=1")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["nlpseq", *arguments])  # which the card tells
    trained = inside(*arguments)
    assert trained.exit_code == 0, trained.stderr
    found = json.loads((tmp_path / names[1] / "manifest.json").read_bytes())
    assert found["trained_on"][0]["name"] == "caf\ufffd.conllu"
    card = (tmp_path / names[1] / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# o7\ufffd\n")
    assert "caf\ufffd.conllu" in card
    assert inside("tag", "-c", names[1], "a word").exit_code == 0


@pytest.mark.usefixtures("here")
def test_a_card_is_read_before_anything_else(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_bytes(b"caf\xe9\n")
    for path, said in ((card, "is not UTF-8, from byte 4 on"), (tmp_path / "none.md", "cannot be read")):
        done = inside("train", "tag", "--train", "nosuch.conllu", "-o", "carded", "--card", str(path))
        assert done.exit_code == 2
        assert said in done.stderr
