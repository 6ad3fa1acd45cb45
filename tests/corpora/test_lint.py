from __future__ import annotations

from pathlib import Path

import pytest

from nlpseq.corpora.lint import CODES, Finding, lint
from nlpseq.corpora.reading import read_tagging
from nlpseq.errors import DataError
from nlpseq.shipped import shipped_folder


def row(number: int, form: str, upos: str = "X", misc: str = "_") -> str:
    return f"{number}\t{form}\t_\t{upos}\t_\t_\t_\t_\t_\t{misc}\n"


# code -> files by split, in order, and the line of the first finding
BAD: dict[str, tuple[dict[str, str], int]] = {
    "file-unreadable": ({"a.iob2": "a b c d e f\n"}, 1),
    "file-empty": ({"a.iob2": "\n\n"}, 0),
    "columns-uneven": ({"a.iob2": "a\tO\nb\n"}, 2),
    "json-invalid": ({"a.jsonl": '{"tokens": ["a"]}\n{"tokens": \n'}, 2),
    "sentence-refused": ({"a.conllu": row(1, "a") + row(1, "b")}, 2),
    "text-differs": ({"a.conllu": "# text = Hello there\n" + row(1, "Hi")}, 2),
    "span-bad": ({"a.jsonl": '{"text": "ab c", "entities": [{"start": 2, "end": 4, "label": "X"}]}\n'}, 1),
    "span-inside": ({"a.jsonl": '{"text": "ab cd", "entities": [{"start": 3, "end": 4, "label": "X"}]}\n'}, 1),
    "tag-unknown": ({"a.iob2": "a\tB-X\nb\tPER\n"}, 2),
    "tag-orphan": ({"a.iob2": "a\tB-X\nb\tI-Y\n"}, 2),
    "tag-iob1": ({"a.iob2": "a\tI-X\nb\tB-X\nc\tO\n"}, 1),
    "token-empty": ({"a.iob2": "a\tO\n\tO\n"}, 2),
    "token-control": ({"a.iob2": "a\tO\nb\x07\tO\n"}, 2),
    "token-space": ({"a.iob2": "a\tO\nb c\tO\n"}, 2),
    "label-empty": ({"a.jsonl": '{"tokens": ["a"], "upos": ["X"]}\n{"tokens": ["b"], "xpos": [""]}\n'}, 2),
    "label-missing": ({"a.conllu": row(1, "a") + row(2, "b", "_")}, 2),
    "upos-unknown": ({"a.conllu": row(1, "a", "NOUN") + row(2, "b", "NOUNS") + row(3, "c", "NOUNS")}, 2),
    "label-unseen": ({"a.iob2": "a\tB-X\n", "b.iob2": "b\tB-X\nc\tB-Y\nd\tB-Y\n"}, 2),
    "id-repeated": ({"a.conllu": f"# sent_id = s\n{row(1, 'a')}\n# sent_id = s\n{row(1, 'b')}"}, 5),
    "sentence-leaked": ({"a.iob2": "a\tO\n", "b.iob2": "b\tO\n\na\tO\n"}, 3),
    "sentence-repeated": ({"a.iob2": "a\tO\n\na\tO\n"}, 3),
}


def findings(folder: Path, files: dict[str, str]) -> list[Finding]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return list(lint({name: folder / name for name in files}))


def test_every_code_has_its_bad_file() -> None:
    assert set(BAD) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_bad_file_is_found_out_once_and_nothing_else_is_said(tmp_path: Path, code: str) -> None:
    files, line = BAD[code]
    (found,) = findings(tmp_path, files)
    assert (found.code, found.line, found.severity) == (code, line, CODES[code][0])
    assert found.path == str(tmp_path / list(files)[-1])
    assert found.message.endswith(".")


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.conllu", row(1, "a") + row(3, "b"), "sentence-refused"),
        ("a.conllu", "1-5\tab" + "\t_" * 8 + "\n" + row(1, "a") + row(2, "b"), "sentence-refused"),
        ("a.conllu", row(1, "a") + "5-6\tab" + "\t_" * 8 + "\n", "sentence-refused"),
        ("a.iob2", "# text = Hello\n1\tHi\tO\t-\t-\n", "text-differs"),
        ("a.jsonl", '{"foo": 1}\n', "json-invalid"),
        ("a.jsonl", '{"tokens": ["a", "b"], "upos": []}\n', "columns-uneven"),
        ("a.jsonl", '{"tokens": ["a"], "text": "a", "starts": [1]}\n', "sentence-refused"),
        ("a.jsonl", '{"text": "a", "entities": [{"start": 0, "end": 1, "label": ""}]}\n', "span-bad"),
        (
            "a.jsonl",
            '{"text": "a-b", "tokens": ["a-b"], "spans": [{"start": 0, "end": 1, "label": "X"}]}\n',
            "sentence-refused",
        ),
        ("a.jsonl", '{"text": "b", "tokens": ["a"]}\n', "text-differs"),
    ],
)
def test_what_the_reader_refuses_or_rewrites_is_found(tmp_path: Path, name: str, text: str, code: str) -> None:
    (found,) = findings(tmp_path, {name: text})
    assert found.code == code
    if CODES[code][0] == "error":
        with pytest.raises(DataError):
            list(read_tagging(tmp_path / name, tokenize=lambda text: ([text], [0])))
    else:
        assert len(list(read_tagging(tmp_path / name))) == 1


def test_the_sample_is_clean() -> None:
    folder = shipped_folder("corpora") / "sample-tagging"
    assert list(lint({split: folder / f"{split}.conllu" for split in ("train", "dev")})) == []


def test_it_goes_on_after_what_it_finds(tmp_path: Path) -> None:
    text = "a\tI-X\nb\nc\tPER\n\td\n\ne\tB-Y\nf\tB-O\n"
    codes = [(found.line, found.code) for found in findings(tmp_path, {"a.iob2": text})]
    assert codes == [
        (2, "columns-uneven"),
        (4, "token-empty"),
        (3, "tag-unknown"),
        (4, "tag-unknown"),
        (7, "tag-unknown"),
        (1, "tag-orphan"),
    ]


def test_bytes_that_are_not_utf8_stop_one_file_only(tmp_path: Path) -> None:
    (tmp_path / "a.iob2").write_bytes(b"a\tO\n\xff\tO\n")
    (tmp_path / "b.iob2").write_bytes(b"b\tX\n")
    found = list(lint({"train": tmp_path / "a.iob2", "dev": tmp_path / "b.iob2", "test": tmp_path / "c.iob2"}))
    assert [(item.line, item.code) for item in found] == [
        (2, "file-unreadable"),
        (1, "tag-unknown"),
        (0, "file-unreadable"),
    ]


@pytest.mark.parametrize("tags", ["B-A I-A", "B-A E-A S-B", "B-A I-A L-A U-B", "B-A B-A I-A"])
def test_sound_schemes_are_left_alone(tmp_path: Path, tags: str) -> None:
    text = "".join(f"w{index}\t{tag}\n" for index, tag in enumerate(tags.split()))
    assert findings(tmp_path, {"a.iob2": text}) == []


def test_the_documentation_lists_every_code_as_it_is() -> None:
    docs = Path(__file__).parents[2] / "docs" / "corpora.md"
    rows = [f"| `{code}` | {severity} | {meaning} |" for code, (severity, meaning) in CODES.items()]
    assert "\n".join(rows) in docs.read_text(encoding="utf-8")
