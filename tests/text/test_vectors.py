from __future__ import annotations

from pathlib import Path

import pytest

from nlpseq.errors import DataError
from nlpseq.text.vectors import read_vectors


def read(folder: Path, text: str, limit: int = 10) -> dict[str, list[float]]:
    path = folder / "v.txt"
    path.write_text(text, encoding="utf-8")
    return {word: vector.tolist() for word, vector in read_vectors(path, limit=limit).items()}


def test_a_word_may_have_spaces_in_it(tmp_path: Path) -> None:
    """As some of glove.840B have."""
    text = "2 2\n, 1 2\n. . . 3 4\nat me@example.org 5 6 \n"
    assert read(tmp_path, text) == {",": [1, 2], ". . .": [3, 4], "at me@example.org": [5, 6]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 2\nb 1\n", r":2: 'b' has 1 numbers, where the words before have 2"),
        ("a 1 2\nb 1 2 3\n", r":2: 'b' has 3 numbers"),
        ("a 1 2\nb 1 x\n", r":2: 'b' is followed by something that is no number"),
        ("a 1 2\nb 1 inf\n", r":2: 'b' has a number that is infinite, or none"),
        ("a 1 nan\n", r":1: 'a' has a number that is infinite, or none"),
        ("a 1 1e39\n", r":1: 'a' has a number that is infinite, or none"),
    ],
)
def test_numbers_that_cannot_be_used_are_told_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)
