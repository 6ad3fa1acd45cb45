"""Inputs that come with their tokens keep the very text that they came with, from the reader to the output."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import threading
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlpseq.cli import inputs
from nlpseq.cli.input_records import Record
from nlpseq.cli.main import app
from nlpseq.corpora import files
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TokenizedText
from tests.taggers import write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp("inputs") / "tiny"))


def tagged(checkpoint: str, given: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["tag", "-c", checkpoint, "-i", "-", *arguments], input=given)
    assert result.exit_code == 0, result.output
    return result.stdout


def row(number: str, form: str, misc: str = "_") -> str:
    return "\t".join([number, form, *"_" * 7, misc]) + "\n"


def values(given: str, tmp_path: Path, input_format: str) -> list[object]:
    path = tmp_path / "input"
    path.write_text(given, encoding="utf-8")
    return [record.value for record in inputs.read(None, str(path), input_format)]


def test_jsonl_tokens_lie_in_the_text_that_came_with_them(tmp_path: Path) -> None:
    given = {"text": " don't  stop\n", "tokens": ["do", "n't", "stop"]}
    expected = TokenizedText(" don't  stop\n", ("do", "n't", "stop"), (1, 3, 8))
    assert values(json.dumps(given), tmp_path, "jsonl") == [expected]


def test_jsonl_tokens_that_are_not_of_the_text_are_joined_by_spaces(tmp_path: Path) -> None:
    given = {"text": "wholly other", "tokens": ["do", "n't"]}
    assert values(json.dumps(given), tmp_path, "jsonl") == [TokenizedText("do n't", ("do", "n't"), (0, 3))]


def test_conllu_words_lie_in_the_text_of_their_sentence(tmp_path: Path) -> None:
    words = row("1-2", "don't") + row("1", "do") + row("2", "n't") + row("3", "stop", "SpaceAfter=No") + row("4", ".")
    given = TokenizedText("don't  stop.", ("do", "n't", "stop", "."), (0, 2, 7, 11))
    assert values("# text = don't  stop.\n" + words, tmp_path, "conllu") == [given]
    spelled = TokenizedText("don't stop.", ("do", "n't", "stop", "."), (0, 2, 6, 10))
    assert values(words, tmp_path, "conllu") == [spelled]
    assert values("# text = of others\n" + words, tmp_path, "conllu") == [spelled]


def test_conllu_words_that_are_not_in_their_range_stand_in_its_place(tmp_path: Path) -> None:
    given = "# text = du vin.\n" + row("1-2", "du") + row("1", "de") + row("2", "le") + row("3", "vin", "SpaceAfter=No")
    expected = TokenizedText("de le vin.", ("de", "le", "vin", "."), (0, 3, 6, 9))
    assert values(given + row("4", "."), tmp_path, "conllu") == [expected]


def test_conllu_out_of_order_is_the_failure_of_its_sentence(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(row("2", "a") + "\n" + row("1", "b"), encoding="utf-8")
    bad, good = inputs.read(None, str(path), "conllu")
    assert bad == Record("", 1, error="Token 2 stands where token 1 is due.")
    assert good.value == TokenizedText("b", ("b",), (0,))


def test_the_answer_is_about_the_text_given(checkpoint: str) -> None:
    given = {"text": "don't stop", "tokens": ["do", "n't", "stop"]}
    found = json.loads(tagged(checkpoint, json.dumps(given), "--input-format", "jsonl"))
    assert found["text"] == "don't stop"
    assert [(t["text"], t["start"], t["end"]) for t in found["tokens"]] == [
        ("do", 0, 2), ("n't", 2, 5), ("stop", 6, 10)
    ]  # fmt: skip


def test_conllu_comes_out_with_its_text_and_its_spaces(checkpoint: str) -> None:
    given = "# text = don't stop.\n" + row("1-2", "don't") + row("1", "do") + row("2", "n't")
    given += row("3", "stop", "SpaceAfter=No") + row("4", ".")
    lines = tagged(checkpoint, given, "--input-format", "conllu", "-f", "conllu").splitlines()
    assert "# text = don't stop." in lines
    words = [line.split("\t") for line in lines if line[:1].isdigit()]
    assert [(columns[1], "SpaceAfter=No" in columns[9]) for columns in words] == [
        ("do", True), ("n't", False), ("stop", True), (".", False)
    ]  # fmt: skip


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of at most 64 bytes, so that a test of the longest line needs no 64 MiB."""
    monkeypatch.setattr(files, "LONGEST", 64)


class Endless:
    """A stream of one line without end, that must be read in pieces and may be left at any time."""

    asked: int = 0

    def readline(self, size: int = -1) -> bytes:
        assert 0 < size <= 64
        self.asked += 1
        return b"x" * size

    def close(self) -> None: ...


@pytest.mark.usefixtures("short_lines")
def test_a_line_that_is_too_long_fails_alone(tmp_path: Path) -> None:
    """The longest that is taken has 64 bytes with its end; ten times as much is passed over in pieces."""
    path = tmp_path / "input.gz"
    path.write_bytes(gzip.compress(b"a" * 63 + b"\n" + b"b" * 64 + b"\n" + b"c" * 640 + b"\nd\n" + b"e" * 640))
    found = list(inputs.read(None, str(path)))
    too_long = "This is longer than 0 MiB. Is it text?"
    assert [(one.value, one.line, one.error) for one in found] == [
        ("a" * 63, 1, ""), ("", 2, too_long), ("", 3, too_long), ("d", 4, ""), ("", 5, too_long)
    ]  # fmt: skip


@pytest.mark.usefixtures("short_lines")
def test_a_line_without_end_is_told_before_it_is_passed_over() -> None:
    stream = Endless()
    assert next(files.raw_lines(stream, "x")) == (1, None)  # type: ignore[arg-type]
    assert stream.asked == 1


@pytest.mark.usefixtures("short_lines")
@pytest.mark.parametrize("long", [row("1", "a") * 5, row("1", "a" * 99)], ids=["many lines", "a long line"])
def test_a_sentence_that_is_too_long_fails_alone(tmp_path: Path, long: str) -> None:
    path = tmp_path / "input"
    path.write_text(row("1", "a") + "\n" + long + "\n" + row("1", "b"), encoding="utf-8")
    first, second, third = inputs.read(None, str(path), "conllu")
    assert (first.error, first.line, third.error, third.line) == ("", 1, "", 4 + long.count("\n"))
    assert second == Record("", 3, error="This is longer than 0 MiB. Is it text?")


@pytest.mark.parametrize("name", ["a", "a.gz", "a.xz", "a.zip", "A.GZ"])
def test_packed_files_are_read_in_place(tmp_path: Path, name: str) -> None:
    path, data = tmp_path / name, b"one\r\ntwo"
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.txt", data)
    else:
        packed = {"gz": gzip.compress, "xz": lzma.compress}.get(name[2:].lower(), bytes)(data)
        path.write_bytes(packed)
    assert list(inputs.read(None, str(path))) == [Record("one", 1), Record("two", 2)]


def test_a_zip_of_several_files_asks_for_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.txt", "b")
        archive.writestr("c.txt", "c")
    with pytest.raises(DataError, match=r"name one as a\.zip#MEMBER"):
        inputs.read(None, str(tmp_path / "a.zip"))
    assert list(inputs.read(None, str(tmp_path / "a.zip#c.txt"))) == [Record("c", 1)]
    (tmp_path / "d.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="cannot be opened"):
        inputs.read(None, str(tmp_path / "d.zip"))
    with pytest.raises(UsageError, match="No such file"):
        inputs.read(None, str(tmp_path / "none.zip"))


@pytest.mark.skipif(os.name == "nt", reason="a POSIX named pipe")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    """As the shell's <(command) gives one."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"a\nb\n",))
    writer.start()
    assert list(inputs.read(None, str(path))) == [Record("a", 1), Record("b", 2)]
    writer.join()


@pytest.mark.parametrize(
    ("given", "source", "key", "meant"),
    [
        ("auto", None, None, "lines"),
        ("auto", "-", None, "lines"),
        ("auto", "notes.txt", None, "lines"),
        ("auto", "my.reviews.jsonl", None, "jsonl"),
        ("auto", "reviews.jsonl.gz", None, "jsonl"),
        ("auto", "reviews.ndjson", None, "jsonl"),
        ("auto", "dev.conllu.xz", None, "conllu"),
        ("auto", "notes.txt", "body", "jsonl"),
        ("auto", None, "text", "jsonl"),
        ("auto", "reviews.csv", "body", "csv"),
        ("auto", "reviews.tsv.gz", "body", "tsv"),
        ("auto", "reviews.csv", None, "lines"),
        ("csv", "reviews.txt", "body", "csv"),
        ("lines", "reviews.jsonl", None, "lines"),
    ],
)
def test_the_format_is_told_by_the_key_or_by_the_name_of_the_file(
    given: str, source: str | None, key: str | None, meant: str
) -> None:
    assert inputs.chosen(given, source, key) == meant


@pytest.mark.parametrize(
    ("texts", "source", "input_format", "text_key", "told"),
    [
        (["The", "weather", "in", "Paris"], None, "auto", None, "4 texts"),
        (["The weather", "in Paris"], None, "auto", None, ""),
        (["Paris"], None, "auto", None, ""),
        (None, "reviews.csv.gz", "auto", None, "each line of reviews.csv.gz"),
        (None, "reviews.csv", "lines", None, ""),
        (None, "reviews.tsv", "auto", "body", ""),
        (None, "reviews.txt", "auto", None, ""),
    ],
)
def test_what_is_most_likely_not_meant_is_told(
    texts: list[str] | None, source: str | None, input_format: str, text_key: str | None, told: str
) -> None:
    found = list(inputs.doubts(texts, source, input_format, text_key))
    assert [told in sentence for sentence in found] == [True] * bool(told)


def test_the_name_of_a_file_as_a_text_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("Dear Ann")
    (told,) = inputs.doubts(["letter.txt"], None, "auto", None)
    assert "-i letter.txt" in told
    for text in ("letter", "See letter.txt", "other.txt", "\0.", "." * 5000, ""):
        assert list(inputs.doubts([text], None, "auto", None)) == []


def test_a_table_with_semicolons_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;Good\n")
    with pytest.raises(UsageError, match=r"no column 'text'\. The columns seem to be divided by ';'"):
        list(inputs.read(None, str(path), "csv"))


@pytest.mark.parametrize("input_format", ["lines", "tokens", "conllu"])
def test_a_key_in_a_format_without_keys_is_refused(input_format: str) -> None:
    with pytest.raises(UsageError, match=f"--text-key body: .* --input-format {input_format} has none"):
        inputs.read(None, "-", input_format, "body")
    assert inputs.chosen("jsonl", "-", "body") == inputs.chosen("auto", "-", "body") == "jsonl"


def test_the_texts_of_a_table_are_those_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfid,Text\r\n1,"Good, and\nlong"\r\n\r\n2,bad\n3,too,many\n4,\xff\n5,"open\n')
    first, second, *failed = inputs.read(None, str(path), "csv")
    assert first == Record("Good, and\nlong", 2, {"id": "1"})
    assert second == Record("bad", 5, {"id": "2"})
    assert [(one.line, one.error.partition(":")[0]) for one in failed] == [
        (6, "3 columns where the first line has 2. A text with commas stands in quotes."),
        (7, "This is not UTF-8"),
        (8, "This is no row of a table"),
    ]


def test_tsv_has_no_quotes_and_long_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('body\tlabel\nsay "no\tx\n' + "a " * 100_000 + "\ty\n", encoding="utf-8")
    assert [record.value for record in inputs.read(None, str(path), "auto", "body")] == ['say "no', "a " * 100_000]


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,body\n1,good\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column 'text'; its columns are id, body"):
        list(inputs.read(None, str(path), "csv"))
    with pytest.raises(UsageError, match="A table cannot be read from TEXT"):
        inputs.read(["a"], None, "csv")


def test_a_heading_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,a, a\ngood,1,2\n", encoding="utf-8")
    with pytest.raises(UsageError, match="several columns 'a'"):
        list(inputs.read(None, str(path), "csv"))


def test_headings_that_cannot_be_read_end_it(tmp_path: Path) -> None:
    """Else the next line would be taken for them."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"t\xffxt\ntext\ngood\n")
    with pytest.raises(UsageError, match="The line of headings, 1: This is not UTF-8"):
        list(inputs.read(None, str(path), "csv"))
