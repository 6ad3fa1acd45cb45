"""Parallel corpora known by name: which files make a direction, and which of their pairs a split."""

from __future__ import annotations

import hashlib
import heapq
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import msgspec

from nlpseq.corpora.directions import Direction
from nlpseq.corpora.pairs import PairFields, read_pairs
from nlpseq.corpora.registry import Corpus, find_corpus, must_be_for
from nlpseq.errors import DataError, UsageError, did_you_mean
from nlpseq.records import SentencePair

HELD_OUT = 2_000  # English sentences of dev, and as many of test; a tenth where the corpus is small
SHORTEST, LONGEST = 4, 20  # words of a sentence that may be held out
PARTS = ("train", "dev", "test")


def directions(name: str) -> list[Direction]:
    """Every direction that a corpus has. Raises UsageError where there is no such corpus, or it is not parallel."""
    corpus = find_corpus(name)
    must_be_for("translate", name, corpus)
    if corpus.reader == "tatoeba":
        there = [Direction.parse(split) for split in corpus.splits]
        return [*there, *(direction.reverse for direction in there)]
    return [Direction(a, b) for a, b in permutations(corpus.languages, 2)]


def chosen_direction(name: str, wanted: str | Direction | None) -> Direction:
    """The direction that was asked for; else the corpus's own, where it has two languages alone. Raises UsageError."""
    known = directions(name)
    if wanted is None and len(known) == 2:
        return known[0]
    if wanted is None:
        raise UsageError(f"{name} has several languages. Name a direction: {name}@{known[0]}.")
    direction = Direction.parse(wanted) if isinstance(wanted, str) else wanted
    if direction not in known:
        raise UsageError(f"{name} has no direction {direction}. {did_you_mean(str(direction), map(str, known))}")
    return direction


def open_pairs(
    name: str, split: str, direction: str | Direction | None = None, mirror: str | Path | None = None
) -> Iterator[SentencePair]:
    """The pairs of a split; from where, and what is raised, as for `open_corpus`."""
    corpus, chosen = find_corpus(name), chosen_direction(name, direction)
    parts = split_names(corpus)
    if split not in parts:
        raise UsageError(f"The corpus {name} has no split {split!r}. {did_you_mean(split, parts)}")
    files = files_of(name, split, chosen, mirror)
    if corpus.reader == "tatoeba":
        return divided(files[0], split, from_english=chosen.source == "en")
    if corpus.reader == "tsv":
        columns = [str(corpus.languages.index(language) + 1) for language in chosen]
        return read_pairs(files, format="tsv", fields=PairFields(*columns))
    return read_pairs(files, format="lines")


def split_names(corpus: Corpus) -> tuple[str, ...]:
    """The splits of a parallel corpus, whatever files they are made of."""
    if corpus.reader == "tatoeba":
        return PARTS
    return tuple(dict.fromkeys(split.partition(".")[0] for split in corpus.splits))


def files_of(name: str, split: str, direction: Direction, mirror: str | Path | None = None) -> list[Path]:
    """The verified files of a split: one of both sides, or one of each. Raises as `locate` does."""
    from nlpseq.corpora.download import locate

    corpus = find_corpus(name)
    if corpus.reader == "tatoeba":
        key = str(direction) if str(direction) in corpus.splits else str(direction.reverse)
        return [locate(name, key, mirror)]
    if corpus.reader == "tsv":
        return [locate(name, split, mirror)]
    return [locate(name, f"{split}.{language}", mirror) for language in direction]


def divided(path: str | Path, part: str, *, from_english: bool) -> Iterator[SentencePair]:
    """One part of a file of English sentences and their translations, a pair a line.

    It is divided by English sentence, so that no translation of a held-out sentence is trained on: of the sentences of
    4 to 20 words, those with the smallest SHA-256 are dev, those that follow test. `train` has a pair for each line;
    of the others, sentences with all their translations. Towards English, train has no sentence of dev or test on
    either side.
    """
    held = _held_out(path)
    sides = PairFields("1", "2")
    if part != "train":
        every = read_pairs([path], format="tsv", fields=sides)
        chosen = (pair for pair in every if held.get(_key(pair.source)) == (part, pair.source))
        return _joined(chosen if from_english else map(_swapped, chosen))
    banned: set[bytes] = set()
    if not from_english:
        every = read_pairs([path], format="tsv", fields=sides)
        banned = {_key(pair.targets[0]) for pair in every if _key(pair.source) in held}
    kept = (
        pair
        for pair in read_pairs([path], format="tsv", fields=sides)
        if _key(pair.source) not in held and _key(pair.targets[0]) not in banned
    )
    return kept if from_english else map(_swapped, kept)


def _held_out(path: str | Path) -> dict[bytes, tuple[str, str]]:
    """By its key, the part (dev or test) of each English sentence that is held out, and how it is written there.

    Where a sentence is written in several ways, only the first of them is in a part, and none in train.
    """
    written: dict[bytes, str] = {}
    for pair in read_pairs([path], format="tsv", fields=PairFields("1", "2")):
        if SHORTEST <= len(pair.source.split()) <= LONGEST:
            written.setdefault(_key(pair.source), pair.source)
    count = min(HELD_OUT, len(written) // 10)
    smallest = heapq.nsmallest(2 * count, written)
    return {key: ("dev" if index < count else "test", written[key]) for index, key in enumerate(smallest)}


def _key(sentence: str) -> bytes:
    """A digest of a sentence whatever its case, its spacing and the marks at its end."""
    plain = " ".join(unicodedata.normalize("NFKC", sentence).casefold().split()).rstrip(" .!?…\"'»”’")
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def _joined(pairs: Iterator[SentencePair]) -> Iterator[SentencePair]:
    """One pair a source, with all its different targets, in the order in which the sources first come."""
    by_source: dict[str, SentencePair] = {}
    for pair in pairs:
        first = by_source.setdefault(pair.source, pair)
        new = tuple(target for target in pair.targets if target not in first.targets)
        by_source[pair.source] = msgspec.structs.replace(first, targets=first.targets + new)
    return iter(by_source.values())


def _swapped(pair: SentencePair) -> SentencePair:
    return msgspec.structs.replace(pair, source=pair.targets[0], targets=(pair.source,))


def all_files(name: str, direction: Direction, mirror: str | Path | None = None) -> dict[str, Sequence[Path]]:
    """The files of every split that is on this machine. Raises DataError where there is none."""
    found: dict[str, Sequence[Path]] = {}
    for split in split_names(find_corpus(name)):
        try:
            found[split] = files_of(name, split, direction, mirror)
        except DataError as error:
            missing = error
    if not found:
        raise missing
    return found
