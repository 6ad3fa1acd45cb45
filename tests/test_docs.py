"""What the README and the docs tell a reader to type is typed here."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nlpseq.config import build
from nlpseq.manifest import shipped_checkpoints
from nlpseq.tasks.tagging import TaggingConfig

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECONDS = re.compile(r"--time-limit \d+s")
CONTINUED = re.findall(  # what the README types and shows the answer to is run where the answer is compared
    r"^\$ nlpseq (generate .*)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)
BLOCK = re.compile(r"^(?:<!-- (not run: [^\n]+) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a page that are in `language`, but for those marked as not to be run."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [code for skipped, kind, code in found if kind == language and not skipped]


def environment(folder: Path) -> dict[str, str]:
    """Where `nlpseq` is a command, on one thread, with nothing kept outside `folder`."""
    command = folder / "bin" / "nlpseq"
    command.parent.mkdir(exist_ok=True)  # a page may have several blocks
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m nlpseq.cli.main "$@"\n')
    command.chmod(0o755)
    own = {"PATH": f"{command.parent}:{os.environ['PATH']}", "NLPSEQ_CACHE": str(folder / "cache")}
    once = {"NLPSEQ_TRAINING__EPOCHS": "1"}  # of every training; flags come before it
    return {**os.environ, **own, **once, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page(page: Path, tmp_path: Path) -> None:
    """Every line behind `$` ends well, in the order of the page, in one folder; training is cut short."""
    where = environment(tmp_path)
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ ") and line[2:].removeprefix("nlpseq ") not in CONTINUED:
                typed = SECONDS.sub("--time-limit 1s", line[2:])
                done = subprocess.run(
                    typed, shell=True, cwd=tmp_path, env=where, capture_output=True, text=True, timeout=240
                )
                assert done.returncode == 0, f"{page.name}: {line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_of_a_page(page: Path, tmp_path: Path) -> None:
    for code in blocks(page, "python"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), "an example shows something"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_of_a_page(page: Path) -> None:
    for code in blocks(page, "toml"):
        values = tomllib.loads(code)
        values.pop("data", None)
        build(TaggingConfig, values)


def test_the_pages_have_commands() -> None:
    """Otherwise the tests above would hold for a pattern that finds nothing."""
    readme = "".join(blocks(ROOT / "README.md", "console"))
    assert readme.count("$ nlpseq") >= 8
    assert blocks(ROOT / "README.md", "python")


def test_sizes_are_those_of_the_checkpoints() -> None:
    """As `nlpseq checkpoints list` has them, of whole folders; the rounded range is in the first lines."""
    folders = shipped_checkpoints().values()
    sizes = [sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6 for folder in folders]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"(\d+\.\d) MB", readme)
    assert len(told) >= 4
    assert set(told) == {f"{size:.1f}" for size in sizes}
    assert f"checkpoints of {min(sizes):.0f} to {max(sizes):.0f} MB" in readme


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in readme] == []


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("place", "commands"),
    [
        (0, ['tag -f rich "Sumesh worked at Cisco in Bengaluru"']),
        (1, ['sentiment --explain -f text "The plot is thin, but I could not stop watching."']),
        (2, CONTINUED),
    ],
)
def test_the_readme_shows_what_the_commands_show(tmp_path: Path, place: int, commands: list[str]) -> None:
    where = environment(tmp_path) | {"NO_COLOR": "1", "COLUMNS": "80"}
    shown = blocks(ROOT / "README.md", "text")[place]
    found: list[str] = []
    for typed in map(shlex.split, commands):
        done = subprocess.run(["nlpseq", *typed], env=where, capture_output=True, text=True, timeout=60, check=True)
        found += [line.rstrip() for line in done.stdout.strip().splitlines()]
    assert found == shown.strip().splitlines()
