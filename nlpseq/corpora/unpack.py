"""Archives unpacked with distrust: plain files and folders only, inside the target, up to a size.

Stricter than the standard library's `data` filter: links are refused altogether, and neither owner, mode nor
time is taken over.
"""

from __future__ import annotations

import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from nlpseq.errors import TrustError

_CAP = 4 * 2**30  # bytes unpacked
_MOST = 1_000_000  # members
_CHUNK = 2**20


class _Member(NamedTuple):
    name: str
    stream: IO[bytes] | None  # None for a folder


def unpack(archive: Path, folder: Path, *, cap: int = _CAP) -> Path:
    """Unpack a tar (gz, bz2, xz or plain) or zip archive to `folder`, which must not exist yet; return it.

    Raises TrustError for a member that is a link, a device or outside the folder, for more than `cap` bytes,
    and for a damaged archive; then nothing is left behind.
    """
    if folder.exists():
        raise FileExistsError(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        inside = Path(temporary) / "unpacked"
        inside.mkdir()
        try:
            _write_all(archive, inside, cap)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
            raise TrustError(f"{archive} cannot be unpacked ({error}).") from error
        inside.rename(folder)
    return folder


def _write_all(archive: Path, inside: Path, cap: int) -> None:
    left = cap
    members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
    for count, member in enumerate(members):
        if count == _MOST:
            raise TrustError(f"{archive} has more than {_MOST:,} members.")
        target = inside / _safe(member.name, archive)
        if member.stream is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        left -= _write(member.stream, target, left, archive)


def _write(stream: IO[bytes], target: Path, left: int, archive: Path) -> int:
    """Copy and return the count of bytes; the sizes that an archive claims are not believed."""
    with stream, target.open("xb") as out:
        while chunk := stream.read(_CHUNK):
            if out.tell() + len(chunk) > left:
                raise TrustError(f"{archive} holds more than may be unpacked.")
            out.write(chunk)
        return out.tell()


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            if not (member.isreg() or member.isdir()):
                raise TrustError(f"{archive}: {member.name!r} is a link or a device; such are not unpacked.")
            yield _Member(member.name, tar.extractfile(member) if member.isreg() else None)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
                raise TrustError(f"{archive}: {info.filename!r} is a link or a device; such are not unpacked.")
            yield _Member(info.filename, None if info.is_dir() else zipped.open(info))


def _safe(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    foreign = PureWindowsPath(name)
    if path.is_absolute() or foreign.drive or foreign.root or ".." in path.parts + foreign.parts or "\0" in name:
        raise TrustError(f"{archive}: {name!r} would be written outside its folder.")
    return path
