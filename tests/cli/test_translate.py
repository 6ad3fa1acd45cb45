"""`nlpseq train translate` and what can be done with what it leaves, through the real command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlpseq import checkpoint
from nlpseq.cli.main import app
from nlpseq.cli.train import spread
from nlpseq.manifest import find_translator
from tests.letters import pairs
from tests.translators import SMALL, manifest, untrained, write_checkpoint


def inside(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def settings(**more: object) -> list[str]:
    given = {f"{section}.{key}": value for section, group in SMALL.items() for key, value in group.items()} | more
    return [part for key, value in given.items() for part in ("--set", f"{key}={value}")]


ONE_EPOCH = settings(**{"training.epochs": 1})


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    for split, count, seed in (("mine", 300, 1), ("dev", 40, 2)):
        some = pairs(count, seed, longest=6)
        (folder / f"{split}.en").write_text("".join(f"{pair.source}\n" for pair in some))
        (folder / f"{split}.fr").write_text("".join(f"{pair.targets[0]}\n" for pair in some))
        (folder / f"{split}.tsv").write_text("".join(f"{pair.source}\t{pair.targets[0]}\tx\n" for pair in some))
        objects = ({"text": p.source, "out": list(p.targets)} for p in some)
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    write_checkpoint(folder / "letters", untrained())
    return folder


@pytest.fixture(autouse=True)
def _here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


def test_train_translate_evaluate(work: Path) -> None:
    """From parallel files to scores; the manifest has the languages of the suffixes."""
    arguments = ["--train", "mine.en", "mine.fr", "--dev", "dev.en", "dev.fr", "-o", "en-fr"]
    result = inside("train", "translate", *arguments, *settings(**{"training.epochs": 15}))
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "300 examples, 40 to choose by" in " ".join(result.stderr.split())
    found = json.loads((work / "en-fr" / "manifest.json").read_bytes())
    assert (found["task"], found["languages"]) == ("translate", ["en", "fr"])
    assert [source["name"] for source in found["trained_on"]] == ["mine.en", "mine.fr"]
    assert found["dev"] == ["dev.en", "dev.fr"]
    scored = json.loads(inside("evaluate", "en-fr", "dev.en", "dev.fr", "--json", "--beam-size", "1").stdout)
    assert scored["bleu"]["score"] == pytest.approx(found["scores"]["bleu"], abs=0.01)  # that is greedy, too
    assert scored["bleu"]["score"] > 50  # chance gives less than 5
    assert scored["chrf"]["signature"].startswith("nrefs:1|case:mixed")
    translated = inside("translate", "-c", "en-fr", "--from", "en", "--to", "fr", "a b c", "d e\tf").stdout.splitlines()
    assert len(translated) == 2
    assert inside("checkpoints", "verify", "en-fr").exit_code == 0


def test_evaluate_tells_how_it_cuts_words_where_there_are_no_spaces(work: Path) -> None:
    (work / "zh.tsv").write_text("a b c\t我们昨天看了电影。\nd e\t他在家里。\n", encoding="utf-8")
    told = [inside("evaluate", "letters", name) for name in ("zh.tsv", "dev.tsv")]
    assert ["as sacreBLEU's 'zh' does" in one.stderr for one in told] == [True, False]
    assert ["tok:zh" in one.stdout for one in told] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "languages"),
    [
        (["--train", "mine.tsv", "--from", "en", "--to", "fr"], ["en", "fr"]),
        (["--train", "mine.tsv", "--dev", "dev.tsv"], []),
        (["--train", "mine.jsonl", "--source-column", "text", "--target-column", "out"], []),
        (["--train", "mine.en", "mine.fr", "--from", "fr", "--to", "en"], ["fr", "en"]),
        (["--train", "mine.en", "--train", "mine.fr", "dev.tsv"], ["en", "fr"]),
        (["--train", "sample-translation:dev@fr-en"], ["fr", "en"]),
    ],
)
def test_what_can_be_trained_on(work: Path, tmp_path: Path, arguments: list[str], languages: list[str]) -> None:
    del work
    result = inside(
        "train", "translate", *arguments, "-o", str(tmp_path / "made"), *ONE_EPOCH, "--set", "pieces.size=400"
    )
    assert result.exit_code == 0, result.stderr
    assert json.loads((tmp_path / "made" / "manifest.json").read_bytes()).get("languages", []) == languages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "translate", "--train", "mine.tsv", "-o", "x", "--language", "fr"], "give --from and --to"),
        (["train", "translate", "--train", "mine.en", "-o", "x"], "mine.en: is one side of parallel text"),
        (["train", "translate", "--train", "mine.en", "dev.fr", "-o", "x"], "dev.fr:41: The file ends with line 40"),
        (["train", "translate", "--train", "mine.en", "mine.fr", "--from", "en", "--to", "de", "-o", "x"], "is en-de"),
        (["evaluate", "letters", "dev.en", "dev.fr"], "dev.en dev.fr: are en and fr by their suffixes"),
        (["train", "translate", "--train", "multi30k", "-o", "x"], "Name a direction: multi30k@en-de"),
        (["train", "translate", "--train", "mine.tsv", "--to", "fr", "-o", "x"], "Give both --from and --to"),
        (["train", "tag", "--train", "sample-translation", "-o", "x"], "is a corpus for translate, not for tag"),
        (["translate", "a"], "Say --to fr"),
        (["translate", "--to", "fr", "-c", "letters", "a"], "from en to xx; you asked for fr"),
        (["translate", "-c", "tag-en", "a"], "was trained for tag, not for translate"),
        (["translate", "-c", "letters", "-f", "conllu", "a"], "'conllu' is not one of"),
        (["translate", "-c", "letters", "--alternatives", "1000", "a"], "alternatives is 1000"),
        (["translate", "-c", "letters", "--beam-size", "1000", "a"], "beam_size"),
    ],
)
def test_what_goes_wrong_is_told(arguments: list[str], message: str) -> None:
    result = inside(*arguments)
    assert result.exit_code in {1, 2}
    assert message in result.stderr


def test_one_line_for_each_line() -> None:
    lines = "a b c.  d e!\n\n12:30\nsee https://example.org/x\n"
    answered = inside("translate", "-c", "letters", stdin=lines).stdout
    assert answered.count("\n") == 4
    assert answered.splitlines()[1:3] == ["", "12:30"]
    assert answered.splitlines()[3].endswith(" https://example.org/x")


def test_json_lines_pass_through_what_they_do_not_know() -> None:
    given = '{"id": 7, "sentence": "a b c"}\n{"id": 8}\n'
    arguments = [
        "--input-format",
        "jsonl",
        "--text-key",
        "sentence",
        "-f",
        "jsonl",
        "--alternatives",
        "2",
        "--attention",
    ]
    result = inside("translate", "-c", "letters", *arguments, stdin=given)
    assert result.exit_code == 3
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["source"], first["id"], len(first["alternatives"]), len(first["attention"])) == ("a b c", 7, 2, 1)
    assert (second["line"], "sentence" in second["error"]) == (2, True)


@pytest.mark.parametrize(("form", "told"), [("auto", True), ("tsv", True), ("jsonl", False), ("html", False)])
def test_attention_that_the_format_does_not_show_is_told(form: str, told: bool) -> None:
    result = inside("translate", "-c", "letters", "--attention", "-f", form, "a b")
    assert result.exit_code == 0
    assert ("-f jsonl, html or rich" in result.stderr) == told
    plain = inside("translate", "-c", "letters", "-f", form, "a b")
    assert "-f jsonl, html or rich" not in plain.stderr
    assert ("Note: 1 of 1 translations may be wrong" in plain.stderr) == (form == "auto")  # lines have no place for it


def test_attention_is_missed_in_a_file_of_plain_lines_at_a_terminal_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    app(["translate", "-c", "letters", "--attention", "-o", "plain", "a b"], standalone_mode=False)
    assert "-f jsonl, html or rich" in capsys.readouterr().err


def test_the_checkpoint_is_chosen_by_languages(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del work
    for name, languages in (("one", ("en", "xx")), ("two", ("de", "xx")), ("three", ("de", "yy"))):
        checkpoint.save(
            untrained(), Path("shipped/checkpoints") / name,
            checkpoint.msgspec.structs.replace(manifest(), languages=languages), "# It\n",
        )  # fmt: skip
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda name: Path("shipped") / name)
    assert find_translator(None, "xx") == "one"  # English first
    assert find_translator("de", "xx") == find_translator("DE", "XX") == "two"
    assert find_translator(None, "yy") == "three"
    assert inside("translate", "--to", "xx", "a b").exit_code == 0
    assert inside("translate", "--from", "EN", "--to", "XX", "a b").exit_code == 0
    missing = inside("translate", "--to", "zz", "a b")
    assert (missing.exit_code, "any language to zz" in missing.stderr, "de to yy" in missing.stderr) == (2, True, True)
    usual = inside("translate", "--from", "fr", "--to", "en", "a b")
    assert (usual.exit_code, "--corpus sample-translation@fr-en" in usual.stderr) == (2, True)


def test_evaluate_takes_several_references_and_refuses_them_elsewhere(work: Path) -> None:
    for copy, name in (("first.txt", "dev.fr"), ("second.txt", "dev.en")):
        (work / copy).write_text((work / name).read_text())
    found = json.loads(inside("evaluate", "letters", "dev.en", "first.txt", "second.txt", "--json").stdout)
    assert (found["sentences"], found["references"]) == (40, 80)
    assert "nrefs:2" in found["bleu"]["signature"]
    shown = inside("evaluate", "letters", "dev.en", "first.txt", "--lowercase", "--worst", "1")
    assert "case:lc" in shown.stdout
    assert "40 sentences, 40 references" in shown.stderr
    assert inside("evaluate", "tag-en", "dev.en", "dev.fr").exit_code == 2


def test_lint_pairs() -> None:
    clean = inside("corpora", "lint", "sample-translation")
    assert (clean.exit_code, clean.stderr.strip()) == (0, "0 errors, 0 warnings, 0 notes")
    apart = inside("corpora", "lint", "--pairs", "mine.en", "dev.fr")
    assert (apart.exit_code, "files-apart" in apart.stdout) == (1, True)


VALUED = {"--train", "--dev", "-o", "--seed"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("T --train a b c -o x --dev d e --resume", "T --train a --train b --train c -o x --dev d --dev e --resume"),
        ("--train a T -o x", "--train a T -o x"),
        ("-o x T --train a b", "-o x T --train a --train b"),
        ("--resume -o x --train a b T --dev d e", "--resume -o x --train a --train b T --dev d --dev e"),
        ("--train a b -o x T", "--train a --train b -o x T"),
        ("-o T --train a b --seed 1 T", "-o T --train a --train b --seed 1 T"),
        ("T --train a tag lm", "T --train a --train tag --train lm"),
        ("T --train=a b --dev d", "T --train=a --train b --dev d"),
        ("T --resume a", "T --resume a"),
    ],
)
def test_files_behind_an_option_are_its_own(given: str, wanted: str) -> None:
    words = [text.replace("T", "translate").split() for text in (given, wanted)]
    assert spread(words[0], VALUED) == words[1]


def test_options_may_stand_before_the_task(tmp_path: Path) -> None:
    where = ["-o", str(tmp_path / "made"), "--set", "pieces.size=400"]
    result = inside("train", *where, "translate", "--train", "mine.en", "mine.fr", *ONE_EPOCH)
    assert result.exit_code == 0, result.stderr
    assert json.loads((tmp_path / "made" / "manifest.json").read_bytes())["languages"] == ["en", "fr"]
