"""Writes train.txt and dev.txt of the sample corpus from grammar.toml. CC0.

    python corpora/sample-text/generate.py

The result is the same on every run. No line of dev is in train.
"""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZES = {"train": 1200, "dev": 120}
SEED = 2024
SLOT = re.compile(r"\{(\w+)\}")


def expanded(text: str, grammar: dict[str, list[str]], chance: random.Random, used: set[str]) -> str:
    """A text with each name in braces replaced; nobody meets himself, and no word of a slot comes twice."""

    def chosen(match: re.Match[str]) -> str:
        options = [option for option in grammar[match[1]] if option not in used or "{" in option]
        option = chance.choice(options or grammar[match[1]])
        used.add(option)
        return expanded(option, grammar, chance, used)

    return SLOT.sub(chosen, text)


def main() -> None:
    """Write both splits."""
    grammar = tomllib.loads((HERE / "grammar.toml").read_text(encoding="utf-8"))
    chance, taken = random.Random(SEED), set[str]()
    for split, size in SIZES.items():
        lines: list[str] = []
        while len(lines) < size:
            line = expanded("{line}", grammar, chance, set())
            if line not in taken:
                taken.add(line)
                lines.append(line)
        (HERE / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
