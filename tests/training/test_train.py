"""Runs on disk: what lies where, and how a run that was stopped goes on."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from nlpseq.checkpoint import load_task, verify
from nlpseq.errors import DataError, TrustError, UsageError
from nlpseq.records import Progress
from nlpseq.tasks.tagging import Tagger
from nlpseq.training import lock, loop, resume
from nlpseq.training import train as module
from nlpseq.training.resume import is_unfinished
from nlpseq.training.train import Job, hold_out, train
from tests.examples import corpus
from tests.taggers import small, write_checkpoint

TRAIN, DEV = corpus(30, seed=1), corpus(10, seed=2)
TIMES = ("items_per_second", "seconds", "seconds_left")


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)


def job(output: Path, **changes: Any) -> Job:
    training = {"epochs": 3, "batch_tokens": 60, **changes.pop("training", {})}
    values = {"task": "tag", "config": small(training=training), "train": TRAIN, "dev": DEV, "device": "cpu"}
    return Job(**{**values, "output": output, **changes})


def log_of(folder: Path) -> list[dict[str, Any]]:
    """The log, without what depends on the clock."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "REPORT_SECONDS", 0.0)
        folder = tmp_path_factory.mktemp("whole") / "run"
        list(train(job(folder)))
    return folder


def test_what_lies_there_at_the_end(whole: Path) -> None:
    names = {path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()}
    assert names == {"manifest.json", "log.jsonl", *verify(whole).files}
    assert not (whole / "resume").exists()
    assert [path.name for path in whole.parent.iterdir()] == ["run"]


def test_the_scores_told_are_those_of_the_weights_stored(whole: Path) -> None:
    task, manifest = load_task(whole)
    assert manifest.scores == {name: round(score, 2) for name, score in task.score(DEV).items()}
    best = max(line["scores"]["mean"] for line in log_of(whole) if line["scores"])
    # Rounding the weights to float16 may turn a label that hung by a thread, of the 65 or so in dev.
    assert manifest.scores["mean"] == pytest.approx(best, abs=2)


def test_what_has_learnt_nothing_is_told_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    list(train(job(tmp_path / "still", training={"epochs": 1, "learning_rate": 1e-9})))
    assert "no better than always giving the commonest label" in caplog.text
    caplog.clear()
    list(train(job(tmp_path / "learnt", training={"epochs": 20, "learning_rate": 0.02})))
    assert caplog.text == ""


def test_the_log_holds_every_report(whole: Path) -> None:
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    reports = [msgspec.convert(line, Progress) for line in lines]
    assert [report.step for report in reports] == list(range(1, len(reports) + 1))


STEPS = 15  # reports of the whole run: three epochs of five batches


@pytest.mark.parametrize("stop", [1, 4, 7, 8, 13, STEPS])
def test_a_run_stopped_and_taken_up_ends_the_same(whole: Path, tmp_path: Path, stop: int) -> None:
    """Wherever it is stopped, it goes on from the state that was written last: same weights, scores and log."""
    folder = tmp_path / "run"
    _stop_after(train(job(folder)), stop)
    list(train(job(folder, resume=True)))
    assert weights_of(folder) == weights_of(whole)
    assert load_task(folder)[1].scores == load_task(whole)[1].scores
    assert log_of(folder) == log_of(whole)
    assert not (folder / "resume").exists()


def _stop_after(reports: Iterator[Progress], count: int) -> None:
    for _ in range(count):
        next(reports)
    del reports  # as when the process ends: the generator is closed where it stands


def test_the_whole_run_is_as_long_as_the_stops_say(whole: Path) -> None:
    assert len(log_of(whole)) == STEPS


def test_a_run_may_be_stopped_again_and_again(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)  # the state with every report, as in a long run every two minutes
    folder = tmp_path / "run"
    reports = train(job(folder))
    for _ in range(100):
        if next(reports, None) is None:
            break
        reports.close()
        reports = train(job(folder, resume=True))
    assert weights_of(folder) == weights_of(whole)
    assert log_of(folder) == log_of(whole)


def test_half_a_line_at_the_end_of_the_log_does_not_spoil_it(whole: Path, tmp_path: Path) -> None:
    """As a kill leaves it in the middle of writing."""
    folder = tmp_path / "run"
    _stop_after(train(job(folder)), 8)
    with (folder / "log.jsonl").open("a") as log:
        log.write('{"step":9,"epo')
    list(train(job(folder, resume=True)))
    assert log_of(folder) == log_of(whole)


def test_there_is_a_checkpoint_from_the_first_evaluation_on(tmp_path: Path) -> None:
    for progress in train(job(tmp_path / "run")):
        if progress.best:
            task, manifest = load_task(tmp_path / "run")
            assert manifest.scores == {name: round(score, 2) for name, score in progress.scores.items()}
            assert (tmp_path / "run" / "resume").is_dir()
            break
    else:
        pytest.fail("No report was the best.")
    assert task.config == job(tmp_path).config


@pytest.mark.parametrize(
    "change",
    [
        {"train": TRAIN[:-1]},
        {"dev": DEV[1:]},
        {"train": TRAIN + DEV, "dev": DEV[:0]},
        {"training": {"learning_rate": 0.1}},
        {"training": {"seed": 2}},
    ],
)
def test_the_state_of_another_run_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = tmp_path / "run"
    _stop_after(train(job(folder)), 8)
    before = log_of(folder)
    with pytest.raises(UsageError, match="other settings or examples"):
        list(train(job(folder, resume=True, **change)))
    assert log_of(folder) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"training": {"seed": 2, "epochs": 9}}, "(training.epochs was 3 and is 9, training.seed was 1 and is 2)"),
        ({"train": TRAIN[:-1]}, "(the settings are the same)"),
    ],
)
def test_what_is_other_than_in_the_state_is_named(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    _stop_after(train(job(tmp_path / "run")), 8)
    with pytest.raises(UsageError) as caught:
        list(train(job(tmp_path / "run", resume=True, **change)))
    assert told in str(caught.value)


def test_a_state_that_does_not_hold_its_settings_is_refused_as_well(tmp_path: Path) -> None:
    """As versions before this one wrote it."""
    resume.write_state(tmp_path, "one", {}, {"best_score": 0.0})
    with pytest.raises(UsageError, match=r"other settings or examples\. Give"):
        resume.read_state(tmp_path, "another", config=small())


@pytest.mark.parametrize("damage", [lambda c: c[:0], lambda c: c[:100], lambda c: c[: len(c) // 2]])
def test_a_damaged_state_is_told(tmp_path: Path, damage: Any) -> None:
    folder = tmp_path / "run"
    _stop_after(train(job(folder)), 8)
    path = folder / "resume" / "state.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TrustError, match="Remove"):
        list(train(job(folder, resume=True)))


def test_the_state_of_another_version_is_refused(tmp_path: Path) -> None:
    """One that did not keep how long its last evaluation took."""
    folder = tmp_path / "run"
    _stop_after(train(job(folder)), 8)
    fingerprint = job(folder).fingerprint()
    state = resume.read_state(folder, fingerprint)
    assert state is not None
    state[1].pop("evaluating")
    resume.write_state(folder, fingerprint, *state)
    with pytest.raises(UsageError, match="another version of nlpseq, without 'evaluating'"):
        list(train(job(folder, resume=True)))


def test_a_folder_in_use_is_not_written_over(whole: Path, tmp_path: Path) -> None:
    before = weights_of(whole)
    with pytest.raises(UsageError, match="not empty"):
        next(train(job(whole)))
    with pytest.raises(UsageError, match="over"):
        next(train(job(whole, resume=True)))
    assert weights_of(whole) == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        next(train(job(tmp_path / "file")))


def test_the_folder_one_is_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="you are in"):
        next(train(job(Path())))
    assert list(tmp_path.iterdir()) == []


def test_resuming_what_has_not_begun_begins_it(whole: Path, tmp_path: Path) -> None:
    list(train(job(tmp_path / "run", resume=True)))
    assert weights_of(tmp_path / "run") == weights_of(whole)


def test_a_time_limit_leaves_a_checkpoint(tmp_path: Path) -> None:
    """A fifth of a second, for a run that would take minutes; the clock decides how many steps that is."""
    reports = list(train(job(tmp_path / "run", time_limit=0.2, training={"epochs": 10_000})))
    assert reports[-1].scores is not None
    assert reports[-1].epoch < 10_000
    load_task(tmp_path / "run")


def test_the_seed_decides_the_checkpoint(whole: Path, tmp_path: Path) -> None:
    list(train(job(tmp_path / "same")))
    list(train(job(tmp_path / "other", training={"seed": 2})))
    assert weights_of(tmp_path / "same") == weights_of(whole)
    assert weights_of(tmp_path / "other") != weights_of(whole)


def test_train_without_any_learnt_column_is_told(tmp_path: Path) -> None:
    bare = [msgspec.structs.replace(e, columns={"lemma": e.tokens}) for e in TRAIN]
    with pytest.raises(DataError, match="upos, xpos, ner"):
        list(train(job(tmp_path / "run", train=bare)))


@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_a_tenth_is_held_out(count: int) -> None:
    examples = list(range(count))
    kept, held = hold_out(examples, seed=1)
    assert len(held) == max(1, round(count / 10))
    assert sorted(kept + held) == examples
    assert (kept, held) == (sorted(kept), sorted(held))
    assert hold_out(examples, seed=1) == (kept, held)


def test_one_example_cannot_be_parted() -> None:
    with pytest.raises(DataError, match="too few"):
        hold_out(["one"], seed=1)
    assert any(hold_out(list(range(100)), seed=1) != hold_out(list(range(100)), seed=s) for s in (2, 3))


def test_a_second_training_in_the_folder_is_refused_until_the_first_has_ended(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = train(job(folder))
    next(first)
    with pytest.raises(UsageError, match="another training is writing"):
        next(train(job(folder, resume=True)))
    next(first)
    first.close()
    list(train(job(folder, resume=True)))
    assert weights_of(folder) == weights_of(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_it_is_refused_to_another_process_too_and_a_kill_frees_the_folder(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    script = f"""
from pathlib import Path
from nlpseq.training.lock import locked
with locked(Path({str(folder)!r})):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UsageError, match="another training is writing"):
            next(train(job(folder)))
        holder.kill()
    list(train(job(folder)))
    assert weights_of(folder) == weights_of(whole)


def test_a_file_system_without_locks_is_no_hindrance(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    list(train(job(tmp_path / "run")))
    assert weights_of(tmp_path / "run") == weights_of(whole)


def test_a_system_without_locks_gets_no_file_beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows does not remove a file that is open, as that of a lock is."""
    monkeypatch.setattr(lock, "fcntl", None)
    with lock.locked(tmp_path / "run"):
        assert list(tmp_path.iterdir()) == []


def test_the_log_is_whole_on_a_file_system_without_hard_links(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", none)
    list(train(job(tmp_path / "run")))
    assert log_of(tmp_path / "run") == log_of(whole)


def test_what_a_kill_at_the_very_end_leaves_is_a_finished_run(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While `resume/` was being removed: its tokens are still there, say."""
    folder = tmp_path / "run"
    remove = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **how: path.name == "resume" or remove(path, **how))
    for progress in train(job(folder)):
        if progress.epoch == 3:
            (folder / "resume" / "tokens").touch()
    assert not is_unfinished(folder)
    assert (folder / "resume" / "tokens").exists()
    monkeypatch.undo()
    with pytest.raises(UsageError, match="over"):
        list(train(job(folder, resume=True)))
    assert not (folder / "resume").exists()
    assert weights_of(folder) == weights_of(whole)


@pytest.mark.parametrize(
    "settings", [{"embedding": {"vectors": "list.txt"}}, {"augment": {"names": {"PER": ["list.txt"]}}}]
)
def test_files_that_settings_name_have_to_be_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = small(training={"epochs": 3, "batch_tokens": 60}, **settings)
    width = config.embedding.width
    file = tmp_path / "list.txt"
    file.write_text(f"Ann {'0 ' * width}\n")
    folder = tmp_path / "run"
    _stop_after(train(job(folder, config=config)), 8)
    file.write_text(f"Bob {'0 ' * width}\n")
    with pytest.raises(UsageError, match="other settings or examples"):
        next(train(job(folder, config=config, resume=True)))
    file.write_text(f"Ann {'0 ' * width}\n")
    next(train(job(folder, config=config, resume=True)))


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    """--resume is no leave to replace what is not a run."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        list(train(job(folder, resume=True)))
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


def test_a_teacher_with_other_labels_is_named_before_anything_is_made(tmp_path: Path) -> None:
    """With the column, and the labels that differ: here, orcs where it has persons."""
    teacher = write_checkpoint(tmp_path / "teacher")
    ner = [tuple(tag.replace("PER", "ORC") for tag in e.columns["ner"]) for e in TRAIN]
    of_orcs = [msgspec.structs.replace(e, columns={**e.columns, "ner": n}) for e, n in zip(TRAIN, ner, strict=True)]
    with pytest.raises(UsageError) as caught:
        list(train(job(tmp_path / "run", train=of_orcs, teachers=(teacher,))))
    said = str(caught.value)
    assert said.startswith(f"--teacher {teacher}: has other labels than the training examples: ner has ")
    assert "B-ORC" in said.partition(" of the examples alone, and ")[0]
    assert "B-PER" in said.partition(" of the examples alone, and ")[2]
    assert [path.name for path in tmp_path.iterdir()] == ["teacher"]


def test_teachers_are_asked_on_the_device_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a device that has no content, which every machine has."""
    seen: list[str] = []

    def taught(self: Tagger, *given: Any) -> list[Any]:
        *_, teachers = given
        seen.extend(str(one.device) for one in (self, *teachers))
        raise KeyboardInterrupt

    monkeypatch.setattr(Tagger, "taught", taught)
    monkeypatch.setattr(module, "find_device", lambda _: torch.device("meta"))
    with pytest.raises(KeyboardInterrupt):
        list(train(job(tmp_path / "run", teachers=(write_checkpoint(tmp_path / "teacher"),))))
    assert seen == ["meta", "meta"]
