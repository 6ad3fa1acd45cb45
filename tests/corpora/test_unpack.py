from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from nlpseq.corpora.unpack import unpack
from nlpseq.errors import TrustError


def tar_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            data = b"x" * member.size
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def nothing_else(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_files_and_folders_come_out(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("d", tarfile.DIRTYPE), member("d/f", size=3), member("e/g"))
    folder = unpack(archive, tmp_path / "out")
    assert (folder / "d" / "f").read_bytes() == b"xxx"
    assert (folder / "e" / "g").exists()
    assert nothing_else(tmp_path, "a.tar.gz", "out")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("d/f", "zip")
    assert (unpack(tmp_path / "a.zip", tmp_path / "out2") / "d" / "f").read_text() == "zip"
    with pytest.raises(FileExistsError):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    "bad",
    [
        member("/etc/x"),
        member("../x"),
        member("a/../../x"),
        member("C:\\x"),
        member("..\\x"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "inside"),
        member("link", tarfile.LNKTYPE, "ok"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
    ],
)
def test_members_that_reach_out_are_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("ok"), bad)
    with pytest.raises(TrustError, match=r"link or a device|outside its folder"):
        unpack(archive, tmp_path / "out")
    assert nothing_else(tmp_path, "a.tar.gz")


@pytest.mark.parametrize(("name", "mode"), [("../x", 0), ("/x", 0), ("link", stat.S_IFLNK | 0o777)])
def test_zip_members_that_reach_out_are_refused(tmp_path: Path, name: str, mode: int) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr(info, "target")
    with pytest.raises(TrustError, match=r"link or a device|outside its folder"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert nothing_else(tmp_path, "a.zip")


def test_too_much_is_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a", size=600), member("b", size=600))
    with pytest.raises(TrustError, match="more than may be unpacked"):
        unpack(archive, tmp_path / "out", cap=1000)
    assert nothing_else(tmp_path, "a.tar.gz")
    unpack(archive, tmp_path / "out", cap=1200)


def test_a_damaged_archive_and_a_repeated_name_leave_nothing(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a", size=100_000))
    archive.write_bytes(archive.read_bytes()[:-60])
    twice = tar_of(tmp_path / "b.tar.gz", member("a"), member("a"))
    for path in (archive, twice):
        with pytest.raises(TrustError, match="cannot be unpacked"):
            unpack(path, tmp_path / "out")
    assert nothing_else(tmp_path, "a.tar.gz", "b.tar.gz")
