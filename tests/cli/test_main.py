from __future__ import annotations

import subprocess
import sys

import pytest
import typer

import nlpseq
from nlpseq.cli.main import app

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
