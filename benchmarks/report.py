"""Writes the tables of docs/performance.md from the results that the other scripts left in benchmarks/results.

    python benchmarks/report.py
    python benchmarks/report.py --check         # exit code 1 where the page does not say what the results do

What stands between the two marks of the page is replaced; what was not measured is not there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.results import as_markdown, read
from harness.scripts import RESULTS, ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured: written by benchmarks/report.py -->", "<!-- end of what was measured -->"
TITLES = {  # in the order of the page
    "tagging": "Tagging",
    "sentiment": "Sentiment",
    "translation": "Translation",
    "training": "Training",
    "cold-start": "Start-up",
    "generation": "Generation",
    "memory": "Memory",
    "scaling": "Threads, batches and lengths",
}


def report(folder: Path) -> str:
    """The sections of all results in a folder, as Markdown; empty where there are none."""
    sections = []
    for name, title in TITLES.items():
        path = folder / f"{name}.json"
        if path.exists():
            sections.append(f"## {title}\n\n{as_markdown(read(path))}")
    return "\n".join(sections)


def filled(page: str, text: str) -> str:
    """The page with the text between its marks. Raises ValueError where it has not both, in their order."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for what was measured: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{text and chr(10) + text + chr(10)}{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    wanted = filled(page, report(RESULTS))
    if given.check:
        sys.exit(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
