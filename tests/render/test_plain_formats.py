from __future__ import annotations

import csv
import io
import json
from enum import StrEnum
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty_answers import answers, predictions, sample

from nlpseq.cli import options
from nlpseq.errors import UsageError
from nlpseq.records import Failure, Span, TagPrediction, Token
from nlpseq.render import conllu, formats, html, jsonl, text, tsv
from nlpseq.render.answer import Answer
from nlpseq.render.colours import AGAINST, FOR, PALETTE

FAILED = Answer(Failure("It went wrong.", 7), {"id": 1})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(answers)
def test_jsonl_parses_back_equal(given_answers: list[Answer]) -> None:
    lines = list(jsonl.tag(given_answers))
    assert len(lines) == len(given_answers)
    for line, (prediction, _) in zip(lines, given_answers, strict=True):
        assert isinstance(prediction, TagPrediction)
        found = json.loads(line)
        assert line.endswith("\n")
        assert line.count("\n") == 1
        assert found["text"] == prediction.text
        assert [t["text"] for t in found["tokens"]] == [t.text for t in prediction.tokens]
        assert all(found["text"][t["start"] : t["end"]] == t["text"] for t in found["tokens"])
        for token, expected in zip(found["tokens"], prediction.tokens, strict=True):
            assert token.get("ner") == expected.ner
            assert token.get("upos") == expected.upos
            assert "xpos" not in token
            assert token["score"] == round(expected.score or 0, 4)
        spans = [Span(**{**e, "score": None}) for e in found.get("entities", [])]
        assert spans == [Span(s.text, s.label, s.start, s.end) for s in prediction.entities]


def test_jsonl_schema_is_the_documented_one() -> None:
    found = json.loads(next(jsonl.tag([Answer(sample())])))
    assert list(found) == ["text", "tokens", "entities"]
    assert list(found["tokens"][0]) == ["text", "start", "end", "upos", "xpos", "ner", "score"]
    assert found["tokens"][0]["score"] == 0.9877
    assert found["entities"][0] == {"text": "Sumesh", "label": "PER", "start": 0, "end": 6, "score": 0.9}


def test_jsonl_leaves_out_what_has_no_head() -> None:
    prediction = TagPrediction("a", (Token("a", 0, 1, upos="X"),))
    assert json.loads(next(jsonl.tag([Answer(prediction)]))) == {
        "text": "a",
        "tokens": [{"text": "a", "start": 0, "end": 1, "upos": "X"}],
    }


def test_jsonl_passes_keys_through() -> None:
    line = next(jsonl.tag([Answer(TagPrediction("a", ()), {"id": 5, "text": "other"})]))
    assert json.loads(line) == {"text": "a", "tokens": [], "entities": [], "id": 5, "input.text": "other"}
    assert json.loads(next(jsonl.tag([FAILED]))) == {"error": "It went wrong.", "line": 7, "id": 1}


def test_jsonl_survives_lone_surrogates() -> None:
    prediction = TagPrediction("a\ud800b", (Token("a\ud800b", 0, 3),))
    found = json.loads(next(jsonl.tag([Answer(prediction)])))
    assert found["text"] == found["tokens"][0]["text"] == "a\ufffdb"


@given(answers)
def test_conllu_has_ten_columns_and_text_spelt_by_its_forms(given_answers: list[Answer]) -> None:
    document = "".join(conllu.tag(given_answers))
    blocks = [block for block in document.split("\n\n") if block]
    ids = [block.split("\n")[0].removeprefix("# sent_id = ") for block in blocks]
    assert len(set(ids)) == len(ids)
    for block in blocks:
        comments, rows = block.split("\n")[:2], [row.split("\t") for row in block.split("\n")[2:]]
        assert [row[0] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
        assert all(len(row) == 10 and all(row) for row in rows)
        spelt = "".join(row[1] + ("" if "SpaceAfter=No" in row[9] else " ") for row in rows)
        assert comments[1] == "# text = " + spelt.removesuffix(" ")
        assert document.endswith("\n\n")


@given(predictions())
def test_conllu_keeps_every_token(prediction: TagPrediction) -> None:
    document = "".join(conllu.tag([Answer(prediction)]))
    rows = [line for line in document.split("\n") if line and not line.startswith("# ")]
    assert len(rows) == len(prediction.tokens)


def test_conllu_by_example() -> None:
    tokens = (Token("Hi", 0, 2, "INTJ", "UH", "O"), Token("!", 2, 3, "PUNCT", ".", "O"))
    tokens += (Token("Ann", 4, 7, "PROPN", "NNP", "B-PER"),)
    prediction = TagPrediction("Hi! Ann", tokens, (), (0, 2))
    assert "".join(conllu.tag([FAILED, Answer(prediction)])) == (
        "# sent_id = 2-1\n# text = Hi!\n"
        "1\tHi\t_\tINTJ\tUH\t_\t_\t_\t_\tNER=O|SpaceAfter=No\n"
        "2\t!\t_\tPUNCT\t.\t_\t_\t_\t_\tNER=O\n\n"
        "# sent_id = 2-2\n# text = Ann\n"
        "1\tAnn\t_\tPROPN\tNNP\t_\t_\t_\t_\tNER=B-PER\n\n"
    )
    own = "".join(conllu.tag([Answer(TagPrediction("Hi", tokens[:1]), {"sent_id": "doc-7"})]))
    assert own.startswith("# sent_id = doc-7\n")
    two = TagPrediction("Hi Hi", (tokens[0], Token("Hi", 3, 5)), (), (0, 1))
    for own_id in ("doc-7", msgspec.Raw(b'"doc-7"')):
        blocks = "".join(conllu.tag([Answer(two, {"sent_id": own_id})])).split("\n\n")
        assert [block.split("\n")[0] for block in blocks[:-1]] == ["# sent_id = doc-7-1", "# sent_id = doc-7-2"]
    numbered = "".join(conllu.tag([Answer(TagPrediction("Hi", tokens[:1]), {"sent_id": msgspec.Raw(b"7")})]))
    assert numbered.startswith("# sent_id = 7\n")


def _unescaped(value: str) -> str:
    return value.encode("latin-1", "backslashreplace").decode("unicode_escape")


@given(predictions())
def test_tsv_is_one_row_per_token_and_can_be_unescaped(prediction: TagPrediction) -> None:
    table = "".join(tsv.tag([Answer(prediction)]))
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [_unescaped(row["token"]) for row in rows] == [token.text for token in prediction.tokens]
    assert [(int(row["start"]), int(row["end"])) for row in rows] == [
        (token.start, token.end) for token in prediction.tokens
    ]
    assert [_unescaped(row["ner"]) for row in rows] == [token.ner or "" for token in prediction.tokens]


def test_tsv_numbers_inputs_across_failures() -> None:
    table = "".join(tsv.tag([FAILED, Answer(sample())]))
    assert table.splitlines()[:2] == ["\t".join(tsv.COLUMNS), "Sumesh\tX\tY\tB-PER\t0.9877\t0\t6\t2"]


@given(answers)
def test_text_is_one_line_per_input(given_answers: list[Answer]) -> None:
    lines = list(text.tag([*given_answers, FAILED]))
    assert len(lines) == len(given_answers) + 1
    assert all(len((line + ".").splitlines()) == 2 for line in lines)


def test_text_marks_entities_or_else_parts_of_speech() -> None:
    assert next(text.tag([Answer(sample())])) == "[Sumesh PER] worked at [Cisco ORG], yesterday.\n"
    pos_only = TagPrediction("a  b", (Token("a", 0, 1, "DET"), Token("b", 3, 4, None, "NN")))
    assert next(text.tag([Answer(pos_only)])) == "a_DET b_NN\n"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} & {"src", "href", "onclick", "style"}
        self.names.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(answers)
def test_html_is_balanced_and_holds_no_tag_of_the_text(given_answers: list[Answer]) -> None:
    page = _Page()
    page.feed("".join(html.tag([*given_answers, FAILED])))
    page.close()
    assert not page.open
    assert page.names.count("article") == len(given_answers) + 1
    assert not {"b", "script"} & set(page.names) or page.names.count("b") == page.names.count("mark")
    assert "script" not in page.names


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("ink", "field"), [("#16181d", "light"), ("#eceef2", "dark")])
def test_html_colours_keep_the_contrast_they_promise(ink: str, field: str) -> None:
    assert ink in html._STYLE + html._DARK
    for colour in (*PALETTE, FOR, AGAINST):
        low, high = sorted((_luminance(ink), _luminance(getattr(colour, field))))
        assert (high + 0.05) / (low + 0.05) >= 7  # WCAG 2.2, level AAA for text of any size


@given(answers, st.sampled_from(["text", "jsonl", "tsv", "conllu", "html"]))
def test_on_a_terminal_no_format_writes_a_control(given_answers: list[Answer], name: str) -> None:
    shown = "".join(formats.render("tag", name, given_answers, Terminal()))
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" and c != "\u202e" for c in shown if c not in "\n\t")


def test_every_format_is_lazy_with_one_chunk_per_answer() -> None:
    for name in formats.PLAIN["tag"]:
        taken = []

        def endless(taken: list[int] = taken):  # type: ignore[no-untyped-def]
            while True:
                taken.append(1)
                yield Answer(sample())

        chunks = formats.render("tag", name, endless(), io.StringIO())
        heads = 1 if name in {"tsv", "html"} else 0
        for _ in range(heads + 3):
            next(chunks)
        assert len(taken) == 3


def test_auto_goes_by_terminal_and_suffix() -> None:
    assert formats.choose("tag", "auto", Terminal()) == "rich"
    assert formats.choose("tag", "auto", io.StringIO()) == "jsonl"
    assert formats.choose("tag", "auto", io.StringIO(), ".conllu") == "conllu"
    assert formats.choose("tag", "text", Terminal(), ".html") == "text"
    with pytest.raises(UsageError, match="cannot be written in the format 'xml'"):
        formats.choose("tag", "xml", io.StringIO())


@pytest.mark.parametrize(
    ("task", "suffix", "known"),
    [
        ("tag", ".pdf", ".jsonl, .tsv, .conllu, .html, .txt"),
        ("tag", ".de", ".jsonl, .tsv, .conllu, .html, .txt"),
        ("translate", ".gz", ".jsonl, .tsv, .html, .txt"),
        ("lm", ".html", ".jsonl, .txt"),
    ],
)
def test_a_suffix_that_tells_no_format_is_refused_unless_one_is_named(task: str, suffix: str, known: str) -> None:
    with pytest.raises(UsageError, match=f"end in {known}, or choose the format with -f"):
        formats.choose(task, "auto", io.StringIO(), suffix)
    assert formats.choose(task, "jsonl", io.StringIO(), suffix) == "jsonl"
    assert formats.choose(task, "auto", io.StringIO(), ".JSONL") == "jsonl"


@pytest.mark.parametrize(
    ("task", "offered"),
    [
        ("tag", options.Format),
        ("sentiment", options.TextFormat),
        ("translate", options.TextFormat),
        ("lm", options.LineFormat),
    ],
)
def test_a_command_offers_the_formats_it_has(task: str, offered: type[StrEnum]) -> None:
    assert {*offered} == {"auto", "rich", *formats.PLAIN[task]}
