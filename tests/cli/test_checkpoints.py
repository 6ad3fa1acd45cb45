from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq.cli.main import app
from tests.taggers import write_checkpoint


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an install's checkpoints: two of them, and something else."""
    for name in ("tag-xa", "tag-xb"):
        write_checkpoint(tmp_path / name)
    (tmp_path / "recipes").mkdir()
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["checkpoints", *arguments])


def test_list(shipped: Path) -> None:
    rows = [line.split("\t") for line in run("list").stdout.splitlines()]
    assert [row[0] for row in rows] == ["name", "tag-xa", "tag-xb"]
    assert rows[1][1:3] == ["tag", "en"]
    assert rows[1][3].endswith(" MB")
    assert rows[1][4] == "upos 12.50"
    assert shipped.is_dir()


def test_list_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path / "missing")
    result = run("list")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)


def test_info_by_name_and_by_folder(shipped: Path) -> None:
    assert run("info", "tag-xa").stdout == run("info", str(shipped / "tag-xb")).stdout == "# A card\n"


def test_a_card_cannot_play_tricks_on_the_terminal(shipped: Path) -> None:
    (shipped / "tag-xa" / "README.md").write_text("# \x1b[31mred\x1b]0;title\x07")
    assert "\x1b" not in run("info", "tag-xa").stdout
    (shipped / "tag-xa" / "README.md").unlink()
    assert run("info", "tag-xa").exit_code == 4


def test_verify_all_or_some(shipped: Path) -> None:
    assert [line.split("\t")[0] for line in run("verify").stdout.splitlines()[1:]] == ["tag-xa", "tag-xb"]
    (shipped / "tag-xb" / "config.json").write_bytes(b"{}")
    assert run("verify", "tag-xa").exit_code == 0
    for names in ((), ("tag-xb",), ("tag-xa", str(shipped / "tag-xb"))):
        result = run("verify", *names)
        assert result.exit_code == 4
        assert "config.json" in result.stderr


@pytest.mark.parametrize("command", ["info", "verify"])
def test_an_unknown_one_is_wrong_usage_that_names_the_nearest(shipped: Path, command: str) -> None:
    result = run(command, "tag-xq")
    assert result.exit_code == 2
    assert "'tag-xa'" in result.stderr or "'tag-xb'" in result.stderr
    assert run(command, str(shipped / "recipes")).exit_code == 2
