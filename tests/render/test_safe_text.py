from __future__ import annotations

import json
import unicodedata

import msgspec
from hypothesis import given
from nasty_answers import texts

from nlpseq.render.safe import escaped_json, one_line, visible, without_surrogates


@given(texts)
def test_no_control_survives_and_offsets_hold(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert {c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}} <= {"\n", "\t"}
    assert not {c for c in shown if unicodedata.bidirectional(c) in {"LRO", "RLO", "LRE", "RLE", "PDF", "RLI"}}


@given(texts)
def test_one_line_is_one_line_for_every_program(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert len(one_line(text)) == len(text)


@given(texts)
def test_json_for_a_terminal_says_the_same(text: str) -> None:
    line = escaped_json(msgspec.json.encode({text: text}).decode())
    assert json.loads(line) == {text: text}
    assert visible(line) == line


def test_what_people_write_is_left_alone() -> None:
    for text in ("naïve 漢字 😀", "👩\u200d👩\u200d👧", "می\u200cخواهم", "a\tb\nc", "\u200fעברית"):
        assert visible(text) == text


def test_surrogates_become_the_replacement_character_at_any_depth() -> None:
    assert without_surrogates({"a\ud800": ["\udfff", {"b": ("x\ud83d",)}, 1, None]}) == {
        "a\ufffd": ["\ufffd", {"b": ["x\ufffd"]}, 1, None]
    }
