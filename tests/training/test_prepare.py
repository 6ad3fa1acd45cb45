"""What is settled before a training begins, beside the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nlpseq.errors import UsageError
from nlpseq.machine import OtherWork
from nlpseq.training import prepare as module
from nlpseq.training.prepare import prepare
from tests.taggers import write_checkpoint

ROWS = "text,polarity\ngood,positive\nbad,negative\n"


@pytest.mark.parametrize(
    ("free", "usable", "told", "threads", "note"),
    [
        (4, 4, None, 4, ""),
        (1, 4, None, 1, "other work takes 3 of 4 cores; training on 1 thread(s)."),
        (60, 64, None, 8, ""),
        (1, 4, 3, 3, ""),
    ],
    ids=["all free", "most are busy", "more than are of use", "OMP_NUM_THREADS"],
)
def test_threads_are_as_many_as_cores_are_free(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    free: int,
    usable: int,
    told: int | None,
    threads: int,
    note: str,
) -> None:
    monkeypatch.setattr(OtherWork, "free_cores", lambda _: free)
    monkeypatch.setattr(module, "usable_cores", lambda: usable)
    monkeypatch.setattr(module, "told_cores", lambda: told)
    (tmp_path / "a.csv").write_text(ROWS)
    for given, wanted in ((None, threads), (2, 2)):
        data = [str(tmp_path / "a.csv")]
        prepare("sentiment", {}, train=data, dev=data, output=tmp_path / "run", threads=given)
        assert torch.get_num_threads() == wanted
    assert note in caplog.text
    assert bool(caplog.text) == bool(note)


def test_a_checkpoint_is_no_start_as_long_as_its_training_is_not_over(tmp_path: Path) -> None:
    """What a kill left of a state that was being removed is none."""
    base = write_checkpoint(tmp_path / "base")
    (base / "resume").mkdir()
    (base / "resume" / "tokens").touch()
    train = ["sample-tagging"]
    prepare("tag", {}, train=train, dev=train, output=tmp_path / "run", start=str(base))
    (base / "resume" / "state.safetensors").touch()
    with pytest.raises(UsageError, match="its training is not over"):
        prepare("tag", {}, train=train, dev=train, output=tmp_path / "run", start=str(base))
