from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import nlpseq
from nlpseq import api
from nlpseq.cli.main import app
from tests.taggers import write_checkpoint


def rows(output: str) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in output.splitlines() if "\t" in line)


def test_it_tells_what_there_is_and_loads_every_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    monkeypatch.setenv("NLPSEQ_CORPORA_MIRROR", str(tmp_path))
    write_checkpoint(tmp_path / "tag-xa")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    found = rows(result.stdout)
    assert found["nlpseq"] == nlpseq.__version__
    assert {"python", "system", "torch", "spacy", "devices", "threads", "checkpoints", "corpora cache"} <= set(found)
    assert "cpu" in found["devices"]
    assert any(kind in found["LSTMs on a CPU"] for kind in ("float32", "eight bits", "bfloat16"))
    assert found["corpora mirror"] == str(tmp_path)
    assert "NLPSEQ_CORPORA_MIRROR" in found["variables set"]
    assert found["tag-xa"].startswith("loads in")


def test_a_damaged_checkpoint_is_named_and_the_others_are_still_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    for name in ("tag-xa", "tag-xb", "tag-xc"):
        write_checkpoint(tmp_path / name)
    (tmp_path / "tag-xa" / "model.safetensors").write_bytes(b"")
    (tmp_path / "tag-xb" / "manifest.json").write_bytes(b"")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 4
    found = rows(result.stdout)
    assert "model.safetensors" in found["tag-xa"]
    assert "manifest.json" in found["tag-xb"]
    assert found["tag-xc"].startswith("loads in")


def test_an_install_without_checkpoints_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    result = CliRunner().invoke(app, ["doctor"])
    assert (result.exit_code, rows(result.stdout)["none"]) == (4, "no checkpoint came with this install")


def test_a_mirror_that_is_not_there_is_told_in_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    monkeypatch.setenv("NLPSEQ_CORPORA_MIRROR", str(tmp_path / "none"))
    write_checkpoint(tmp_path / "tag-xa")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    found = rows(result.stdout)
    assert "The mirror is not a folder" in found["corpora mirror"]
    assert found["tag-xa"].startswith("loads in")


def test_a_checkpoint_that_fails_in_an_unforeseen_way_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        if name == "tag-xa":
            raise RuntimeError("the size of tensor a")

    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: tmp_path)
    monkeypatch.setattr(api, "load", broken)
    for name in ("tag-xa", "tag-xb"):
        write_checkpoint(tmp_path / name)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 4
    found = rows(result.stdout)
    assert found["tag-xa"] == "RuntimeError: the size of tensor a"
    assert found["tag-xb"].startswith("loads in")
