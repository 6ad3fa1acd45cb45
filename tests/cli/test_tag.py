from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlpseq.cli.main import app
from tests.taggers import write_checkpoint

FAKE = [sys.executable, str(Path(__file__).with_name("fake_cli.py"))]
ROOT = Path(__file__).parents[2]


def nlpseq(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The whole program in a process of its own, over the fake tagger, with stdin closed unless given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NLPSEQ_")}
    return subprocess.run(
        [*FAKE, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin or b"",
        capture_output=True,
        check=False,
        timeout=60,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
    )


def objects(result: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def test_a_text_gives_one_object_in_a_pipe() -> None:
    result = nlpseq("tag", "Sumesh worked")
    assert (result.returncode, result.stderr) == (0, b"")
    (found,) = objects(result)
    assert found["text"] == "Sumesh worked"
    assert found["entities"] == [{"text": "Sumesh", "label": "PER", "start": 0, "end": 6, "score": 0.9877}]


def test_stdin_is_answered_line_by_line_in_order() -> None:
    lines = [f"line {n}" if n % 3 else "" for n in range(100)]
    result = nlpseq("tag", stdin="\n".join(lines) + "\n")
    assert [found["text"] for found in objects(result)] == lines


def test_a_dash_alone_is_stdin() -> None:
    assert [one["text"] for one in objects(nlpseq("tag", "-", stdin="a\nb\n"))] == ["a", "b"]
    assert [one["text"] for one in objects(nlpseq("tag", "-", "x", stdin="a\n"))] == ["-", "x"]


def test_failures_stand_in_their_place_and_end_in_3() -> None:
    result = nlpseq("tag", stdin=b"a\n\xff\nOOV\nb\n")
    assert result.returncode == 3
    assert [found.get("line") for found in objects(result)] == [None, 2, 3, None]
    assert result.stderr == b"error: 2 of 4 inputs failed.\n"


def test_failures_in_other_formats_are_told_on_stderr() -> None:
    result = nlpseq("tag", "-f", "text", stdin="a\nOOV\nB\n")
    assert (result.returncode, result.stdout) == (3, b"a\n\n[B PER]\n")
    assert result.stderr.splitlines()[0] == b"error: line 2: The word OOV is not welcome."


def test_strict_stops_at_the_first() -> None:
    result = nlpseq("tag", "--strict", stdin="a\nOOV\nb\n")
    assert result.returncode == 3
    assert [found["text"] for found in objects(result)] == ["a"]
    assert result.stderr == b"error: line 2: The word OOV is not welcome.\n"


@pytest.mark.parametrize(("strict", "written"), [(False, True), (True, False)])
def test_an_output_file_is_whole_or_not_there(tmp_path: Path, strict: bool, written: bool) -> None:
    arguments = ["tag", "-o", str(tmp_path / "out"), *(["--strict"] if strict else [])]
    assert nlpseq(*arguments, stdin="a\nOOV\nb\n").returncode == 3
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if written else [])
    if written:
        assert len((tmp_path / "out").read_text().splitlines()) == 3


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_terminated_command_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    command = [*FAKE, "tag", "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"a\n")
        process.stdin.flush()
        began = time.monotonic()
        while not list(tmp_path.iterdir()) and time.monotonic() - began < 30:
            time.sleep(0.02)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
        process.terminate()
        assert process.wait(timeout=30) == 143
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="a system without /dev/stdout")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-"])
def test_stdout_by_name_is_written_on_and_not_replaced(tmp_path: Path, name: str) -> None:
    """Where it leads to a file, that has what was there before, and what others write after."""
    path = tmp_path / "log"
    path.write_text("before\n")
    with path.open("a") as log:
        for word in ("a", "b"):
            subprocess.run([*FAKE, "tag", "-f", "text", "-o", name, word], stdout=log, check=True, cwd=ROOT)
    assert path.read_text() == "before\na\nb\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tag", "-c", "missing", "x"], 2, "error: There is no checkpoint 'missing'."),
        (["tag", "-c", "sentiment-en", "x"], 2, "was trained for sentiment, not for tag."),
        (["tag", "-f", "xml", "x"], 2, "'xml'"),
        (["tag", "--threads", "0", "x"], 2, "--threads"),
        (["tag", "-i", "a", "x"], 2, "error: TEXT and -i were both given."),
        (["tag", "-i", "a", "--input", "b"], 2, "was given 2 times. Give one."),
        (["tag", "--strict", "--strict", "-o", "/dev/fd/77", "x"], 2, "-o /dev/fd/77 cannot be written: Bad file"),
        (["tag", "-i", "no-such-file"], 2, "error: no-such-file cannot be read: No such file"),
        (["tag", "CRASH"], 1, "error: RuntimeError: boom \u241b[31m"),
        (["tag", "INTERRUPT"], 130, ""),
    ],
)
def test_exit_codes_come_with_a_sentence_and_no_traceback(arguments: list[str], code: int, message: str) -> None:
    result = nlpseq(*arguments)
    error = result.stderr.decode()
    assert (result.returncode, result.stdout) == (code, b"")
    assert message in error
    assert "Traceback" not in error


def test_a_device_that_is_not_there_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    folder = write_checkpoint(tmp_path / "tiny")
    result = CliRunner().invoke(app, ["tag", "-c", str(folder), "--device", "cuda", "x"])
    assert result.exit_code == 2
    assert "The device 'cuda' is not available" in result.stderr


def test_debugging_shows_where() -> None:
    assert b"Traceback" in nlpseq("tag", "CRASH", NLPSEQ_DEBUG="1").stderr
    assert b"Traceback" in nlpseq("tag", "-c", "missing", "x", NLPSEQ_DEBUG="1").stderr


def test_a_flag_wins_over_its_variable_and_that_over_the_default() -> None:
    assert nlpseq("tag", "x", NLPSEQ_CHECKPOINT="missing").returncode == 2
    assert nlpseq("tag", "-c", "tag-en", "x", NLPSEQ_CHECKPOINT="missing").returncode == 0
    assert b"NLPSEQ_THREADS" in nlpseq("tag", "x", NLPSEQ_THREADS="none").stderr


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
@pytest.mark.parametrize("lines", [1, 50_000])
def test_a_closed_pipe_is_quiet(lines: int) -> None:
    command = f'seq 1 {lines} | {{ "$@" tag; echo "code $?" >&2; }} | head -n 1'
    result = subprocess.run(
        ["sh", "-c", command, "sh", *FAKE],
        capture_output=True, check=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.count(b"\n") == 1
    assert result.stderr == b"code 0\n"


def test_an_argument_that_is_no_utf8_fails_alone() -> None:
    if os.name == "nt" or sys.platform == "darwin":
        pytest.skip("arguments are text there")
    result = subprocess.run(
        [*FAKE, "tag", b"caf\xe9", "ok"],
        capture_output=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.returncode == 3
    told = objects(result)[0]
    assert told["line"] == 1
    assert told["error"].startswith("This is not UTF-8: byte 0xe9 at position 4. ")


def test_answers_do_not_take_the_place_of_the_inputs(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"M\xfcller\n")
    for output in (path, tmp_path / "." / "mine.txt"):
        result = subprocess.run(
            [*FAKE, "tag", "-i", path, "-o", output],
            capture_output=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert result.returncode == 2
        assert b"is the file that is read" in result.stderr
        assert path.read_bytes() == b"M\xfcller\n"


def test_output_is_utf8_whatever_the_locale() -> None:
    result = nlpseq("tag", "-f", "text", "漢字 😀", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert result.stdout.decode() == "漢字 😀\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_on_a_terminal_typed_lines_are_answered_at_once_and_nothing_given_shows_help() -> None:
    import pty
    import select

    here, there = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen([*FAKE, "tag", "-i", "-"], stdin=there, stdout=there, stderr=there, env=environment)
    os.write(here, b"Ann sees\n")
    screen = b""
    while b"sees" not in screen.partition(b"Conf.")[2]:  # the table, while the input is still open
        if not select.select([here], [], [], 20)[0]:  # a hundred times what it takes
            process.kill()
            pytest.fail(f"no answer while the input is open: {screen!r}")
        screen += os.read(here, 4096)
    assert b"[Ann PER]\x1b[0m sees" in screen
    os.write(here, b"\x04")
    assert process.wait(timeout=60) == 0
    result = subprocess.run([*FAKE, "tag"], stdin=there, capture_output=True, check=False, env=environment)
    assert result.returncode == 0
    assert result.stdout.startswith(b"Usage: nlpseq tag")
