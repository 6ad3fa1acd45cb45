"""Contests of the benchmarks, between workers that are made for the test: turns, shares, and who drops out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
WORKER = '''
import os, sys
from serving import serve


class Worker:
    """Writes down what it does into a file that all share."""

    def load(self, name, threads, weak=0):
        self.name, self.left = name, weak or 10**9
        self.note("load")
        print("libraries talk")
        os.write(1, b"even below Python\\\\n")

    def note(self, what):
        with open(os.environ["NOTES"], "a") as file:
            file.write(f"{self.name} {what} {os.environ['OMP_NUM_THREADS']}\\\\n")

    def work(self, texts):
        self.left -= 1
        if not self.left:
            sys.exit(7)
        self.note(texts)
        if texts == "bad":
            raise ValueError("bad texts")
        return len(texts)


serve(Worker())
'''.replace("\\\\", "\\")


@pytest.fixture
def contest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS / "workers"))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    return importlib.import_module("harness.contest")


def notes(folder: Path) -> list[str]:
    return (folder / "notes").read_text(encoding="utf-8").splitlines()


def contender(contest: Any, folder: Path, name: str, **shape: Any) -> Any:
    load = {"name": name, **shape.pop("load", {})}
    return contest.Contender(name, Path(sys.executable), str(folder / "worker.py"), load, **shape)


def test_they_take_turns_and_load_afresh_for_each(contest: Any, tmp_path: Path) -> None:
    two = [contender(contest, tmp_path, "a"), contender(contest, tmp_path, "b", threads=2)]
    records, failed = contest.contest(two, lambda *_: {"texts": "xyz"}, 1, tmp_path)
    turn = ["a load 1", "a xyz 1", "a xyz 1", "b load 2", "b xyz 2", "b xyz 2"]
    assert notes(tmp_path) == 2 * turn  # the round that is not counted, and one that is
    assert failed == {}
    for name in "ab":
        assert [len(laps) for laps in (records[name].first, records[name].again)] == [1, 1]
        assert records[name].first[0].values == [3]
        assert records[name].first[0].seconds > 0


def test_without_reloading_they_go_on_where_they_were(contest: Any, tmp_path: Path) -> None:
    one = [contender(contest, tmp_path, "a")]
    records, _ = contest.contest(one, lambda *_: {"texts": "x"}, 2, tmp_path, again=False, reload=False)
    assert notes(tmp_path) == ["a load 1", "a x 1", "a x 1", "a x 1"]
    assert (len(records["a"].first), records["a"].again) == (2, [])


def test_each_share_has_a_process_and_its_own_part(contest: Any, tmp_path: Path) -> None:
    def job(share: int, shares: int) -> dict[str, str]:
        return {"texts": "y" * (share + 1) + "-" * shares}

    records, _ = contest.contest([contender(contest, tmp_path, "a", shares=2)], job, 1, tmp_path, again=False)
    assert records["a"].first[0].values == [3, 4]
    assert sorted(notes(tmp_path)) == sorted(2 * ["a load 1", "a load 1", "a y-- 1", "a yy-- 1"])


@pytest.mark.parametrize(
    ("load", "texts", "told"),
    [
        ({}, "bad", "ValueError: bad texts"),
        ({"weak": 1}, "x", "ended without an answer"),
        ({"no": 1}, "x", "TypeError"),
    ],
)
def test_who_fails_drops_out_and_the_others_go_on(
    contest: Any, tmp_path: Path, load: dict[str, int], texts: str, told: str
) -> None:
    two = [contender(contest, tmp_path, "a", load=load), contender(contest, tmp_path, "b")]

    def job(*_: int) -> dict[str, str]:
        return {"texts": texts if texts == "x" or len(notes(tmp_path)) < 2 else "x"}

    records, failed = contest.contest(two, job, 1, tmp_path, again=False)
    assert set(records) == {"b"}
    assert set(failed) == {"a"}
    assert told in failed["a"]
    assert str(tmp_path) in failed["a"]  # where the rest of it can be read


def test_what_is_kept_is_made_once_and_not_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    kept = importlib.import_module("harness.scripts").kept
    made = []

    def make(folder: Path) -> dict[str, int]:
        made.append(sorted(path.name for path in folder.iterdir()))
        (folder / "model").write_text("x", encoding="utf-8")
        if len(made) == 1:
            raise KeyboardInterrupt
        return {"seconds": len(made)}

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "peer", make)
    assert not (tmp_path / "peer").exists()
    assert [kept(tmp_path / "peer", make) for _ in range(2)] == [{"seconds": 2}] * 2
    assert made == [[], []]  # the second attempt began from nothing, the third was none
