"""What is settled before a training begins, beside the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from nlpseq.checkpoint import save
from nlpseq.corpora.directions import Direction
from nlpseq.corpora.sources import AS_USUAL, Reading
from nlpseq.errors import UsageError
from nlpseq.machine import OtherWork
from nlpseq.training import prepare as module
from nlpseq.training.lock import locked
from nlpseq.training.prepare import prepare
from tests import classifiers, translators
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


def test_a_start_is_for_the_language_that_is_to_be_learnt(tmp_path: Path) -> None:
    base, train = str(write_checkpoint(tmp_path / "base")), ["sample-tagging"]
    german = {"tokenizer": {"language": "de"}}
    with pytest.raises(UsageError, match=f"--start {base}: is for en, not for de, which is to be learnt"):
        prepare("tag", german, train=train, dev=train, output=tmp_path / "run", start=base)


@pytest.mark.parametrize(
    ("starts", "reading", "languages"),
    [
        (False, AS_USUAL, ()),
        (True, AS_USUAL, ("en", "xx")),
        (True, Reading(direction=Direction("en", "yy")), ("en", "yy")),
    ],
)
def test_languages_of_pairs_are_those_asked_for_or_of_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, starts: bool, reading: Reading, languages: tuple[str, ...]
) -> None:
    """The suffix .dat is none, of which it is told where nothing else has the languages."""
    base = translators.write_checkpoint(tmp_path / "base", translators.untrained())
    for name, text in (("a.dat", "a b\nc d\n"), ("b.dat", "A B\nC D\n")):
        (tmp_path / name).write_text(text)
    data = [str(tmp_path / name) for name in ("a.dat", "b.dat")]
    start = str(base) if starts else None
    job = prepare(
        "translate", {}, train=data, dev=data, output=tmp_path / "run", start=start, reading=reading, threads=1
    )
    assert job.languages == languages
    assert ("Give --from and --to" in caplog.text) == (not languages)


@pytest.mark.parametrize(
    ("task", "data", "of", "said"),
    [
        ("tag", "sample-tagging", "judge", "is a checkpoint for sentiment, not for tag"),
        ("sentiment", "sample-sentiment", "letters", "is a checkpoint for translate, not for sentiment"),
        ("translate", "sample-translation", "tagger", "is a checkpoint for tag, not for translate"),
        ("translate", "sample-translation", "letters", "letters: is for fr-en, not for en-fr, which is to be learnt"),
        ("lm", "sample-text", "tagger", "learns from text alone"),
    ],
)
def test_a_teacher_is_of_the_same_task_and_languages(tmp_path: Path, task: str, data: str, of: str, said: str) -> None:
    write_checkpoint(tmp_path / "tagger")
    classifiers.write_checkpoint(tmp_path / "judge")
    save(
        translators.untrained(), tmp_path / "letters", replace(translators.manifest(), languages=("fr", "en")), "# X\n"
    )
    with pytest.raises(UsageError, match=said):
        prepare(task, {}, train=[data], dev=[data], output=tmp_path / "run", teachers=[str(tmp_path / of)], threads=1)


def test_what_teachers_were_trained_on_is_named(tmp_path: Path) -> None:
    data, teachers = ["sample-tagging"], [str(write_checkpoint(tmp_path / "teacher"))]
    job = prepare("tag", {}, train=data, dev=data, output=tmp_path / "run", teachers=teachers, threads=1)
    assert [source.name for source in job.trained_on] == ["sample-tagging", "train.conllu"]


def test_a_folder_that_is_written_into_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(UsageError, match="another training is writing"):
        prepare("tag", {}, train=["no such file"], dev=[], output=tmp_path / "run", threads=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "told"), [("a.csv", True), ("a.jsonl", True), ("a.txt", False), ("a", False)])
def test_a_table_as_plain_text_is_doubted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, told: bool
) -> None:
    (tmp_path / name).write_text("".join(f"line {number},x\n" for number in range(40)))
    prepare("lm", {}, train=[str(tmp_path / name)], dev=[], output=tmp_path / "run", threads=1)
    assert (f"the lines of {tmp_path / name} are learnt as they are" in caplog.text) == told


def test_a_teacher_for_the_same_direction_teaches(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    save(translators.untrained(), folder, replace(translators.manifest(), languages=("fr", "en")), "# X\n")
    data = ["sample-translation@fr-en"]
    job = prepare("translate", {}, train=data, dev=data, output=tmp_path / "run", teachers=[str(folder)], threads=1)
    assert job.teachers == (folder,)
