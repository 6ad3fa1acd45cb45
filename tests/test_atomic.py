from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nlpseq import atomic
from nlpseq.atomic import replacing


def content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(params=["one step", "step by step"])
def _system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the exchange that Linux has, and without."""
    if request.param == "step by step":
        monkeypatch.setattr(atomic.ctypes, "CDLL", lambda *_, **__: object())


@pytest.mark.usefixtures("_system")
def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b") as fresh:
        (fresh / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
        assert fresh.parent == tmp_path / "a"  # on the same file system, or it could not be renamed
    assert content(tmp_path) == {"a/b/x": "1"}


@pytest.mark.usefixtures("_system")
def test_an_old_folder_is_replaced_and_its_other_files_carried_over(tmp_path: Path) -> None:
    folder = tmp_path / "it"
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("both", "old", "deep/er/old"):
        (folder / name).write_text("old")
    with replacing(folder) as fresh:
        (fresh / "both").write_text("new")
        (fresh / "deep").mkdir()
        (fresh / "deep" / "new").write_text("new")
    assert content(folder) == {"both": "new", "old": "old", "deep/er/old": "old", "deep/new": "new"}
    assert os.listdir(tmp_path) == ["it"]  # noqa: PTH208  hidden leftovers too


@pytest.mark.usefixtures("_system")
def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "x").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _replace_and_fail(folder)
    assert content(tmp_path) == {"it/x": "old"}
    with pytest.raises(KeyboardInterrupt):
        _replace_and_fail(tmp_path / "other")
    assert os.listdir(tmp_path) == ["it"]  # noqa: PTH208


def _replace_and_fail(folder: Path) -> None:
    with replacing(folder) as fresh:
        (fresh / "x").write_text("new")
        raise KeyboardInterrupt


def test_a_file_that_is_open_goes_on_being_written(tmp_path: Path) -> None:
    """The log of a run stays open while checkpoints replace its folder."""
    folder = tmp_path / "it"
    folder.mkdir()
    with (folder / "log").open("a") as log:
        for step in range(3):
            log.write(f"{step}\n")
            log.flush()
            with replacing(folder) as fresh:
                (fresh / "model").write_text(str(step))
        log.write("end\n")
    assert content(folder) == {"log": "0\n1\n2\nend\n", "model": "2"}


def test_without_hard_links_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "old").write_text("old")
    with replacing(tmp_path / "it") as fresh:
        (fresh / "new").write_text("new")
    assert content(tmp_path / "it") == {"old": "old", "new": "new"}


def test_the_folder_may_be_a_link(tmp_path: Path) -> None:
    """As where users keep their models on another disk: the link stays, and what it points to is replaced."""
    (tmp_path / "disk" / "real").mkdir(parents=True)
    (tmp_path / "disk" / "real" / "old").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "real")
    with replacing(tmp_path / "link") as fresh:
        (fresh / "new").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "disk" / "real") == {"old": "old", "new": "new"}
    assert sorted(os.listdir(tmp_path)) == ["disk", "link"]  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders in one step")
def test_whoever_looks_sees_one_whole_folder(tmp_path: Path) -> None:
    """A reader that opens the folder again and again finds both files of one version, never none."""
    folder = tmp_path / "it"
    stop = threading.Event()
    seen: list[tuple[str, str]] = []

    def write(version: int) -> None:
        with replacing(folder) as fresh:
            (fresh / "a").write_text(str(version))
            (fresh / "b").write_text(str(version))

    def look() -> None:
        while not stop.is_set():
            handle = os.open(folder, os.O_RDONLY)  # holds this version, whatever takes its place
            try:
                seen.append((read("a", handle), read("b", handle)))
            except FileNotFoundError:
                pass  # the old version, already being removed; its place was never empty
            finally:
                os.close(handle)

    def read(name: str, within: int) -> str:
        with open(name, opener=lambda path, flags: os.open(path, flags, dir_fd=within)) as stream:
            return stream.read()

    write(0)
    reader = threading.Thread(target=look)
    reader.start()
    for version in range(1, 100):
        write(version)
    stop.set()
    reader.join()
    assert seen
    assert all(a == b for a, b in seen)


KILLED = """
import os, signal, sys
from pathlib import Path
from nlpseq.atomic import replacing
with replacing(Path(sys.argv[1])) as fresh:
    (fresh / "x").write_text("new")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_the_old_folder(tmp_path: Path) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "x").write_text("old")
    result = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, timeout=60)
    assert result.returncode == -signal.SIGKILL
    assert content(folder) == {"x": "old"}


def test_links_and_empty_folders_are_carried_over(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "empty").mkdir(parents=True)
    (old / "dangling").symlink_to("nowhere")
    (old / "link").symlink_to(tmp_path)
    with replacing(old) as fresh:
        (fresh / "new").write_text("new")
    assert sorted(path.name for path in old.iterdir()) == ["dangling", "empty", "link", "new"]
    assert (old / "link").is_symlink()
    assert (old / "dangling").readlink() == Path("nowhere")
