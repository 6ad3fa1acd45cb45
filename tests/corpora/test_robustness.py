"""Whatever bytes a file holds, a reader says what is wrong in a DataError, and the linter raises nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlpseq.corpora.lint import lint
from nlpseq.corpora.reading import READERS, read_tagging
from nlpseq.errors import DataError

from .strategies import offsets_hold

FRAGMENTS = [
    *("1", "2", "3", "1-2", "3-2", "2.1", "9" * 5000, "_", "\t", "\n", "\r", " ", "a", "é", "\u2028", "\ufeff"),
    *("B-PER", "I-LOC", "O", "B-O", "B-", "NER=I-PER", "SpaceAfter=No", "# text = a b", "# sent_id = s", "#"),
    *('{"text": "a b"', '"entities": [{"start": 0, "end": 1, "label": "X"}]', '{"tokens": ["a"]', '"ner": ["O"]'),
    *(", ", "}", "\\ud800", "[" * 3000, "-DOCSTART-", "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", "1\ta\tB-X\n"),
]
contents = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join).map(str.encode) | st.binary(max_size=60)


def cut(text: str) -> tuple[list[str], list[int]]:
    return [match[0] for match in re.finditer(r"\S+", text)], [match.start() for match in re.finditer(r"\S+", text)]


@pytest.mark.parametrize("format", [*READERS, None])
@settings(max_examples=150, deadline=None)
@given(content=contents)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, format: str | None, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    complaint = str(path)
    try:
        for sentence in read_tagging(path, format=format, tokenize=cut):
            assert offsets_hold(sentence)
            assert all(len(labels) == len(sentence.tokens) for labels in sentence.columns.values())
    except DataError as error:
        complaint = str(error)
    assert str(path) in complaint  # an error names the file
    list(lint({"train": path}, format=format))
