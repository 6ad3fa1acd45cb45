from __future__ import annotations

import random
from pathlib import Path

import pytest

from nlpseq.corpora.lint_pairs import PAIR_CODES, lint_pairs
from nlpseq.corpora.pairs import grouped
from nlpseq.shipped import shipped_folder

# code -> files in order (each split one TSV, or two parallel files), and the line of the only finding
BAD: dict[str, tuple[dict[str, str], int]] = {
    "file-unreadable": ({"a.tsv": "a\tb\nc\n"}, 2),
    "file-empty": ({"a.tsv": "\n"}, 0),
    "files-apart": ({"a.en": "a\n", "a.fr": "b\nc\n"}, 2),
    "side-empty": ({"a.tsv": "a\tb\n\td\n"}, 2),
    "length-ratio": ({"a.tsv": "a\tb\nc\t" + "d" * 50 + "\n"}, 2),
    "pair-copied": ({"a.tsv": "a\tb\nsame\tsame\n12\t12\n"}, 2),
    "pair-leaked": ({"a.tsv": "a\tb\n", "b.tsv": "c\td\na\t b\n"}, 2),
    "source-leaked": ({"a.tsv": "a\tb\n", "b.tsv": "c\td\na\te\n"}, 2),
    "pair-repeated": ({"a.tsv": "a\tb\na\tb\n"}, 2),
}


def test_every_code_has_its_bad_file() -> None:
    assert set(BAD) == set(PAIR_CODES)


@pytest.mark.parametrize("code", PAIR_CODES)
def test_a_bad_file_is_found_out_once_and_nothing_else_is_said(tmp_path: Path, code: str) -> None:
    files, line = BAD[code]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    groups = {group[0]: group for group in grouped([str(tmp_path / name) for name in files])}
    (found,) = lint_pairs(groups)
    assert (found.code, found.line, found.severity) == (code, line, PAIR_CODES[code][0])
    assert found.path == str(tmp_path / list(files)[-1])
    assert found.message.endswith(".")


@pytest.mark.parametrize("missing", ["en", "fr"])
def test_it_says_where_files_run_apart(tmp_path: Path, missing: str) -> None:
    """One line of a thousand is missing; lengths of translations agree within a tenth, those of strangers do not."""
    chance = random.Random(1)
    lengths = [chance.randint(10, 100) for _ in range(1000)]
    for name in ("en", "fr"):
        lines = ["x" * round(length * chance.uniform(0.95, 1.05)) for length in lengths]
        if name == missing:
            del lines[600]
        (tmp_path / f"a.{name}").write_text("\n".join(lines) + "\n")
    paths = [tmp_path / "a.en", tmp_path / "a.fr"]
    found = [finding for finding in lint_pairs({"a": paths}) if finding.code == "files-apart"]
    assert [abs(finding.line - 601) <= 2 for finding in found] == [True]


def test_what_is_damaged_behind_the_end_of_the_other_file_is_told_and_the_next_pair_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.en").write_bytes(b"one line\n")
    (tmp_path / "x.fr").write_bytes(b"une ligne\ndeux\n\xff\xfe\n")
    (tmp_path / "y.en").write_bytes(b"one\n")
    (tmp_path / "y.fr").write_bytes(b"\n")
    groups = {name: [tmp_path / f"{name}.en", tmp_path / f"{name}.fr"] for name in "xy"}
    assert [(f.code, f.line) for f in lint_pairs(groups)] == [("file-unreadable", 3), ("side-empty", 1)]


def test_a_list_without_a_translation_is_an_empty_side(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"source": "a", "targets": []}\n{"source": "b", "targets": ["c"]}\n', encoding="utf-8")
    (group,) = grouped([str(file)])
    assert [(f.code, f.line) for f in lint_pairs({"a": group})] == [("side-empty", 1)]


def test_the_sample_is_clean() -> None:
    folder = shipped_folder("corpora") / "sample-translation"
    assert list(lint_pairs({split: [folder / f"{split}.tsv"] for split in ("train", "dev")})) == []


def test_the_page_lists_the_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")
    rows = [f"| `{code}` | {severity} | {meaning} |" for code, (severity, meaning) in PAIR_CODES.items()]
    assert "\n".join(rows) in page
