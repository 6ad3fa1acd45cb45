from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from nasty_answers import answers, sample
from rich.cells import cell_len

from nlpseq.records import Failure, TagPrediction, Token
from nlpseq.render import terminal
from nlpseq.render.answer import Answer

OUR_OWN = re.compile(r"\x1b\[[0-9;]*m")  # colours and weights; no cursor movement, no titles


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*given_answers: Answer) -> str:
    return "".join(terminal.tag(given_answers, Terminal()))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_sentence_is_highlighted_and_tokens_are_a_table() -> None:
    screen = shown(Answer(sample()))
    assert "\x1b[" in screen
    plain = OUR_OWN.sub("", screen)
    assert plain.splitlines()[0] == " Sumesh PER  worked at  Cisco ORG , yesterday."
    assert re.search(r"Token +UPOS +XPOS +Entity +Confidence", plain)
    assert re.search(r"Cisco +X +Y +B-ORG +99%", plain)


def test_columns_without_a_head_are_left_out() -> None:
    screen = OUR_OWN.sub("", shown(Answer(TagPrediction("a", (Token("a", 0, 1, "DET"),)))))
    assert "UPOS" in screen
    assert not {"XPOS", "Entity", "Confidence"} & set(screen.split())


@settings(deadline=None)  # a token of 5,000 characters folds into hundreds of lines
@given(answers)
def test_text_never_brings_controls_or_markup(given_answers: list[Answer]) -> None:
    screen = OUR_OWN.sub("", shown(*given_answers))
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" and c not in "\u2028\u202e" for c in screen if c != "\n")


def test_markup_and_emoji_codes_are_shown_as_written() -> None:
    text = "[red]x[/red] :smile: [link=http://a]"
    assert text in shown(Answer(TagPrediction(text, (Token(text, 0, len(text)),))))


def test_no_color_marks_entities_with_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = shown(Answer(sample()))
    assert not re.search(r"\x1b\[[0-9;]*(3|4|9|10)[0-7]m", screen)
    assert OUR_OWN.sub("", screen).startswith("[Sumesh PER] worked at [Cisco ORG], yesterday.")


def test_force_color_colours_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in "".join(terminal.tag([Answer(sample())], io.StringIO()))
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in "".join(terminal.tag([Answer(sample())], io.StringIO()))


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_narrow_terminals_are_respected(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = "x" * 300 + " 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
    tokens = (Token("x" * 300, 0, 300, "PROPN", "NNP", "B-PER", 0.5), Token(long[301:], 301, len(long)))
    screen = OUR_OWN.sub("", shown(Answer(sample()), Answer(TagPrediction(long, tokens))))
    assert max(cell_len(line) for line in screen.splitlines()) <= columns


def test_several_inputs_are_separated_by_numbered_rules() -> None:
    screen = OUR_OWN.sub("", shown(Answer(sample()), Answer(Failure("no", 2)), Answer(sample())))
    assert [line.strip("─ ") for line in screen.splitlines() if "─ " in line] == ["3"]
    assert screen.count("Sumesh PER") == 2


def test_empty_text_says_so() -> None:
    assert "(no tokens)" in shown(Answer(TagPrediction("", ())))
