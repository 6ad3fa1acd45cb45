from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from nlpseq.corpora.files import blocks, content_name, read_lines
from nlpseq.errors import DataError

TEXT = "één\r\ntwo\n\n\t\nthree"
LINES = [(1, "één"), (2, "two"), (3, ""), (4, "\t"), (5, "three")]


def packed(folder: Path, how: str) -> Path:
    path, data = folder / f"a.txt{how}", TEXT.encode()
    if how == ".gz":
        path.write_bytes(gzip.compress(data))
    elif how == ".xz":
        path.write_bytes(lzma.compress(data))
    elif how == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", data)
    else:
        path.write_bytes(b"\xef\xbb\xbf" + data)  # a byte order mark, as some editors leave it
    return path


@pytest.mark.parametrize("how", ["", ".gz", ".xz", ".zip"])
def test_every_packing_gives_the_same_lines(tmp_path: Path, how: str) -> None:
    path = packed(tmp_path, how)
    assert list(read_lines(path)) == LINES
    assert content_name(path) == "a.txt"


def test_blocks_are_cut_at_lines_of_white_space(tmp_path: Path) -> None:
    assert list(blocks(read_lines(packed(tmp_path, "")))) == [LINES[:2], LINES[4:]]


def test_a_zip_of_several_files_asks_for_the_member(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dev.txt", "d")
        archive.writestr("train.txt", "t")
    with pytest.raises(DataError, match=r"2 files.*dev\.txt, train\.txt"):
        list(read_lines(path))
    assert list(read_lines(f"{path}#train.txt")) == [(1, "t")]
    assert content_name(f"{path}#train.txt") == "train.txt"
    with pytest.raises(DataError, match=r"Did you mean 'train.txt'"):
        list(read_lines(f"{path}#trian.txt"))


def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("good\ncaf\u00e9\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.txt:2: .*0xe9.*UTF-8") as caught:
        list(read_lines(path))
    assert caught.value.line == 2


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_is_told_and_not_read(tmp_path: Path, order: str) -> None:
    path = tmp_path / "notepad.txt"
    path.write_bytes("\ufeffgood\nbad\n".encode(order))
    with pytest.raises(DataError, match=r"notepad\.txt:1: The file is UTF-16; .*iconv"):
        list(read_lines(path))


def test_a_missing_file_suggests_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "train.conllu").write_text("")
    with pytest.raises(DataError, match=r"Near names.*train\.conllu"):
        list(read_lines(tmp_path / "trian.conllu"))
    with pytest.raises(DataError, match="folder"):
        list(read_lines(tmp_path))
    with pytest.raises(DataError, match="nor the folder"):
        list(read_lines(tmp_path / "no" / "file"))


@pytest.mark.parametrize("how", [".gz", ".xz"])
def test_a_truncated_archive_is_a_data_error(tmp_path: Path, how: str) -> None:
    path = packed(tmp_path, how)
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(DataError, match=r"damaged|cannot be opened"):
        list(read_lines(path))


def test_what_is_no_archive_is_a_data_error(tmp_path: Path) -> None:
    for how in (".gz", ".xz", ".zip"):
        path = tmp_path / f"plain{how}"
        path.write_text("not packed at all")
        with pytest.raises(DataError):
            list(read_lines(path))


def test_lines_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "late.txt"
    path.write_bytes(b"first\n" + b"more\n" * 200_000 + b"\xff\n")  # the fault is a megabyte away
    assert next(iter(read_lines(path))) == (1, "first")
