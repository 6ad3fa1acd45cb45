from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import nlpseq
from nlpseq.cli import main
from nlpseq.cli.main import app
from nlpseq.cli.variables import unknown

HEAVY = ("torch", "spacy", "numpy", "rich", "sentencepiece", "pooch")
PROBE = f"""
import sys
from nlpseq.cli.main import run
try:
    run()
finally:
    print(*sorted(set(sys.modules) & set({HEAVY})), file=sys.stderr)
"""


def every_command() -> list[list[str]]:
    """The words that lead to each command and each group, from the application itself."""
    paths: list[list[str]] = []

    def walk(command: object, path: list[str]) -> None:
        paths.append(path)
        for name, child in getattr(command, "commands", {}).items():
            walk(child, [*path, name])

    walk(typer.main.get_command(app), [])
    return paths


def nlpseq_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, check=False, text=True, timeout=60
    )


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_imports_nothing_heavy(path: list[str], flag: str) -> None:
    result = nlpseq_process(*path, flag)
    assert (result.returncode, result.stderr) == (0, "\n")
    assert result.stdout.startswith(" ".join(["Usage: nlpseq", *path]))


def test_no_summary_of_a_command_is_cut_on_a_terminal_of_80_columns() -> None:
    groups = [path for path in every_command() if any(other[:-1] == path for other in every_command())]
    assert len(groups) > 3
    for path in groups:
        shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, [*path, "--help"]).stdout
        commands = shown.partition("Commands:\n")[2].splitlines()
        assert commands
        assert [line for line in commands if "..." in line] == []


def test_there_is_something_to_walk() -> None:
    assert ["tag"] in every_command()


def test_version() -> None:
    result = nlpseq_process("--version")
    assert (result.returncode, result.stdout) == (0, f"nlpseq {nlpseq.__version__}\n")


@pytest.mark.parametrize("arguments", [["tga"], ["--nope"], ["tag", "--nope"]])
def test_wrong_usage_is_2_and_says_what(arguments: list[str]) -> None:
    result = nlpseq_process(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert arguments[-1] in result.stderr


def test_no_command_shows_the_help() -> None:
    result = nlpseq_process()
    assert "Commands:" in result.stdout + result.stderr


def in_a_shell(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`script`, in which "$@" is the program with `arguments`."""
    program = [sys.executable, "-m", "nlpseq.cli.main", *arguments]
    return subprocess.run(
        ["sh", "-c", script, "sh", *program],
        capture_output=True, check=False, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip


posix = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
CODE = 'echo "code $?" >&2'
FAKE = str(Path(__file__).with_name("fake_cli.py"))


@posix
@pytest.mark.parametrize("arguments", [["corpora", "list"], ["--help"], ["tag", "--help"], ["--version"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_quiet_in_every_command(arguments: list[str], unbuffered: str) -> None:
    """`true` is gone long before the program has started."""
    result = in_a_shell(f'{{ "$@"; {CODE}; }} | true', *arguments, PYTHONUNBUFFERED=unbuffered)
    assert result.stderr == "code 0\n"


@posix
def test_a_closed_pipe_ends_a_conversion_quietly(tmp_path: Path) -> None:
    path = tmp_path / "many.iob2"
    path.write_text("Ann\tB-PER\n\n" * 20_000, encoding="utf-8")  # a megabyte; a pipe holds 64 KiB
    result = in_a_shell(f'{{ "$@"; {CODE}; }} | head -n 1', "corpora", "convert", str(path), "--to", "jsonl")
    assert (result.stdout.count("\n"), result.stderr) == (1, "code 0\n")


@posix
@pytest.mark.parametrize("arguments", [["corpora", "list"], ["--help"], ["--version"]])
def test_a_closed_stdout_is_quiet(arguments: list[str]) -> None:
    result = in_a_shell(f'"$@" >&-; {CODE}', *arguments)
    assert (result.stdout, result.stderr) == ("", "code 0\n")


@posix
def test_tagging_into_a_closed_stdout_is_quiet_and_errors_are_still_told(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    out = tmp_path / "out"
    for script, told in [
        ('"$0" "$1" tag x >&-', "code 0\n"),
        ('"$0" "$1" tag OOV >&-', "error: 1 of 1 inputs failed.\ncode 3\n"),
        ('"$0" "$1" tag x -o "$2" >&-', "code 0\n"),
    ]:
        result = subprocess.run(
            ["sh", "-c", f"{script}; {CODE}", sys.executable, FAKE, str(out)],
            capture_output=True, check=False, text=True, timeout=60, env={**os.environ, "PYTHONPATH": root},
        )  # fmt: skip
        assert (result.stdout, result.stderr) == ("", told)
    assert out.read_text(encoding="utf-8").startswith('{"text":"x"')


@posix
def test_what_comes_out_is_utf8_whatever_the_system_says(tmp_path: Path) -> None:
    path = tmp_path / "bad.iob2"
    path.write_text("漢 字\tO\n", encoding="utf-8")
    result = in_a_shell('"$@"', "corpora", "lint", str(path), PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert "The token '漢 字' holds white space." in result.stdout, result.stderr


@posix
def test_an_error_does_not_go_among_the_results_where_stderr_is_closed() -> None:
    result = in_a_shell('"$@" 2>&-; echo "code $?"', "corpora", "info", "no-such-corpus")
    assert result.stdout == "code 2\n"


def test_an_interrupt_is_quiet_while_the_program_is_imported() -> None:
    script = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'nlpseq.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from nlpseq.cli.start import run\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence() -> None:
    result = in_a_shell(f'"$@" > /dev/full; {CODE}', "corpora", "list")
    assert result.stderr == "error: No space left on device.\ncode 1\n"


ALL = len(main.app.registered_commands)


@pytest.mark.parametrize(
    ("arguments", "built"), [(["tag", "x"], 1), (["train"], 1), (["corpora", "list"], ALL), ([], ALL)]
)
def test_the_command_that_is_asked_for_is_built_alone(arguments: list[str], built: int) -> None:
    assert len(main._asked(arguments).registered_commands) == built
    assert len(main.app.registered_commands) == ALL > 1


def test_a_variable_that_means_nothing_is_told_once() -> None:
    odd = {"NLPSEQ_TREADS": "1", "NLPSEQ_ENCODER__WIDHT": "3", "NLPSEQ_\x1b[31m": "1"}
    fine = {"NLPSEQ_THREADS": "1", "NLPSEQ_LOWERCASE": "0", "NLPSEQ_TEXT__UNIT": "words", "OTHER": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "nlpseq.cli.main", "corpora", "list"],
        capture_output=True, check=True, text=True, timeout=60, env={**os.environ, **odd, **fine},
    )  # fmt: skip
    assert done.stdout.startswith("name\t")
    lines = done.stderr.splitlines()
    assert lines[1:] == [
        "Note: the variable NLPSEQ_ENCODER__WIDHT has no effect. Did you mean NLPSEQ_ENCODER__WIDTH?",
        "Note: the variable NLPSEQ_TREADS has no effect. Did you mean NLPSEQ_THREADS?",
    ]
    assert lines[0].startswith("Note: the variable NLPSEQ_\u241b[31m has no effect. ")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("NLPSEQ_MIRROR", "Did you mean NLPSEQ_CORPORA_MIRROR?"),
        ("NLPSEQ_CORPUS", "Known: NLPSEQ_BATCH_SIZE, "),
        ("NLPSEQ_FORMAT", "Known: NLPSEQ_BATCH_SIZE, "),
        ("NLPSEQ_", "Known: NLPSEQ_BATCH_SIZE, "),
    ],
)
def test_what_all_variables_begin_with_makes_none_near(name: str, hint: str) -> None:
    assert unknown([name])[0].startswith(f"Note: the variable {name} has no effect. {hint}")


def test_every_variable_that_is_read_is_known() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(nlpseq.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"""["']NLPSEQ_[A-Z_]+["']""", sources))
    assert len(read) > 5
    assert unknown(name.strip("\"'") for name in read) == []
