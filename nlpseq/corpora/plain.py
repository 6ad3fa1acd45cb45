"""Plain text, one sentence or paragraph a line: files, folders, archives and corpora by name, streamed.

A text may be larger than memory: nothing but the line at hand is kept, and of the lines gone by at most a bounded set
of digests, by which repetitions are told.
"""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import overload

from nlpseq.corpora.download import locate
from nlpseq.corpora.files import content_name, read_lines
from nlpseq.corpora.registry import find_corpus, open_texts
from nlpseq.corpora.sources import is_file
from nlpseq.errors import DataError, UsageError

SUFFIXES = {".txt", ".text"}  # of what is read in a folder or an archive, packed or not
REMEMBERED = 2_000_000  # digests of lines; beyond, those so far are forgotten, and only nearer repetitions are found
BLOCK = 20  # lines that are held out together, so that the model meets whole passages
HELD_OUT = 100  # blocks held out, at most

TABULAR = {".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".conllu", ".conll", ".iob2"}  # whose lines hold more than text

Opener = Callable[[], Iterator[str]]


class PlainText(Sequence[str]):
    """The lines of some sources, in order, read anew whenever they are gone through.

    White space around a line is cut off and empty lines are left out; with `distinct` also those that came before, as
    far back as is remembered. `chosen` are the blocks (of `block` lines) that this part has, of all; None: all.
    """

    def __init__(
        self,
        sources: Sequence[Opener],
        *,
        distinct: bool,
        chosen: Callable[[int], bool] | None = None,
        block: int = BLOCK,
    ) -> None:
        self.sources, self.distinct, self.chosen, self.block = tuple(sources), distinct, chosen, block
        self._length: int | None = None

    def __iter__(self) -> Iterator[str]:
        """The lines. Raises DataError where a file cannot be read."""
        lines = (line for source in self.sources for line in map(str.strip, source()) if line)
        for number, line in enumerate(_distinct(lines) if self.distinct else lines):
            if self.chosen is None or self.chosen(number // self.block):
                yield line

    def __len__(self) -> int:
        """Number of lines; they are gone through once to count them."""
        if self._length is None:
            self._length = sum(1 for _ in self)
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        """A line, or several: everything before is read again, so going through them is the better way."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        for line in islice(self, index + len(self) if index < 0 else index, None):
            return line
        raise IndexError(index)

    def held_out(self, seed: int) -> tuple[PlainText, list[str]]:
        """The text without some blocks of lines, and the lines of these: a tenth of it, at most 100 blocks of 20.

        Of less than 200 lines blocks are smaller. Raises DataError where the text is too short for that.
        """
        if len(self) < BLOCK:
            every = PlainText(self.sources, distinct=False) if self.distinct else self
            again = f" (of {len(every):,}: repeated lines count once, unless text.distinct=false)"
            raise DataError(
                f"{len(self)} lines of training text{again if len(every) > len(self) else ''} are too few to hold some "
                "out: give --dev FILE."
            )
        size = min(BLOCK, len(self) // 10)
        blocks = -(-len(self) // size)
        held = frozenset(random.Random(seed).sample(range(blocks), min(HELD_OUT, blocks // 10)))
        rest = PlainText(self.sources, distinct=self.distinct, chosen=lambda block: block not in held, block=size)
        return rest, list(PlainText(self.sources, distinct=self.distinct, chosen=held.__contains__, block=size))


def _distinct(lines: Iterable[str]) -> Iterator[str]:
    seen: set[bytes] = set()
    for line in lines:
        key = hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if key not in seen:
            if len(seen) >= REMEMBERED:
                seen.clear()
            seen.add(key)
            yield line


def read_plain(
    specs: Sequence[str], split: str, *, mirror: str | Path | None = None, distinct: bool = False
) -> PlainText:
    """The lines of files, folders, archives, and corpora by name (`NAME`, `NAME:SPLIT`), one after the other.

    `split` is the one that is meant where a corpus is named without one. Raises UsageError for a corpus that is none of
    texts, DataError where there is nothing to be read.
    """
    text = PlainText([source for spec in specs for source in _sources(spec, split, mirror)], distinct=distinct)
    if next(iter(text), None) is None:
        raise DataError("There is no line of text in it.", ", ".join(specs))
    return text


def plain_parts(
    train: Sequence[str], dev: Sequence[str], *, distinct: bool, seed: int, mirror: str | Path | None = None
) -> tuple[PlainText, Sequence[str]]:
    """Training text, which stays on disk, and the lines to choose by: of `dev`, or else held out. Raises as above."""
    text = read_plain(train, "train", mirror=mirror, distinct=distinct)
    return (text, list(read_plain(dev, "dev", mirror=mirror))) if dev else text.held_out(seed)


def not_plain(specs: Iterable[str]) -> list[str]:
    """Those files whose names say that there is more than text in their lines, which are read as they are."""
    return [spec for spec in specs if is_file(spec) and Path(content_name(spec)).suffix.lower() in TABULAR]


def _sources(spec: str, split: str, mirror: str | Path | None) -> list[Opener]:
    if is_file(spec):
        return [_lines_of(path) for path in _files(Path(spec))]
    name, _, own_split = spec.partition(":")
    corpus = find_corpus(name)
    if corpus.task == "sentiment":  # its texts, whatever their labels
        return [lambda: (" ".join(e.text.split()) for e in open_texts(name, own_split or split, mirror))]
    if corpus.task != "lm":
        raise UsageError(f"{name} is a corpus for {corpus.task}, and has no plain text.")
    return [_lines_of(path) for path in _files(locate(name, own_split or split, mirror))]


def _lines_of(path: str | Path) -> Opener:
    return lambda: (line for _, line in read_lines(path))


def _files(path: Path) -> list[str | Path]:
    """The file itself; of a folder, at whatever depth, and of a zip archive, all that are named as texts, by name."""
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        found: list[str | Path] = [file for file in inside if Path(content_name(file)).suffix.lower() in SUFFIXES]
    elif path.suffix.lower() == ".zip" and path.is_file():
        members = _members(path)
        found = [f"{path}#{name}" for name in members if Path(name).suffix.lower() in SUFFIXES or len(members) == 1]
    else:
        return [path]
    if not found:
        raise DataError(f"There is no text in it, that is, no file named {' or '.join(sorted(SUFFIXES))}.", path)
    return found


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            return sorted(name for name in names if not PurePosixPath(name).name.startswith("."))
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"The archive cannot be opened ({error}).", path) from None
