"""Faults of parallel corpora: what the readers would stop at, and what spoils a training or a measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from nlpseq.corpora.files import read_lines
from nlpseq.corpora.pairs import ApartError, raw_pairs
from nlpseq.corpora.raw import Finding, Severity
from nlpseq.errors import DataError, UsageError
from nlpseq.records import SentencePair

PAIR_CODES: Mapping[str, tuple[Severity, str]] = {
    "file-unreadable": (
        "error",
        "The file is missing, damaged, not UTF-8, or a row of it is broken: reading ends here.",
    ),
    "file-empty": ("error", "The file holds no pair."),
    "files-apart": (
        "error",
        "Parallel files have not the same number of lines; told is where that is likely to begin.",
    ),
    "side-empty": ("error", "A sentence has no translation, or a translation no source."),
    "length-ratio": ("warning", "One side is more than four times as long as usual, compared with the other."),
    "pair-copied": ("warning", "Source and translation are the same."),
    "pair-leaked": ("warning", "A pair of a later split is in an earlier one as well."),
    "source-leaked": ("warning", "A source of a later split is in an earlier one, with another translation."),
    "pair-repeated": ("note", "A pair comes twice in one file."),
}
RATIO = 4.0  # how many times longer than usual is absurd
SHORT = 20  # code points: of shorter sides the ratio says nothing


Reader = Callable[[str, Sequence[str | Path]], Iterator[SentencePair]]


def lint_pairs(
    splits: Mapping[str, Sequence[str | Path]], read: Reader = lambda _, paths: raw_pairs(paths)
) -> Iterator[Finding]:
    """Yield what is wrong with splits of pairs, each one file or parallel ones, the training split first.

    `read` gives the pairs of a split from its files; sides may be empty. Nothing raises DataError. Pairs are compared
    between the splits; memory grows by two keys for each.
    """
    seen: dict[int, tuple[str, str]] = {}  # key of a source, or of a pair -> split, place
    for split, paths in splits.items():
        lengths = _Ratio()
        count = 0
        try:
            for pair in read(split, paths):
                count += 1
                yield from _itself(pair, lengths)
                yield from _before(pair, split, seen)
        except (DataError, UsageError) as error:
            yield _unreadable(error, paths)
            count = -1
        if not count:
            yield _finding(paths[0], 0, "file-empty", "There is no pair in the file.")


def _itself(pair: SentencePair, lengths: _Ratio) -> Iterator[Finding]:
    if not pair.source and any(pair.targets):
        yield _of(pair, "side-empty", "The source is empty.")
    if pair.source and not (pair.targets and all(pair.targets)):
        yield _of(pair, "side-empty", "The translation is empty.")
    for target in filter(None, pair.targets):
        if target == pair.source and any(character.isalpha() for character in target):
            yield _of(pair, "pair-copied", f"Both sides are {target[:60]!r}.")
        if pair.source and lengths.absurd(pair.source, target):
            what = f"{len(pair.source)} code points have become {len(target)}: {target[:60]!r}."
            yield _of(pair, "length-ratio", what)


class _Ratio:
    """How much longer a translation usually is than its source: the geometric mean so far, which starts at 1."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 10  # as if ten of the same length had been seen

    def absurd(self, source: str, target: str) -> bool:
        """Whether a pair is far from what is usual; one that is not is counted."""
        ratio = math.log(len(target) / len(source))
        usual = self.total / self.count
        if abs(ratio - usual) > math.log(RATIO) and max(len(source), len(target)) > SHORT:
            return True
        self.total, self.count = self.total + ratio, self.count + 1
        return False


def _before(pair: SentencePair, split: str, seen: dict[int, tuple[str, str]]) -> Iterator[Finding]:
    """The pair, or its source in another split, somewhere before; whatever the white space."""
    if not pair.source:
        return
    place = f"{pair.path}:{pair.line}"
    source = " ".join(pair.source.split())
    for target in filter(None, pair.targets):
        where, first = seen.setdefault(hash((source, " ".join(target.split()))), (split, place))
        if where != split:
            yield _of(pair, "pair-leaked", f"The same pair is at {first} ({where}).")
        elif first != place:
            yield _of(pair, "pair-repeated", f"The same pair is at {first}.")
        other, first_source = seen.setdefault(hash(source), (split, place))
        if other not in {split, where}:
            yield _of(pair, "source-leaked", f"The same source is at {first_source} ({other}).")


def _unreadable(error: DataError | UsageError, paths: Sequence[str | Path]) -> Finding:
    if isinstance(error, ApartError):
        try:
            return _apart(paths)
        except DataError as worse:  # further on, where nobody had read
            error = worse
    if isinstance(error, DataError):
        return _finding(error.path or paths[0], error.line or 0, "file-unreadable", error.what)
    return _finding(paths[0], 0, "file-unreadable", str(error))


def _apart(paths: Sequence[str | Path]) -> Finding:
    """Where files of different numbers of lines part: where the lengths of their lines stop to agree.

    Lines up to there are compared one to one, those after it from the end; told is the best of all such places, and
    of equals the last.
    """
    lengths = [[len(text.strip()) for _, text in read_lines(path)] for path in paths]
    other = next(index for index in range(1, len(paths)) if len(lengths[index]) != len(lengths[0]))
    sources, targets = lengths[0], lengths[other]
    shorter = min(len(sources), len(targets))
    ahead = list(accumulate(map(_distance, sources, targets), initial=0.0))  # of the first n lines
    back = list(accumulate(map(_distance, reversed(sources), reversed(targets)), initial=0.0))  # of the last n
    place = min(range(shorter + 1), key=lambda n: (ahead[n] + back[shorter - n], -n))
    what = f"{paths[0]} has {len(sources)} lines and {paths[other]} {len(targets)}"
    return _finding(paths[other], place + 1, "files-apart", f"{what}; they seem to run apart near here.")


def _distance(source: int, target: int) -> float:
    """How little two lines look like translations of each other, by their lengths."""
    return abs(math.log((target + 1) / (source + 1)))


def _of(pair: SentencePair, code: str, message: str) -> Finding:
    return _finding(pair.path or "", pair.line or 0, code, message)


def _finding(path: str | Path, line: int, code: str, message: str) -> Finding:
    return Finding(str(path), line, PAIR_CODES[code][0], code, message)
