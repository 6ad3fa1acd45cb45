from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from nlpseq.corpora.lint_texts import TEXT_CODES, lint_texts
from nlpseq.corpora.registry import open_texts
from nlpseq.corpora.sources import read_sources, read_text_source
from nlpseq.corpora.tables import Fields
from nlpseq.corpora.texts import detect_text_format, read_texts
from nlpseq.errors import DataError, UsageError


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def test_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.csv", 'id,text,label\r\n1,"Well, ""well"",\nwell",good\r\n\r\n2,bad one,bad\r\n3,none,\r\n'
    )
    found = [(e.text, dict(e.labels), e.line) for e in read_texts(path)]
    assert found == [('Well, "well",\nwell', {"label": "good"}, 2), ("bad one", {"label": "bad"}, 5), ("none", {}, 6)]


def test_tsv_has_no_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", 'sentence\tlabel\n"so" good\t1\n"unclosed\t0\n')
    assert [(e.text, e.labels["label"]) for e in read_texts(path)] == [('"so" good', "1"), ('"unclosed', "0")]


def test_json_lines(tmp_path: Path) -> None:
    lines = '{"body": "x", "stars": 4, "id": [1]}\n\n{"body": "y", "stars": 2.0}\n{"body": "z", "stars": null}\n'
    path = written(tmp_path, "a.jsonl", lines)
    assert [(e.text, dict(e.labels)) for e in read_texts(path)] == [
        ("x", {"stars": "4"}),
        ("y", {"stars": "2"}),
        ("z", {}),
    ]


def test_an_object_without_the_key_of_a_label_has_none(tmp_path: Path) -> None:
    lines = '{"text": "x"}\n{"text": "y", "label": "a", "stars": 3}\n{"text": "z", "stars": 4}\n'
    path = written(tmp_path, "a.jsonl", lines)
    assert [dict(e.labels) for e in read_texts(path)] == [{}, {"label": "a", "stars": "3"}, {"stars": "4"}]
    assert [dict(e.labels) for e in read_texts(path, fields=Fields(None, ("label",)))] == [{}, {"label": "a"}, {}]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_the_case_of_a_column_does_not_matter(tmp_path: Path, name: str) -> None:
    text = "Text,Verdict\nx,up\n" if name == "a.csv" else '{"Text": "x", "Verdict": "up"}\n'
    (example,) = read_texts(written(tmp_path, name, text), fields=Fields("text", ("verdict=polarity",)))
    assert (example.text, example.labels) == ("x", {"polarity": "up"})


def test_an_object_in_place_of_a_label_has_numbers_by_label(tmp_path: Path) -> None:
    lines = (
        '{"text": "x", "polarity": {"positive": 3, "negative": 1}, "stars": {"4": 0.5}}\n{"text": "y", "stars": 4}\n'
    )
    path = written(tmp_path, "a.jsonl", lines)
    soft, hard = read_texts(path)
    assert soft.soft == {"polarity": {"positive": 0.75, "negative": 0.25}, "stars": {"4": 1.0}}
    assert (soft.labels, hard.labels, hard.soft) == ({}, {"stars": "4"}, {})
    assert soft.judged_by(["stars"]).soft == {"stars": {"4": 1.0}}


def test_columns_may_be_chosen_and_schemes_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "title,verdict,points,text\nt,up,3,x\n")
    (example,) = read_texts(path, fields=Fields("title", ("verdict=polarity", "points=stars")))
    assert (example.text, example.labels) == ("t", {"polarity": "up", "stars": "3"})
    (example,) = read_texts(path, fields=Fields(None, ("points",)))
    assert (example.text, example.labels) == ("x", {"points": "3"})


@pytest.mark.parametrize(
    ("columns", "scheme"),
    [
        ("text,sentiment", "polarity"),
        ("review,rating", "stars"),
        ("Text,Label", "label"),
        ("comment,category", "category"),
    ],
)
def test_usual_names_are_known(tmp_path: Path, columns: str, scheme: str) -> None:
    (example,) = read_texts(written(tmp_path, "a.csv", f"{columns}\nx,1\n"))
    assert (example.text, example.labels) == ("x", {scheme: "1"})


@pytest.mark.parametrize(
    ("name", "text", "fields", "error", "message"),
    [
        ("a.csv", "a,b\n1,2\n", Fields(), UsageError, r"as the text \(text, .*its columns are a, b"),
        ("a.csv", "text,b\n1,2\n", Fields(), UsageError, r"as labels \(label, "),
        ("a.csv", "text,b\n1,2\n", Fields("txt"), UsageError, "no column 'txt'"),
        ("a.csv", "text,b\n1,2\n", Fields(None, ("c",)), UsageError, "no column 'c'"),
        ("a.csv", "good,x\nbad,y\n", Fields(), UsageError, "put a line of headings above it"),
        ("a.csv", "text;label\ngood;x\n", Fields(), DataError, r"a\.csv:1: .* divided by ';', where a comma"),
        ("a.tsv", "text,label\ngood,x\n", Fields(), DataError, r"a\.tsv:1: .* divided by ',', where a tab"),
        ("a.csv", "text,label\ngood, bad,x\n", Fields(), DataError, r"a\.csv:2: 3 columns .* stands in quotes"),
        ("a.csv", "text,label\n1\n", Fields(), DataError, r"a\.csv:2: 1 columns where the first line has 2"),
        ("a.csv", 'text,label\nx,y\n"open,1\n', Fields(), DataError, r"a\.csv:3: This is no row"),
        ("a.csv", "text,stars\nx,7\n", Fields(), DataError, r"a\.csv:2: 'stars' has '7'"),
        ("a.jsonl", '{"text": 1, "label": "x"}\n', Fields(), DataError, r"a\.jsonl:1: 'text' is not a text"),
        ("a.jsonl", '{"text": "a", "label": ["x"]}\n', Fields(), DataError, "is not a label but"),
        ("a.jsonl", '{"text": "a", "label": {"x": -1}}\n', Fields(), DataError, "'label' gives 'x' -1, where a number"),
        ("a.jsonl", '{"text": "a", "label": {"x": 0}}\n', Fields(), DataError, "gives nothing to any label"),
        ("a.jsonl", '{"text": "a", "stars": {"6": 1}}\n', Fields(), DataError, "'stars' has '6', where stars are"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"label": 1}\n', Fields(), DataError, r"a\.jsonl:2: There is no key"),
        ("a.jsonl", '{"body": "a", "label": "x"}\n', Fields("bdy"), DataError, "no key 'bdy'; the keys are body"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b"}\n', Fields(), UsageError, "no column known as labels"),
        ("a.jsonl", '{"text": "a", "label": 1}\n', Fields(None, ("lbl",)), UsageError, "no column 'lbl'"),
        ("a.jsonl", "[1]\n", Fields(), DataError, r"a\.jsonl:1: This is not a JSON object"),
        ("a.txt", "just words\n", Fields(), UsageError, "of no known format"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(
    tmp_path: Path, name: str, text: str, fields: Fields, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        list(read_texts(written(tmp_path, name, text), fields=fields))


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("a.csv.gz", "", "csv"),
        ("a", '{"text": ""}', "jsonl"),
        ("b", "a\tb", "tsv"),
        ("c", "a,b", "csv"),
        ("d", "(3 x)", "trees"),
    ],
)
def test_formats_are_found(tmp_path: Path, name: str, text: str, format: str) -> None:
    assert detect_text_format(written(tmp_path, name, text)) == format


def test_sources_are_read_for_their_task(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text,label\nx,y\n")
    assert [e.text for e in read_sources("sentiment", [str(path), str(path)], "train")] == ["x", "x"]
    assert len(read_text_source("sample-sentiment:train", "dev")) == 600
    with pytest.raises(UsageError, match="is a corpus for tag, not for sentiment"):
        read_text_source("sample-tagging", "dev")
    with pytest.raises(UsageError, match="is a corpus for sentiment, not for tag"):
        read_sources("tag", ["sample-sentiment"], "dev")
    with pytest.raises(UsageError, match="no text in it is judged by 'star'"):
        read_text_source("sample-sentiment@star", "dev")
    assert {s for e in read_text_source("sample-sentiment@stars", "dev") for s in e.labels} == {"stars"}
    with pytest.raises(DataError, match="holds no text"):
        read_text_source(str(written(tmp_path, "b.csv", "text,label\n")), "dev")


def test_the_turns_are_what_their_templates_give() -> None:
    script = Path(__file__).parents[2] / "corpora" / "turns" / "generate.py"
    written_by_it = runpy.run_path(str(script))["rows"]()
    read = [(e.text, e.labels["stars"], e.labels.get("polarity", "")) for e in open_texts("turns", "train")]
    assert read == written_by_it


def test_the_sample_is_what_its_registry_entry_says() -> None:
    train, dev = (list(open_texts("sample-sentiment", split)) for split in ("train", "dev"))
    assert (len(train), len(dev)) == (600, 150)
    for example in (*train, *dev):
        wanted = {"1": "negative", "2": "negative", "4": "positive", "5": "positive"}.get(example.labels["stars"])
        assert example.labels.get("polarity") == wanted
    assert not {e.text for e in train} & {e.text for e in dev}


def test_lint_finds_every_kind_of_fault(tmp_path: Path) -> None:
    train = written(tmp_path, "train.csv", "text,label\nx,good\nx,bad\n ,good\nz,\n")
    dev = written(tmp_path, "dev.csv", "text,label\nx,good\nw,odd\n")
    broken = written(tmp_path, "broken.csv", "text,label\nx\n")
    empty = written(tmp_path, "empty.csv", "text,label\n")
    alike = written(tmp_path, "alike.csv", "text,label\na,good\nb,Good\n")
    alone = written(tmp_path, "alone.csv", "text,label\na,good\nb,good\n")
    found = list(lint_texts({"train": train, "dev": dev, "broken": broken, "empty": empty}))
    found += [*lint_texts({"train": alike}), *lint_texts({"train": alone})]
    assert {finding.code for finding in found} == set(TEXT_CODES)
    assert all(TEXT_CODES[finding.code][0] == finding.severity for finding in found)
    places = {(Path(f.path).name, f.line, f.code) for f in found}
    assert {("train.csv", 3, "text-contradicted"), ("train.csv", 4, "text-empty"), ("dev.csv", 2, "text-leaked"),
            ("dev.csv", 3, "label-unseen"), ("broken.csv", 2, "file-unreadable"),
            ("alike.csv", 3, "label-alike"), ("alone.csv", 0, "label-alone")} <= places  # fmt: skip


def test_the_linter_takes_probabilities_for_their_likeliest_label(tmp_path: Path) -> None:
    train = written(
        tmp_path,
        "train.jsonl",
        '{"text": "x", "label": {"bad": 0.8, "good": 0.2}}\n{"text": "y", "label": {"Bad": 0.9, "mixed": 0.1}}\n',
    )
    dev = written(
        tmp_path,
        "dev.jsonl",
        '{"text": "x", "label": {"bad": 0.1, "good": 0.9}}\n{"text": "z", "label": {"odd": 0.6, "bad": 0.4}}\n',
    )
    assert {(Path(f.path).name, f.line, f.code) for f in lint_texts({"train": train, "dev": dev})} == {
        ("train.jsonl", 2, "label-alike"),
        ("dev.jsonl", 1, "text-leaked"),
        ("dev.jsonl", 1, "text-contradicted"),
        ("dev.jsonl", 2, "label-unseen"),
    }


def test_a_label_that_is_never_the_likeliest_is_learnt_unless_it_has_nothing(tmp_path: Path) -> None:
    dev = written(tmp_path, "dev.jsonl", '{"text": "y", "label": "bad"}\n')
    for share, codes in ((0.1, []), (0, ["label-alone", "label-unseen"])):
        line = f'{{"text": "x", "label": {{"good": 0.9, "bad": {share}}}}}\n'
        train = written(tmp_path, "train.jsonl", line)
        assert [finding.code for finding in lint_texts({"train": train, "dev": dev})] == codes


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label,label\ngood,a,b\n", encoding="utf-8")
    with pytest.raises(UsageError, match="several columns 'label'"):
        list(read_texts(path))


def test_long_cells_and_long_headings(tmp_path: Path) -> None:
    """A cell may be longer than csv's own limit, and what is taken for a heading is told in part."""
    path = tmp_path / "a.csv"
    path.write_text(f"text,label\n{'word ' * 40_000},good\n", encoding="utf-8")
    (example,) = read_texts(path)
    assert len(example.text) == 200_000
    path.write_text(f"{'word ' * 40_000},good\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        list(read_texts(path))
    assert len(str(caught.value)) < 600
