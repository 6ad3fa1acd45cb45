from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given

from nlpseq.corpora.convert import TARGETS, convert
from nlpseq.corpora.reading import read_tagging
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TaggedSentence

from .strategies import sentences

FULL = TaggedSentence(
    tokens=("Ada", "'s", "#1"),
    starts=(0, 3, 6),
    text="Ada's #1",
    columns={
        "upos": ("PROPN", "PART", "NUM"),
        "feats": ("_", "_", "NumType=Card"),
        "chunk": ("B-NP", "B-NP", "I-NP"),
        "ner": ("B-PER", "O", "O"),
    },
    sent_id="s",
)


def through(folder: Path, sentence: TaggedSentence, to: str) -> tuple[TaggedSentence, dict[str, int]]:
    path = folder / f"a.{to}"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        report = convert([sentence], out, to)
    assert report.sentences == 1
    (again,) = read_tagging(path)
    return again, report.dropped


@pytest.mark.parametrize(
    ("to", "dropped"),
    [("conllu", {"chunk"}), ("jsonl", set()), ("iob2", {"chunk", "upos", "feats", "text", "sent_id"})],
)
def test_what_is_not_dropped_is_kept(tmp_path: Path, to: str, dropped: set[str]) -> None:
    again, told = through(tmp_path, FULL, to)
    assert set(told) == dropped
    assert again.tokens == FULL.tokens
    assert dict(again.columns) == {name: v for name, v in FULL.columns.items() if name not in dropped}
    assert (again.text == FULL.text) == ("text" not in dropped)


@given(sentence=sentences())
def test_tags_survive_every_target(tmp_path_factory: pytest.TempPathFactory, sentence: TaggedSentence) -> None:
    for to in TARGETS:
        if to == "iob2" and "ner" not in sentence.columns:
            continue
        again, _ = through(tmp_path_factory.mktemp("a"), sentence, to)
        assert again.tokens == sentence.tokens
        assert again.columns.get("ner") == sentence.columns.get("ner")


def test_what_cannot_be_written_is_an_error() -> None:
    plain = TaggedSentence(tokens=("a",), starts=(0,), text="a")
    with pytest.raises(DataError, match="no ner column"):
        convert([plain], io.StringIO(), "iob2")
    odd = TaggedSentence(tokens=("-DOCSTART-",), starts=(0,), text="-DOCSTART-", columns={"ner": ("O",)})
    with pytest.raises(DataError, match="cannot be written in columns"):
        convert([odd], io.StringIO(), "iob2")
    with pytest.raises(UsageError, match="Did you mean 'conllu'"):
        convert([plain], io.StringIO(), "conlu")
