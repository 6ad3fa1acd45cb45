from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from nlpseq.corpora import plain
from nlpseq.corpora.plain import BLOCK, HELD_OUT, PlainText, not_plain, plain_parts, read_plain
from nlpseq.errors import DataError, UsageError


def lines_of(count: int, name: str = "line") -> PlainText:
    return PlainText([lambda: iter(f"{name} {n}" for n in range(count))], distinct=False)


def test_files_folders_and_archives_are_read_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.txt").write_text("  second \n\n\t\nthird\r\n")
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"\xef\xbb\xbffirst\n"))
    (folder / "deep" / "c.text.xz").write_bytes(lzma.compress("füṅfte\n".encode()))
    (folder / "notes.bin").write_bytes(b"\xff\xff")
    (folder / ".hidden.txt").write_text("hidden\n")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("in/two.txt", "zipped two\n")
        archive.writestr("in/one.txt", "zipped one\n")
        archive.writestr("in/table.csv", "a,b\n")
    text = read_plain([str(folder), str(tmp_path / "x.zip")], "train")
    assert list(text) == ["first", "second", "third", "füṅfte", "zipped one", "zipped two"]
    assert list(text) == list(text)  # it may be gone through again
    assert (len(text), text[1], text[-1], text[2:4]) == (6, "second", "zipped two", ["third", "füṅfte"])
    with pytest.raises(IndexError):
        text[6]


def test_what_holds_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "only").mkdir()
    with pytest.raises(DataError, match="no line of text"):
        read_plain([str(tmp_path / "blank.txt")], "train")
    with pytest.raises(DataError, match=r"no file named \.text or \.txt"):
        read_plain([str(tmp_path / "only")], "train")
    with pytest.raises(DataError, match="no such file"):
        read_plain([str(tmp_path / "missing.txt")], "train")
    with pytest.raises(UsageError, match="no plain text"):
        read_plain(["sample-tagging"], "train")
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match="cannot be opened"):
        read_plain([str(tmp_path / "bad.zip")], "train")


def test_corpora_by_name() -> None:
    assert len(read_plain(["sample-text"], "train")) == 1200
    assert len(read_plain(["sample-text:dev"], "train")) == 120
    assert len(read_plain(["sample-sentiment"], "dev")) == 150  # the texts alone
    train, dev = (set(read_plain(["sample-text"], split)) for split in ("train", "dev"))
    assert not train & dev


def test_repetitions_are_left_out_as_far_as_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["a", "b", "a", "c", "d", "b", " a "]
    assert list(PlainText([lambda: iter(lines)], distinct=True)) == ["a", "b", "c", "d"]
    assert len(list(PlainText([lambda: iter(lines)], distinct=False))) == 7
    monkeypatch.setattr(plain, "REMEMBERED", 2)  # forgotten when c comes, and again when b comes anew
    assert list(PlainText([lambda: iter(lines)], distinct=True)) == ["a", "b", "c", "d", "b", "a"]


@pytest.mark.parametrize(("count", "held"), [(10 * BLOCK, BLOCK), (5000 * BLOCK, HELD_OUT * BLOCK)])
def test_whole_blocks_are_held_out_a_tenth_but_not_too_many(count: int, held: int) -> None:
    text = lines_of(count)
    train, dev = text.held_out(seed=1)
    assert len(dev) == held
    assert sorted([*train, *dev]) == sorted(text)
    assert text.held_out(seed=1)[1] == dev
    numbers = [int(line.split()[1]) for line in dev]
    assert all(number % BLOCK == 0 for number in numbers[::BLOCK])
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("count", [BLOCK, BLOCK + 1, 30, 60, 10 * BLOCK - 1])
def test_of_a_short_text_a_tenth_is_held_out_too(count: int) -> None:
    for seed in range(5):
        train, dev = lines_of(count).held_out(seed)
        assert 1 <= len(dev) <= count / 8
        assert sorted([*train, *dev]) == sorted(lines_of(count))


def test_another_seed_holds_out_other_lines() -> None:
    assert lines_of(100 * BLOCK).held_out(1)[1] != lines_of(100 * BLOCK).held_out(2)[1]


def test_too_short_a_text_is_told() -> None:
    with pytest.raises(DataError, match="--dev FILE"):
        lines_of(BLOCK - 1).held_out(1)


def test_parts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"line {n}\n" for n in range(100)) + "line 0\n")
    (tmp_path / "b.txt").write_text("x\nx\n")
    text, dev = plain_parts([str(tmp_path / "a.txt")], [str(tmp_path / "b.txt")], distinct=True, seed=1)
    assert (len(text), list(dev)) == (100, ["x", "x"])
    text, dev = plain_parts([str(tmp_path / "a.txt")], [], distinct=True, seed=1)
    assert len(text) + len(dev) == 100


def test_files_that_are_not_plain_are_known_by_their_names() -> None:
    specs = ["a.txt", "a.CSV", "a.tsv.gz", "a.zip#b.jsonl", "a.zip", "sample-text", "a/b.conllu"]
    assert not_plain(specs) == ["a.CSV", "a.tsv.gz", "a.zip#b.jsonl", "a/b.conllu"]


def test_files_that_an_archive_hides_are_no_text(tmp_path: Path) -> None:
    """As macOS puts them beside the others."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "one\n")
        archive.writestr("__MACOSX/._a.txt", b"\xb0\x00")
    assert list(read_plain([str(tmp_path / "a.zip")], "train")) == ["one"]
