"""Reviews in the layout of aclImdb (Maas et al. 2011): a folder, or the tar archive of it, read in place.

    aclImdb/train/pos/127_9.txt

holds review 127 with 9 of 10 points; `neg` has the bad ones, `unsup` those without a label. Points give stars.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from nlpseq.errors import DataError
from nlpseq.records import LabelledText

Part = Literal["train", "test"]
Tenth = Literal["without", "only"]

_POLARITY = {"pos": "positive", "neg": "negative"}
_NAME = re.compile(r"(?:^|/)(?:(train|test)/)?(pos|neg|unsup)/(\d+)_(\d+)\.txt\Z")
_BREAK = re.compile(r"\s*(?:<br\s*/?>\s*)+", re.IGNORECASE)
_LONGEST = 2**20  # bytes of a review; the longest of IMDb has 14,000
_TENTH_SEED = b"nlpseq 1 "


def read_reviews(
    path: str | Path, *, part: Part = "train", labelled: bool = True, tenth: Tenth | None = None
) -> Iterator[LabelledText]:
    """Yield the reviews of a part, the labelled ones or the others, in the order of folder and number.

    `tenth` leaves out, or gives alone, a tenth of the reviews that is chosen by a hash of their texts, so that no text
    is on both sides. Raises DataError where there are no reviews, or one cannot be read.
    """
    found = False
    for name, raw in _files(Path(path), part, labelled):
        example = _example(name, raw, path)
        found = True
        if tenth is None or in_tenth(example.text) == (tenth == "only"):
            yield example
    if not found:
        kind = "pos and neg" if labelled else "unsup"
        raise DataError(f"It has no reviews such as {part}/pos/127_9.txt (looked for: {kind}).", path)


def stars_of(points: int) -> str:
    """1 to 10 points as 1 to 5 stars: two points a star."""
    return str((points + 1) // 2)


def in_tenth(text: str) -> bool:
    """Whether a text belongs to the tenth that is held out: the last decimal digit of its SHA-256 is 0."""
    digest = hashlib.sha256(_TENTH_SEED + text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest) % 10 == 0


def _files(path: Path, part: str, labelled: bool) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of the files wanted."""
    kinds = ("neg", "pos") if labelled else ("unsup",)
    if path.is_dir():
        top = path / part if (path / part).is_dir() else path
        for kind in kinds:
            for file in sorted((top / kind).glob("*_*.txt"), key=lambda file: (len(file.stem), file.name)):
                if _NAME.search(f"{kind}/{file.name}"):
                    yield f"{kind}/{file.name}", file.read_bytes()[:_LONGEST]
    else:
        yield from _members(path, part, kinds)


def _members(path: Path, part: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """The members in the order of the archive, which is read once from end to end and never unpacked."""
    if not path.is_file():
        raise DataError("There is no such folder or archive.", path)
    try:
        with tarfile.open(path, "r|*") as tar:
            for member in tar:
                match = _NAME.search(member.name)
                if match and member.isreg() and match[1] in {part, None} and match[2] in kinds:
                    stream = tar.extractfile(member)
                    assert stream is not None, "a regular member has content"
                    yield member.name, stream.read(_LONGEST)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"The archive cannot be read ({error}).", path) from error


def _example(name: str, raw: bytes, path: str | Path) -> LabelledText:
    match = _NAME.search(name)
    assert match is not None, "only such names are read"
    try:
        text = _BREAK.sub("\n", raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8: byte {raw[error.start]:#04x} at {error.start + 1}.", path) from error
    labels: dict[str, str] = {}
    if match[2] in _POLARITY:
        points = int(match[4])
        if not 1 <= points <= 10:
            raise DataError(f"{name} names {points} points; there are 1 to 10.", path)
        labels = {"polarity": _POLARITY[match[2]], "stars": stars_of(points)}
    return LabelledText(text=text.strip(), labels=labels, text_id=name, path=str(path))
