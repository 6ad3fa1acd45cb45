from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from nlpseq.corpora.reading import detect_format, read_tagging
from nlpseq.errors import UsageError

CONLLU = "# sent_id = 1\n1\ta\t_\tX\t_\t_\t_\t_\t_\tNER=B-P\n"
COLUMNS = "a\tB-P\n"
JSONL = '{"tokens": ["a"], "ner": ["B-P"]}\n'
UNER = "# sent_id = 1\n1\ta\tB-P\t-\tx\n"


@pytest.mark.parametrize("name", ["x", "x.txt", "x.conll", "x.gz"])
@pytest.mark.parametrize(
    ("text", "format"),
    [
        (CONLLU, "conllu"),
        (COLUMNS, "columns"),
        (JSONL, "jsonl"),
        (JSONL.replace("{", "{ "), "jsonl"),
        (UNER, "columns"),
    ],
)
def test_the_content_decides_where_the_suffix_does_not(tmp_path: Path, name: str, text: str, format: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    assert detect_format(path) == format
    (sentence,) = read_tagging(path)
    assert (sentence.tokens, sentence.columns["ner"], sentence.path) == (("a",), ("B-P",), str(path))


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train.conllu", CONLLU)
        archive.writestr("dev.jsonl", JSONL)
    for member in ("train.conllu", "dev.jsonl"):
        (sentence,) = read_tagging(f"{tmp_path / 'a.zip'}#{member}")
        assert sentence.tokens == ("a",)


def test_an_empty_file_has_no_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n")
    assert list(read_tagging(tmp_path / "a.txt")) == []


def test_options_that_do_not_fit_are_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(COLUMNS)
    with pytest.raises(UsageError, match="Did you mean 'conllu'"):
        list(read_tagging(tmp_path / "a.txt", format="conlu"))
    with pytest.raises(UsageError, match="for the format columns only"):
        list(read_tagging(tmp_path / "a.txt", format="jsonl", columns=("token", "ner")))


def test_a_bracket_may_be_a_token(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{ O\n")
    assert detect_format(tmp_path / "x") == "columns"
