"""`sentiment` in every format: the contract, and nasty texts."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty_answers import texts

from nlpseq.errors import UsageError
from nlpseq.records import Contribution, Failure, SentimentPrediction
from nlpseq.render import formats, html, jsonl, text, tsv
from nlpseq.render.answer import Answer
from nlpseq.render.safe import visible, without_surrogates
from nlpseq.render.stretches import weighed
from nlpseq.render.terminal import RENDERERS

FAILED = Answer(Failure("It went wrong.", 7), {"id": 1})
ONE = SentimentPrediction(
    text="Not good", label="negative", score=0.86543, scores={"negative": 0.86543, "positive": 0.13457}, stars=2
)
EXPLAINED = SentimentPrediction(
    text="Not good", label="negative", score=0.8, scores={"negative": 0.8, "positive": 0.2}, stars=2,
    contributions=(Contribution("Not", 0, 3, 2.5), Contribution("good", 4, 8, -0.51234)),
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@st.composite
def judged(draw: st.DrawFn) -> SentimentPrediction:
    whole = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=6)))
    parts = tuple(
        Contribution(whole[a:b], a, b, draw(st.sampled_from([-3.0, -0.01, 0.0, 0.5])))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    )
    label = draw(st.sampled_from(["positive", "a b", "[red]", "\x1b[31m", "<b>"]))
    return SentimentPrediction(
        text=whole, label=label, score=0.75, scores={label: 0.75, "other": 0.25},
        stars=draw(st.sampled_from([None, 1, 5])),
        others=draw(st.sampled_from([{}, {"<b>": {"\x1b[31m": 0.6, "[red]": 0.4}}])),
        contributions=draw(st.sampled_from([None, parts])), note=draw(st.sampled_from([None, "A note."])),
    )  # fmt: skip


answers = st.lists(judged().map(Answer), max_size=3)


def test_further_schemes_are_told() -> None:
    one = msgspec.structs.replace(ONE, others={"topic": {"film": 0.81234, "food": 0.18766}})
    (line,) = jsonl.sentiment([Answer(one)])
    assert json.loads(line)["others"] == {"topic": {"film": 0.8123, "food": 0.1877}}
    (line,) = text.sentiment([Answer(one)])
    assert line == "negative 87%, 2 of 5 stars, topic: film 81%: Not good\n"


def test_jsonl_is_the_documented_contract() -> None:
    line = next(jsonl.sentiment([Answer(ONE, {"id": 7, "label": "theirs"})]))
    assert list(json.loads(line).items()) == [
        ("text", "Not good"), ("label", "negative"), ("score", 0.8654),
        ("scores", {"negative": 0.8654, "positive": 0.1346}), ("stars", 2), ("id", 7), ("input.label", "theirs"),
    ]  # fmt: skip
    found = json.loads(next(jsonl.sentiment([Answer(EXPLAINED)])))
    assert found["contributions"][1] == {"text": "good", "start": 4, "end": 8, "weight": -0.5123}
    assert list(jsonl.sentiment([FAILED])) == ['{"error":"It went wrong.","line":7,"id":1}\n']


@given(answers)
def test_jsonl_parses_back(given_answers: list[Answer]) -> None:
    for line, (prediction, _) in zip(jsonl.sentiment(given_answers), given_answers, strict=True):
        assert isinstance(prediction, SentimentPrediction)
        found = json.loads(line)
        assert found["text"] == without_surrogates(prediction.text)
        assert found["stars"] == prediction.stars
        assert ("contributions" in found) == (prediction.contributions is not None)


@given(judged())
def test_weighed_stretches_join_to_the_text(prediction: SentimentPrediction) -> None:
    assert "".join(piece for piece, _ in weighed(prediction)) == prediction.text


def test_text_is_one_line_for_each() -> None:
    lines = list(text.sentiment([Answer(ONE), FAILED, Answer(EXPLAINED)]))
    assert lines == [
        "negative 87%, 2 of 5 stars: Not good\n", "\n", "negative 80%, 2 of 5 stars: Not(+2.50) good(-0.51)\n"
    ]  # fmt: skip


@given(answers)
def test_tsv_has_one_row_for_each(given_answers: list[Answer]) -> None:
    rows = "".join(tsv.sentiment(given_answers))
    found = list(csv.reader(io.StringIO(rows, newline="\n"), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert found[0] == list(tsv.JUDGED)
    assert len(rows.split("\n")) == len(given_answers) + 2
    assert all(len(row) == len(tsv.JUDGED) for row in found)


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(answers)
def test_html_is_balanced_and_holds_no_tag_of_the_text(given_answers: list[Answer]) -> None:
    page = Balance()
    page.feed("".join(html.sentiment(given_answers)))
    assert page.open == []
    assert not page.seen & {"script", "red"}


@given(answers)
def test_a_terminal_sees_no_control_of_the_text(given_answers: list[Answer]) -> None:
    for name in ("text", "tsv", "jsonl", "html"):
        shown = "".join(formats.render("sentiment", name, given_answers, Terminal()))
        assert visible(shown) == shown
    drawn = "".join(RENDERERS["sentiment"](given_answers, io.StringIO()))
    assert visible(drawn) == drawn


def test_the_terminal_shows_label_stars_and_weights() -> None:
    first, failed, second = RENDERERS["sentiment"]([Answer(ONE), FAILED, Answer(EXPLAINED)], io.StringIO())
    assert "negative 87%  ★★☆☆☆ 2 of 5" in first
    assert failed == ""
    assert "[Not +2.50] [good -0.51]" in second


def test_a_page_shades_words_by_their_share_of_the_largest_weight() -> None:
    parts = [("so", 2.0), ("thin", -0.5), ("a", 0.05), ("film", 0.3)]
    starts = [0, 3, 8, 10]
    why = tuple(Contribution(word, at, at + len(word), w) for (word, w), at in zip(parts, starts, strict=True))
    judged = SentimentPrediction(
        text="so thin a film", label="negative", score=0.9, scores={"negative": 0.9}, contributions=why
    )
    page = "".join(html.sentiment([Answer(judged)]))
    shades = re.findall(r"--tint: var\(--(\w+)\); --w: ([\d.]+)\">(\w+)", page)
    assert shades == [("for", "1.00", "so"), ("against", "0.25", "thin"), ("for", "0.15", "film")]
    assert '<html lang="en">' in page
    assert '<p dir="auto" lang="">' in page


def test_conllu_is_not_for_opinions() -> None:
    with pytest.raises(UsageError, match="cannot be written in the format 'conllu'"):
        formats.check("sentiment", "conllu")
    assert formats.choose("sentiment", "auto", io.StringIO()) == "jsonl"
    assert formats.choose("sentiment", "auto", io.StringIO(), ".html") == "html"
    with pytest.raises(UsageError, match=r"suffix '\.conllu' tells no format"):
        formats.choose("sentiment", "auto", io.StringIO(), ".conllu")


def test_keys_that_are_also_ours_are_passed_through_by_another_name() -> None:
    extra = {"label": "positive", "id": 1, "input.label": "old", "text": "T"}
    (line,) = jsonl.sentiment([Answer(ONE, extra)])
    found = json.loads(line)
    assert (found["label"], found["text"], found["id"]) == (ONE.label, ONE.text, 1)
    passed = {key: value for key, value in found.items() if key.startswith("input.")}
    assert passed == {"input.label": "old", "input.input.label": "positive", "input.text": "T"}
    (line,) = jsonl.sentiment([Answer(FAILED.prediction, {"line": 3})])
    assert json.loads(line) == {"error": "It went wrong.", "line": 7, "input.line": 3}
