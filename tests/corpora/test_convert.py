from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given

from nlpseq.corpora.convert import TARGETS, convert, convert_file
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


TREE = """\
# newdoc id = d
# sent_id = s
# text = She didn't see Ada.
1\tShe\tshe\tPRON\tPRP\tCase=Nom\t4\tnsubj\t4:nsubj\tId=7
2-3\tdidn't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdid\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\taux\t_\t_
3.1\tever\t_\t_\t_\t_\t_\t_\t_\t_
4\tsee\tsee\tVERB\tVB\t_\t0\troot\t_\t_
5\tAda\tAda\tPROPN\tNNP\t_\t4\tobj\t_\tNER=B-PER|SpaceAfter=No
6\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_

"""


def converted(path: Path, to: str, label_map: dict[str, str]) -> tuple[str, dict[str, int], list[str]]:
    out = io.StringIO()
    report = convert_file(path, read_tagging(path), out, format="conllu", to=to, label_map=label_map)
    assert report.sentences == 1
    return out.getvalue(), report.dropped, report.unmet


def test_a_treebank_keeps_all_but_what_is_renamed(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(TREE, encoding="utf-8")
    assert converted(path, "conllu", {}) == (TREE, {}, [])
    assert converted(path, "conllu", {"PER": "P", "ORG": "X"}) == (TREE.replace("B-PER", "B-P"), {}, ["ORG"])
    assert converted(path, "conllu", {"PER": "O"})[0] == TREE.replace("B-PER", "O")
    with pytest.raises(DataError, match=r"a\.conllu:10: .*divided by \|"):
        converted(path, "conllu", {"PER": "A|B"})


def test_what_is_lost_of_a_treebank_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(TREE.replace("see Ada", "see Adas"), encoding="utf-8")
    text, dropped, _ = converted(path, "jsonl", {"PER": "P"})
    assert '"B-P"' in text
    assert dropped.keys() == {
        "heads",
        "relations",
        "enhanced relations",
        "MISC but NER and SpaceAfter",
        "comments but text and sent_id",
        "multiword tokens",
        "empty nodes",
        "text that the tokens do not spell",
        "xpos with gaps",
    }
