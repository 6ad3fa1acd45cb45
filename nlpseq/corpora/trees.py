"""Stanford sentiment trees, one a line: every phrase has a class from 0 (very negative) to 4 (very positive).

    (3 (2 It) (4 (2 's) (4 fun)))

Socher et al. 2013. The classes give stars 1 to 5, and polarity where they are not 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from nlpseq.corpora.files import read_lines
from nlpseq.errors import DataError
from nlpseq.records import LabelledText

Units = Literal["sentences", "phrases"]

_PART = re.compile(r"\(\s*([0-4])|\)|[^\s()]+|\S")
_WRITTEN = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"'}
_CLITIC = re.compile(r"(?:n't|['’](?:s|m|d|ll|re|ve))\Z", re.IGNORECASE)
_LEFTWARD = frozenset(".,!?;:%)]}") | {"..."}
_RIGHTWARD = frozenset("([{$#")


def read_trees(path: str | Path, *, units: Units = "sentences") -> Iterator[LabelledText]:
    """Yield the sentences of a file of trees, or all its phrases, each distinct one once.

    Raises DataError with path and line for what is no tree.
    """
    seen: set[tuple[str, ...]] = set()
    for number, line in read_lines(path):
        if not line.strip():
            continue
        phrases = _phrases(line, path, number)
        if units == "sentences":
            yield _example(*phrases[-1], path, number)
            continue
        for label, words in reversed(phrases):
            if words not in seen:
                seen.add(words)
                yield _example(label, words, path, number)


def labels_of(label: int) -> dict[str, str]:
    """Both schemes of a class: stars, and polarity where the class has one."""
    stars = {"stars": str(label + 1)}
    return stars if label == 2 else {"polarity": "negative" if label < 2 else "positive", **stars}


def natural(words: Sequence[str]) -> str:
    """Words of the Penn Treebank as people write them: brackets, quotes and slashes restored, clitics joined."""
    text, glue, inside = "", True, False
    for written in words:
        word = _WRITTEN.get(written, written).replace("\\/", "/").replace("\\*", "*")
        left = word in _LEFTWARD or _CLITIC.match(word) is not None
        right = word in _RIGHTWARD
        if word == '"':
            left, right, inside = inside, not inside, not inside
        text += word if glue or left else f" {word}"
        glue = right
    return text


def _phrases(line: str, path: str | Path, number: int) -> list[tuple[int, tuple[str, ...]]]:
    """(class, words) of every phrase of a tree, the whole of it last."""
    words: list[str] = []
    open_: list[tuple[int, int]] = []  # class, and how many words came before
    found: list[tuple[int, tuple[str, ...]]] = []
    for match in _PART.finditer(line):
        part = match[0]
        if match[1] is not None and not (found and not open_):
            open_.append((int(match[1]), len(words)))
        elif part == ")" and open_ and len(words) > open_[-1][1]:
            label, first = open_.pop()
            found.append((label, tuple(words[first:])))
        elif open_ and part[0] not in "()":
            words.append(part)
        else:
            raise DataError(
                f"This is no sentiment tree, such as (3 (2 It) (4 works)): {part!r} is not due.", path, number
            )
    if open_ or not found:
        raise DataError(
            "This is no sentiment tree, such as (3 (2 It) (4 works)): a bracket is not closed.", path, number
        )
    return found


def _example(label: int, words: tuple[str, ...], path: str | Path, number: int) -> LabelledText:
    return LabelledText(text=natural(words), labels=labels_of(label), path=str(path), line=number)
