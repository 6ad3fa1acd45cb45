"""Text files as lines: plain, gz, xz or zip, read in place, UTF-8, in constant memory."""

from __future__ import annotations

import csv
import difflib
import gzip
import lzma
import zipfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from nlpseq.errors import DataError, MissingFileError, did_you_mean

Line = tuple[int, str]  # number from 1, text without its line end
RawLine = tuple[int, bytes | None]  # the same as bytes; None for a line that is too long

_PACKED = {".gz", ".xz", ".zip"}
LONGEST = 64 * 2**20  # bytes in one line; what is longer is no text, or made to fill the memory
csv.field_size_limit(LONGEST)  # for all who use the module: 131,072 characters if nothing is said
_DAMAGED = (EOFError, OSError, RuntimeError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)


def split_member(path: str | Path) -> tuple[Path, str | None]:
    """`"a.zip#b.txt"` -> (`a.zip`, `"b.txt"`); a path that names no member of a zip comes back as it is."""
    name, mark, member = str(path).rpartition("#")
    if mark and name.lower().endswith(".zip"):
        return Path(name), member
    return Path(path), None


def content_name(path: str | Path) -> str:
    """The file name of the text itself: without `.gz`, `.xz` or `.zip`, or the named member's name."""
    outer, member = split_member(path)
    inner = Path(member) if member else outer
    return inner.stem if inner.suffix.lower() in _PACKED else inner.name


def read_lines(path: str | Path) -> Iterator[Line]:
    """Yield (number, text) of each line. A byte order mark is skipped; `\\n` and `\\r\\n` both end a line.

    Raises DataError where the file is missing, damaged, or not UTF-8.
    """
    with open_binary(path) as stream:
        for number, raw in raw_lines(stream, path):
            if raw is None:
                raise DataError(f"A line is longer than {LONGEST // 2**20} MiB; is this text?", path, number)
            yield number, _decoded(raw, path, number)


def raw_lines(stream: IO[bytes], path: str | Path) -> Iterator[RawLine]:
    """Yield (number, bytes) of each line, without the file's byte order mark; None for one longer than LONGEST.

    The rest of such a line is passed over, in constant memory, when the next one is asked for. Raises DataError, in
    which the stream is called `path`, where it cannot be read on, or is UTF-16.
    """
    number = 0
    while raw := _read(stream, path, number + 1):
        number += 1
        if number == 1 and raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            what = "The file is UTF-16; save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW."
            raise DataError(what, path, 1)
        whole = len(raw) < LONGEST or raw.endswith(b"\n")
        bare = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        yield number, bare.removesuffix(b"\n").removesuffix(b"\r") if whole else None
        while not whole:
            rest = _read(stream, path, number)
            whole = not rest or rest.endswith(b"\n")


@contextmanager
def open_binary(path: str | Path) -> Iterator[IO[bytes]]:
    """The unpacked bytes of a file.

    Raises MissingFileError where there is no such file, DataError where it does not open.
    """
    _must_be_file(split_member(path)[0])
    try:
        stream = open_unpacked(path)
    except OSError as error:
        raise DataError(f"The file cannot be opened ({error}).", path) from error
    with stream:
        yield stream


def open_unpacked(path: str | Path) -> IO[bytes]:
    """The unpacked bytes of whatever can be opened, a named pipe too; the caller closes it.

    Raises OSError where it cannot be opened, DataError where it is a damaged zip or one of several files.
    """
    outer, member = split_member(path)
    try:
        return _opened(outer, member)
    except OSError:
        raise
    except _DAMAGED as error:
        raise DataError(f"The file cannot be opened ({error}).", path) from error


def blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Yield runs of lines between blank ones; a line of nothing but white space is blank."""
    block: list[Line] = []
    for line in lines:
        if line[1].strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _opened(outer: Path, member: str | None) -> IO[bytes]:
    suffix = outer.suffix.lower()
    if suffix == ".zip":
        return _zip_member(outer, member)
    if suffix == ".gz":
        return cast(IO[bytes], gzip.open(outer, "rb"))
    if suffix == ".xz":
        return cast(IO[bytes], lzma.open(outer, "rb"))
    return outer.open("rb")


def _zip_member(outer: Path, member: str | None) -> IO[bytes]:
    archive = zipfile.ZipFile(outer)
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if member is None and len(names) != 1:
        some = ", ".join(names[:8])
        what = f"The archive holds {len(names)} files; name one as {outer.name}#MEMBER. It has: {some}"
        raise DataError(what, outer)
    if member is not None and member not in names:
        raise DataError(f"The archive has no member {member!r}. {did_you_mean(member, names)}", outer)
    return archive.open(member or names[0])


def _must_be_file(path: Path) -> None:
    if path.is_file():
        return
    if path.is_dir():
        raise MissingFileError("This is a folder; name a file in it.", path)
    if not path.parent.is_dir():
        raise MissingFileError("There is no such file, nor the folder that it would lie in.", path)
    near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=3)
    hint = f" Near names in its folder: {', '.join(near)}." if near else ""
    raise MissingFileError(f"There is no such file.{hint}", path)


def _read(stream: IO[bytes], path: str | Path, number: int) -> bytes:
    try:
        return stream.readline(LONGEST)
    except _DAMAGED as error:
        raise DataError(f"The file is damaged from here on ({error}).", path, number) from error


def _decoded(raw: bytes, path: str | Path, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"Byte {raw[error.start]:#04x} at {error.start + 1} is not UTF-8; save the file as UTF-8."
        raise DataError(what, path, number) from error
