from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import fake_cli
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.cli import inputs, streams
from nlpseq.cli.input_records import Record
from nlpseq.errors import DataError, UsageError
from nlpseq.records import Failure, TagPrediction, TokenizedText
from nlpseq.render.answer import Answer


def records(data: bytes, tmp_path: Path, input_format: str = "lines", text_key: str | None = None) -> list[Record]:
    path = tmp_path / "input"
    path.write_bytes(data)
    return list(inputs.read(None, str(path), input_format, text_key))


def test_lines_stay_aligned_and_only_their_ends_are_cut(tmp_path: Path) -> None:
    found = records(b"\xef\xbb\xbfone \r\n\n\x0btwo\xe2\x80\xa8still\n three", tmp_path)
    assert found == [
        Record("one ", 1), Record("", 2), Record("\x0btwo\u2028still", 3), Record(" three", 4)
    ]  # fmt: skip


def test_bytes_that_are_no_utf8_are_the_failure_of_their_line(tmp_path: Path) -> None:
    good, bad, after = records(b"a\nb\xff\nc\n", tmp_path)
    assert (good.value, bad.value, after.value) == ("a", "", "c")
    assert bad.error.startswith("This is not UTF-8: byte 0xff at position 2. ")
    assert bad.line == 2


def test_tokens(tmp_path: Path) -> None:
    assert records(b" New  York\n\n", tmp_path, "tokens") == [Record(("New", "York"), 1), Record((), 2)]


def test_jsonl_passes_unknown_keys_as_they_were_written(tmp_path: Path) -> None:
    (record,) = records(b'\n{"body": "a", "n": 1e999, "text": "b"}\n', tmp_path, "jsonl", "body")
    assert (record.value, record.line) == ("a", 2)
    assert record.extra == {"n": msgspec.Raw(b"1e999"), "text": msgspec.Raw(b'"b"')}


def test_jsonl_takes_string_tokens_before_the_text(tmp_path: Path) -> None:
    ours = b'{"text": "a b", "tokens": [{"text": "a"}]}'  # our own output, given back
    first, second = records(b'{"text": 3, "tokens": ["a", "b c"]}\n' + ours, tmp_path, "jsonl")
    assert (first.value, second.value) == (("a", "b c"), "a b")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"[1]", "not a JSON object: Expected `object`"),
        (b'{"text": ', "not a JSON object"),
        (b"id\ttext", "say --input-format csv, or tsv."),
        (b'{"text": 3}', '"text" is not a string'),
        (b'{"tokens": "a b"}', '"tokens" is not a list of strings'),
        (b'{"t": "a"}', 'no key "text". Name the key of the text with --text-key.'),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'{"x": ' + b"[" * 100_000, "not a JSON object"),
    ],
)
def test_jsonl_failures_are_sentences(tmp_path: Path, line: bytes, error: str) -> None:
    (record,) = records(line, tmp_path, "jsonl")
    assert error in record.error
    assert record.error.endswith(".")


def test_jsonl_half_an_emoji_is_one_replacement_character(tmp_path: Path) -> None:
    line = r'{"text": "\ud83dx \uD83D\uDE00 \\ud83d", "id": "\udc00"}'
    (record,) = records(line.encode(), tmp_path, "jsonl")
    assert record.value == "\ufffdx \U0001f600 \\ud83d"
    assert record.extra == {"id": msgspec.Raw(rb'"\ufffd"')}


def test_conllu_gives_words_without_ranges_and_empty_nodes(tmp_path: Path) -> None:
    def row(number: str, form: str) -> str:
        return "\t".join([number, form, *"_" * 8]) + "\n"

    first = "# sent_id = a-1\n# text = dont\n" + row("1-2", "dont") + row("1", "do") + row("2", "nt")
    second = row("1", "New York") + row("1.1", "is")
    broken = "# sent_id = x\n" + row("1", "ok") + "1\tshort\n"
    found = records((first + "\n\n" + second + "\n" + broken).encode(), tmp_path, "conllu")
    assert found[0] == Record(TokenizedText("dont", ("do", "nt"), (0, 2)), 1, {"sent_id": "a-1"})
    assert found[1] == Record(TokenizedText("New York", ("New York",), (0,)), 8)
    assert found[2] == Record("", 13, error="2 columns where CoNLL-U has 10, divided by tabs.")


def test_gzip_is_read_in_place_and_a_cut_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "input.gz"
    path.write_bytes(gzip.compress(os.urandom(10_000).hex().encode() + b"\nb\n"))
    assert [record.line for record in inputs.read(None, str(path))] == [1, 2]
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"input\.gz:.*damaged from here on"):
        list(inputs.read(None, str(path)))


def test_wrong_inputs_are_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one way"):
        inputs.read(["a"], "file")
    with pytest.raises(UsageError, match="No such file"):
        inputs.read(None, str(tmp_path / "none"))
    with pytest.raises(UsageError, match="directory"):
        inputs.read(None, str(tmp_path))
    with pytest.raises(UsageError, match="CoNLL-U"):
        inputs.read(["a"], None, "conllu")


@given(st.lists(st.sampled_from(["Ann", "b", "OOV", "", None]), max_size=40), st.integers(1, 9))
def test_every_record_gets_its_own_answer(words: list[str | None], batch_size: int) -> None:
    given_records = [
        Record(word or "", line, {"id": line}, "" if word is not None else "unreadable")
        for line, word in enumerate(words, 1)
    ]
    found = list(streams.in_step(fake_cli.FakeTagger(), given_records, batch_size))
    assert [answer.extra for answer in found] == [{"id": line} for line in range(1, len(words) + 1)]
    for line, (word, (prediction, _)) in enumerate(zip(words, found, strict=True), 1):
        if word in {"OOV", None}:
            assert isinstance(prediction, Failure)
            assert prediction.line == line
            assert prediction.error == ("unreadable" if word is None else "The word OOV is not welcome.")
        else:
            assert isinstance(prediction, TagPrediction)
            assert prediction.text == word


def test_reading_ahead_is_bounded_by_the_batch() -> None:
    taken = 0

    def endless() -> Iterator[Record]:
        nonlocal taken
        while True:
            taken += 1
            yield Record("", taken, error="unreadable") if taken % 2 else Record("a", taken)

    answers = streams.in_step(fake_cli.FakeTagger(), endless(), batch_size=4)
    for number in range(1, 1000):
        next(answers)
        assert taken - number < 4  # the rest of one batch, and nothing more


def failures(*lines: int) -> Iterator[Answer]:
    return (Answer(Failure("No.", line)) for line in lines)


def test_failures_are_counted_told_and_strict_stops_at_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    tally = streams.Tally()
    assert len(list(streams.counted(failures(3, 5), tally, strict=False, quiet=False))) == 2
    assert (tally.total, tally.failed) == (2, 2)
    assert capsys.readouterr().err == "error: line 3: No.\nerror: line 5: No.\n"
    answers = streams.counted(failures(3, 5), tally, strict=True, quiet=True)
    with pytest.raises(streams.RecordError, match=r"line 3: No\."):
        next(answers)


def test_an_error_cannot_play_tricks_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    streams.complain("file \x1b[2Jname")
    assert capsys.readouterr().err == "error: file \u241b[2Jname\n"


class CountingFlushes(io.StringIO):
    seen: list[str]

    def flush(self) -> None:
        self.seen = [*getattr(self, "seen", []), self.getvalue()]


def test_with_flush_each_chunk_is_seen_at_once() -> None:
    out = CountingFlushes()
    streams.write(["a", "b"], out, flush=True)
    assert out.seen == ["a", "ab"]


def test_a_file_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), streams.output(path) as out:  # noqa: PT012
        out.write("half")
        out.flush()
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]
    assert path.read_text() == "old"
    with streams.output(path) as out:
        out.write("é\ud800\n")
        assert path.read_text() == "old"
    assert path.read_bytes() == "é?\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_a_replaced_file_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "real", tmp_path / "link"
    with streams.output(path) as out:
        out.write("new")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o600)
    link.symlink_to(path)
    with streams.output(link) as out:
        out.write("newer")
    assert link.is_symlink()
    assert path.read_text() == "newer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with streams.output(Path(os.devnull)) as out:
        out.write("gone")
    assert not Path(os.devnull).is_file()


def test_an_output_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"), streams.output(tmp_path):
        pass
    with pytest.raises(UsageError, match="cannot be written"), streams.output(tmp_path / "none" / "x"):
        pass
