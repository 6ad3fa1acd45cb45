"""`nlpseq corpora` as users run it, on the shipped sample and on files written here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nlpseq.cli.corpora import app
from nlpseq.corpora.reading import READERS
from nlpseq.errors import DataError, NlpseqError, TrustError, UsageError
from nlpseq.shipped import shipped_folder

SAMPLE = shipped_folder("corpora") / "sample-tagging"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLPSEQ_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NLPSEQ_CORPORA_MIRROR", raising=False)


def run(*arguments: object) -> Result:
    """Run a command; what it raises for `main` to print is raised here."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, NlpseqError):
        raise result.exception
    return result


def test_importing_the_commands_brings_typer_and_nothing_heavy() -> None:
    heavy = ["torch", "spacy", "pooch", "rich", "requests", "nlpseq.corpora"]
    code = f"import sys, nlpseq.cli.corpora; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_convert_offers_the_formats_that_it_reads() -> None:
    (offered,) = re.findall(r"--from FORMAT +(.*?) else", " ".join(run("convert", "--help").stdout.split()))
    named = re.split(r"\W+or\W+|\W+", offered.strip(" ;"))
    assert set(named) == set(READERS)


def test_list_is_tab_separated_in_a_pipe() -> None:
    lines = [line.split("\t") for line in run("list").stdout.splitlines()]
    assert lines[0] == ["name", "task", "languages", "columns", "licence", "here"]
    assert ["sample-tagging", "tag", "en", "upos,xpos,ner", "CC0-1.0", "install"] in lines
    assert all(len(line) == len(lines[0]) for line in lines)


def test_info_names_licence_addresses_and_label_maps() -> None:
    out = run("info", "wnut17").stdout
    assert "licence\tCC-BY-4.0\n" in out
    assert "label map per-loc-org\tperson=PER" in out
    assert "https://raw.githubusercontent.com/leondz/emerging_entities_17/" in out
    with pytest.raises(UsageError, match="Did you mean 'wnut17'"):
        run("info", "wnut16")


def test_get_takes_several_names_and_refuses_a_wrong_file(tmp_path: Path) -> None:
    out = run("get", "sample-tagging", "sample-tagging", "--split", "dev").stdout
    assert out == f"name\tsplit\tfile\nsample-tagging\tdev\t{SAMPLE / 'dev.conllu'}\n"
    (tmp_path / "m" / "btc").mkdir(parents=True)
    (tmp_path / "m" / "btc" / "btc.dev").write_text("a\tO\n")
    with pytest.raises(TrustError, match="SHA-256 differs"):
        run("get", "btc", "--split", "dev", "--mirror", tmp_path / "m")
    with pytest.raises(DataError, match="ask NIST"):
        run("get", "conll2003")


def test_lint_is_content_with_the_sample_and_not_with_a_bad_file(tmp_path: Path) -> None:
    clean = run("lint", "sample-tagging")
    assert clean.exit_code == 0
    assert clean.stdout == "where\tseverity\tcode\tmessage\n"
    assert clean.stderr == "0 errors, 0 warnings, 0 notes\n"
    bad = tmp_path / "bad.iob2"
    bad.write_text("a\tB-X\nb\tI-Y\nc\tO\n")
    result = run("lint", bad)
    assert result.exit_code == 1
    assert f"{bad}:2\terror\ttag-orphan\t" in result.stdout
    assert result.stderr == "1 error, 0 warnings, 0 notes\n"


def test_what_is_wrong_with_a_whole_file_has_no_line(tmp_path: Path) -> None:
    table = tmp_path / "mine.tsv"
    table.write_text("text\tpolarity\na\tgood\nb\tgood\n")
    assert f"\n{table}\twarning\tlabel-alone\t" in run("lint", "--texts", table).stdout


def test_on_a_terminal_lint_shows_the_first_of_each_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.iob2"
    bad.write_text("a\tB-O\n\n" + "b\tI-Y\tX\n" * 1023)
    more = "... and 1003 more [columns-uneven]; --all shows them\n"
    for on_terminal, options, shown in ((True, [], 20), (True, ["--all"], 1023), (False, [], 1023)):
        monkeypatch.setattr("sys.stdout.isatty", lambda answer=on_terminal: answer, raising=False)
        app(["lint", str(bad), *options], standalone_mode=False)
        out, err = capsys.readouterr()
        assert out.count("3 columns where 2 are due") == shown
        assert out.count("names the class O") == 1
        assert out.endswith(more) == (shown == 20)
        assert err == "1024 errors, 0 warnings, 0 notes\n"


def test_lint_takes_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a x NOUN\nb x _\n")
    assert "a.txt:2\twarning\tlabel-missing" in run("lint", path, "--columns", "token,_,upos").stdout


def test_convert_writes_a_file_and_says_what_is_lost(tmp_path: Path) -> None:
    target = tmp_path / "dev.iob2"
    result = run("convert", SAMPLE / "dev.conllu", "--to", "iob2", "-o", target, "--label", "PER=O")
    assert result.stdout == ""
    assert "iob2 holds no upos: dropped from 120 of 120 sentences.\n" in result.stderr
    text = target.read_text(encoding="utf-8")
    assert "\tB-LOC\n" in text
    assert "-PER" not in text


def test_convert_cuts_texts_with_spans(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Adas dog", "entities": [{"start": 0, "end": 3, "label": "PER"}]}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:1: The span 0-3"):
        run("convert", path, "--to", "jsonl")
    out = json.loads(run("convert", path, "--to", "jsonl", "--snap").stdout)
    assert out == {"text": "Adas dog", "tokens": ["Adas", "dog"], "ner": ["B-PER", "O"]}


def test_a_failed_conversion_leaves_no_file(tmp_path: Path) -> None:
    path, target = tmp_path / "a.iob2", tmp_path / "b.conllu"
    path.write_text("a\tO\nb\tX\n")
    with pytest.raises(DataError, match=r"a\.iob2:2"):
        run("convert", path, "--to", "conllu", "-o", target)
    assert not target.exists()
    with pytest.raises(UsageError, match="does not rename a label"):
        run("convert", path, "--to", "conllu", "--label", "PER")


def test_a_file_is_not_replaced_by_less_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text((SAMPLE / "dev.conllu").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(UsageError, match="is the file that is read"):
        run("convert", path, "--to", "jsonl", "-o", path)
    told = run("convert", path, "--to", "conllu", "-o", path, "--label", "PER=person", "--label", "nosuch=X").stderr
    assert told == "Note: no entity is labelled nosuch, which --label was to rename.\n"
    assert "NER=B-person" in path.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="ORG is renamed to A and to B"):
        run("convert", path, "--to", "conllu", "--label", "ORG=A", "--label", "ORG=B")


def test_lint_refuses_unknown_formats_and_mistyped_corpora(tmp_path: Path) -> None:
    path = tmp_path / "a.iob2"
    path.write_text("a\tO\n")
    for arguments, sentence in (
        (["lint", str(path), "--from", "foo"], "no format 'foo'"),
        (["lint", str(path), str(path)], f"{path}: is named twice"),
        (["lint", "--pairs", *["m.en", "m.fr"] * 2], "m.en m.fr: is named twice"),
        (["lint", "wnut71"], "Did you mean 'wnut17'?"),
        (["lint", "btc", "wnut17"], "one at a time"),
        (
            ["lint", str(path), "--from", "jsonl", "--columns", "token,ner"],
            "columns only, not for jsonl",
        ),
    ):
        with pytest.raises(UsageError, match=re.escape(sentence)):
            run(*arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--texts", "--columns", "token,ner"], "--columns: of tagged files. Leave it out."),
        (["--pairs", "--columns", "token,ner"], "--columns: of tagged files"),
        (["--text-column", "body"], "--text-column: of tables of labelled texts, which are checked with --texts"),
        (["--texts", "--source-column", "1"], "--source-column: of tables of pairs, which are checked with --pairs"),
    ],
)
def test_options_of_another_kind_of_file_are_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\na\tO\n")
    with pytest.raises(UsageError, match=re.escape(said)):
        run("lint", path, *arguments)


def test_options_that_contradict_what_is_checked_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.iob2"
    path.write_text("a\tO\n")
    assert run("lint", path, "--texts", "--pairs").exit_code == 2
    assert run("convert", path, "--to", "jsonl", "--snap").exit_code == 2
    with pytest.raises(UsageError, match="--from: sample-tagging is read as the registry says"):
        run("lint", "sample-tagging", "--from", "jsonl")


def test_get_says_where_there_is_nothing_it_may_take() -> None:
    result = CliRunner().invoke(app, ["get", "tatoeba"])
    assert result.exit_code == 0
    assert "--unverified" in result.stderr
