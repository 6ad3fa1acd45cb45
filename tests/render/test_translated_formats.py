"""`translate` in every format: the contract, and nasty texts."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty_answers import texts
from rich.cells import cell_len
from test_judged_formats import Balance, Terminal

from nlpseq.errors import UsageError
from nlpseq.records import Alternative, Attention, Failure, TranslationPrediction
from nlpseq.render import formats, html, jsonl, text, tsv
from nlpseq.render.answer import Answer
from nlpseq.render.heatmap import heat_map, shade
from nlpseq.render.safe import visible, without_surrogates
from nlpseq.render.terminal import RENDERERS

FAILED = Answer(Failure("It went wrong.", 7), {"id": 1})
ONE = TranslationPrediction(source="Good day", translation="Bonjour", score=-0.123456)
LOOK = Attention(("▁Good", "▁day"), ("▁Bon", "jour", "</s>"), ((0.95, 0.05), (0.4, 0.6), (0.25, 0.75)))
SHOWN = TranslationPrediction(
    source="Good day", translation="Bonjour", score=-0.1, note="A note.", attention=(LOOK,),
    alternatives=(Alternative("Bonjour", -0.1), Alternative("Bon jour", -0.75)),
)  # fmt: skip


@st.composite
def looks(draw: st.DrawFn) -> Attention:
    source, target = (tuple(draw(st.lists(texts, min_size=1, max_size=5))) for _ in range(2))
    row = tuple(draw(st.floats(0, 1)) for _ in source)
    return Attention(source, target, tuple(row for _ in target))


@st.composite
def translated(draw: st.DrawFn) -> TranslationPrediction:
    translation = draw(texts)
    others = tuple(Alternative(draw(texts), -0.5) for _ in range(draw(st.integers(0, 2))))
    return TranslationPrediction(
        source=draw(texts), translation=translation, score=-0.25,
        alternatives=(Alternative(translation, -0.25), *others) if others else (),
        attention=draw(st.none() | st.lists(looks(), max_size=2).map(tuple)),
        note=draw(st.sampled_from([None, "A note."])),
    )  # fmt: skip


answers = st.lists(translated().map(Answer), max_size=3)


def test_jsonl_is_the_documented_contract() -> None:
    line = next(jsonl.translate([Answer(ONE, {"id": 7, "source": "theirs"})]))
    assert list(json.loads(line).items()) == [
        ("source", "Good day"), ("translation", "Bonjour"), ("score", -0.1235), ("alternatives", []), ("id", 7),
        ("input.source", "theirs"),
    ]  # fmt: skip
    found = json.loads(next(jsonl.translate([Answer(SHOWN)])))
    assert found["alternatives"][1] == {"translation": "Bon jour", "score": -0.75}
    assert found["attention"] == [
        {"source": list(LOOK.source), "target": list(LOOK.target), "weights": [list(row) for row in LOOK.weights]}
    ]
    assert found["note"] == "A note."
    assert list(jsonl.translate([FAILED])) == ['{"error":"It went wrong.","line":7,"id":1}\n']


@given(answers)
def test_jsonl_parses_back(given_answers: list[Answer]) -> None:
    for line, (prediction, _) in zip(jsonl.translate(given_answers), given_answers, strict=True):
        assert isinstance(prediction, TranslationPrediction)
        found = json.loads(line)
        assert found["source"] == without_surrogates(prediction.source)
        assert found["translation"] == without_surrogates(prediction.translation)
        assert ("attention" in found) == (prediction.attention is not None)


def test_text_is_the_translation_alone() -> None:
    assert list(text.translate([Answer(ONE), FAILED, Answer(SHOWN)])) == ["Bonjour\n", "\n", "Bonjour\tBon jour\n"]


def test_line_breaks_of_one_text_are_spaces_in_its_line() -> None:
    several = Answer(TranslationPrediction(source="a\nb\tc", translation="Bonne nuit !\nMerci.\td", score=-0.1))
    assert list(text.translate([several])) == ["Bonne nuit ! Merci. d\n"]
    assert '"translation":"Bonne nuit !\\nMerci.\\td"' in next(jsonl.translate([several]))


@given(answers)
def test_text_has_one_line_for_each(given_answers: list[Answer]) -> None:
    lines = "".join(text.translate(given_answers))
    assert lines.count("\n") == len(lines.splitlines()) == len(given_answers)


@given(answers)
def test_tsv_has_one_row_for_each_alternative(given_answers: list[Answer]) -> None:
    rows = "".join(tsv.translate(given_answers))
    found = list(csv.reader(io.StringIO(rows, newline="\n"), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert found[0] == list(tsv.TRANSLATED)
    predictions = [p for p, _ in given_answers if isinstance(p, TranslationPrediction)]
    assert len(found) == 1 + sum(max(1, len(p.alternatives)) for p in predictions)
    assert all(len(row) == len(tsv.TRANSLATED) for row in found)


@given(answers)
def test_html_is_balanced_and_holds_no_tag_of_the_text(given_answers: list[Answer]) -> None:
    page = Balance()
    page.feed("".join(html.translate(given_answers)))
    assert page.open == []
    assert not page.seen & {"script", "red"}


@given(answers)
def test_a_terminal_sees_no_control_of_the_text(given_answers: list[Answer]) -> None:
    for name in ("text", "tsv", "jsonl", "html"):
        shown = "".join(formats.render("translate", name, given_answers, Terminal()))
        assert visible(shown) == shown
    drawn = "".join(RENDERERS["translate"](given_answers, io.StringIO()))
    assert visible(drawn) == drawn


def test_the_terminal_shows_score_alternatives_and_attention() -> None:
    first, failed, second = RENDERERS["translate"]([Answer(ONE), FAILED, Answer(SHOWN)], io.StringIO())
    assert first == "Bonjour  88%\n"  # e to the power of the score
    assert failed == ""
    assert "2  Bon jour  47%" in second
    assert "A note." in second
    assert "\njour ▒▒▓▓\n" in second


def test_shades_grow_with_the_weight() -> None:
    shades = [shade(number / 100) for number in range(101)]
    assert shades == sorted(shades, key=" ░▒▓█".index)
    assert len(set(shades)) == 5


@given(looks(), st.integers(20, 60))
def test_a_heat_map_is_never_wider_than_the_terminal(attention: Attention, width: int) -> None:
    lines = [line.plain for line in heat_map(attention, width)]
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) >= len(attention.target)


def test_a_wide_heat_map_goes_on_below() -> None:
    attention = Attention(tuple("abcdefghijklmnopqrst"), ("x",), ((0.05,) * 20,))
    lines = [line.plain.rstrip() for line in heat_map(attention, 20)]
    assert lines == ["  a b c d e f g h i", "x", "", "  j k l m n o p q r", "x", "", "  s t", "x"]


def test_plain_lines_are_the_default_in_a_pipe() -> None:
    with pytest.raises(UsageError, match="cannot be written in the format 'conllu'"):
        formats.check("translate", "conllu")
    assert formats.choose("translate", "auto", io.StringIO()) == "text"
    assert formats.choose("translate", "auto", io.StringIO(), ".jsonl") == "jsonl"
    assert formats.choose("translate", "auto", io.StringIO(), ".de") == "text"
    assert formats.choose("translate", "auto", Terminal()) == "rich"
