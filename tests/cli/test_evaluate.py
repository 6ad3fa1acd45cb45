from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlpseq.cli.evaluate import _tell_unknown
from nlpseq.cli.main import app
from nlpseq.corpora.sources import mapped_onto
from nlpseq.errors import DataError, UsageError
from nlpseq.text.vocab import Vocabulary
from tests.examples import corpus, write_conllu
from tests.taggers import untrained, write_checkpoint


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    write_checkpoint(folder / "tiny", untrained())
    write_conllu(folder / "gold.conllu", corpus(30, seed=4))
    return folder


def evaluate(work: Path, *arguments: str) -> list[str]:
    """The lines on stdout of a command that ends well."""
    result = CliRunner().invoke(app, ["evaluate", str(work / "tiny"), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_the_numbers_are_those_of_the_library(work: Path) -> None:
    (line,) = evaluate(work, str(work / "gold.conllu"), "--json")
    found = json.loads(line)
    scores = untrained().score(corpus(30, seed=4))
    # The checkpoint holds float16: a random tagger's labels may hang by a thread, of the 200 or so.
    assert found["upos"]["accuracy"] == pytest.approx(scores["upos"], abs=2)
    assert found["xpos"]["accuracy"] == pytest.approx(scores["xpos"], abs=2)
    assert found["ner"]["f1"] == pytest.approx(scores["ner"], abs=4)
    assert set(found["ner"]["classes"]) == {"PER", "LOC"}
    assert found["tokens"] == sum(len(e.tokens) for e in corpus(30, seed=4))


def test_the_tables_hold_what_the_object_does(work: Path) -> None:
    lines = evaluate(work, str(work / "gold.conllu"), "--confusions", "2", "--worst", "1")
    blocks = [block.splitlines() for block in "\n".join(lines).split("\n\n")]
    heads = [block[0].split("\t")[0] for block in blocks]
    assert heads == ["column", "entity", "recall of entities", "sentence length", "upos", "xpos", "wrong"]
    assert [row.split("\t")[0] for row in blocks[1][1:]] == ["LOC", "PER", "all"]
    assert [len(block) - 1 for block in blocks[4:]] == [2, 2, 1]
    (json_line,) = evaluate(work, str(work / "gold.conllu"), "--json")
    accuracy = json.loads(json_line)["upos"]["accuracy"]
    assert blocks[0][1].split("\t")[1] == f"{accuracy:.2f}"


def test_other_formats_are_read(work: Path) -> None:
    rows = [
        json.dumps({"tokens": e.tokens, **{name: list(values) for name, values in e.columns.items()}})
        for e in corpus(30, seed=4)
    ]
    (work / "gold.jsonl").write_text("\n".join(rows) + "\n")
    assert evaluate(work, str(work / "gold.jsonl"), "--json") == evaluate(work, str(work / "gold.conllu"), "--json")


def test_a_column_that_the_data_lacks_is_left_out(work: Path) -> None:
    (work / "some.iob2").write_text("Mr\tB-PER\nParis\tI-PER\n\n")
    found = json.loads(evaluate(work, str(work / "some.iob2"), "--json")[0])
    assert set(found) == {"sentences", "tokens", "ner"}


def test_labels_unknown_to_the_checkpoint_count_as_wrong(work: Path) -> None:
    (work / "other.iob2").write_text("Mr\tB-DRAGON\nParis\tI-DRAGON\n\n")
    arguments = ["evaluate", str(work / "tiny"), str(work / "other.iob2"), "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found, told = json.loads(result.stdout), result.stderr
    assert found["ner"]["classes"]["DRAGON"] == {"precision": 0, "recall": 0, "f1": 0, "gold": 1}
    assert "tiny knows none of the ner labels of the data, and gets them wrong" in told
    assert "DRAGON (it knows" in told


def test_a_label_map_that_helps_is_named() -> None:
    """That of WNUT 2017, whose classes have names of their own, where the labels it maps onto are known."""
    classes = {"PER", "LOC", "ORG"}
    assert mapped_onto("wnut17", classes) == ["wnut17@per-loc-org"]
    assert mapped_onto("wnut17:test", {"MISC", *classes}) == ["wnut17:test@per-loc-org"]
    for spec, known in (("wnut17", {"PER"}), ("wnut17@per-loc-org", classes), ("my.conllu", classes), ("x", classes)):
        assert mapped_onto(spec, known) == []


def test_the_map_is_told_beside_the_labels(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"ner": Vocabulary(["O", "B-PER", "B-LOC", "B-ORG"])}
    _tell_unknown({"ner": {"O", "B-person"}}, known, "tag-en", "wnut17")
    assert capsys.readouterr().err == (
        "tag-en knows none of the ner labels of the data, and gets them wrong: person (it knows LOC, ORG, PER). "
        "With labels that it knows, the data are wnut17@per-loc-org.\n"
    )


@pytest.mark.parametrize(
    ("content", "error"), [("", DataError), ('{"tokens": ["a"], "lemma": ["a"]}\n', UsageError), ("{\n", DataError)]
)
def test_what_cannot_be_scored_is_told(work: Path, content: str, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(content)
    result = CliRunner().invoke(app, ["evaluate", str(work / "tiny"), str(tmp_path / "bad.jsonl")])
    assert result.exit_code == error.exit_code  # type: ignore[attr-defined]
    assert "bad.jsonl" in result.stderr
    assert result.stdout == ""


def test_a_checkpoint_or_a_file_that_is_not_there_is_told(work: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(work / "nope"), str(work / "gold.conllu")])
    assert (result.exit_code, "nope" in result.stderr) == (2, True)
    result = CliRunner().invoke(app, ["evaluate", str(work / "tiny"), str(work / "none.conllu")])
    assert (result.exit_code, "none.conllu: There is no such file." in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [["--lowercase"], ["--beam-size", "7"], ["--text-column", "nosuch"], ["--source-column", "foo", "--lowercase"]],
)
def test_options_for_another_task_are_refused(work: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(work / "tiny"), "gold.conllu", *arguments])
    assert result.exit_code == 2
    given = ", ".join(one for one in arguments if one.startswith("--"))
    assert f"{given}: of no use for {work / 'tiny'}, a checkpoint for tag." in result.stderr
