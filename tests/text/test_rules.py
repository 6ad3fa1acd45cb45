"""spaCy's rules applied without spaCy, against spaCy itself."""

from __future__ import annotations

import os
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlpseq.errors import TrustError
from nlpseq.text.rules import NAME, Patterns, Rules, compiled, cut, plain_rules, read_rules
from nlpseq.text.tokenizer import BETWEEN, GIANT, Tokenizer, rules_for
from tests.text.test_tokenizer import PIECES

ROOT = Path(__file__).parents[2]
ENGLISH = rules_for("en")
assert ENGLISH is not None


@cache
def spacy(language: str) -> Any:
    return Tokenizer(language).nlp.tokenizer


def words_of_spacy(stretch: str, language: str = "en") -> list[str]:
    return [token.text for token in spacy(language)(stretch) if token.text]


def test_rules_survive_a_checkpoint() -> None:
    assert read_rules(msgspec.json.decode(msgspec.json.encode(plain_rules(ENGLISH)))) == ENGLISH
    assert read_rules(plain_rules(None)) is None


def test_rules_that_lose_letters_are_refused() -> None:
    with pytest.raises(ValueError, match="do not spell it"):
        read_rules({NAME: {**plain_rules(ENGLISH)[NAME], "specials": {"don't": ["do", "not"]}}})


def test_what_is_no_pattern_is_told() -> None:
    nothing = Patterns("", "", "", "")
    with pytest.raises(TrustError, match=r"tokenizer\.json: holds what is no regular expression"):
        Rules(nothing, Patterns("(", "", "", ""), {}).split("word")


# Pieces that the rules speak of, joined without white space: marks, units, abbreviations, smileys, addresses.
MARKS = st.sampled_from([*"()[]{}<>.,:;!?…'\"“”‘’`*&#%$€£+-–—~=/_^°§", "..", "--", "'s", "’s", "n't", "'ll"])
SPECIAL = st.sampled_from(sorted(ENGLISH.specials))
STRETCHES = st.lists(
    PIECES | MARKS | SPECIAL | st.from_regex(r"[a-zA-Z]{1,5}|[0-9]{1,4}|[A-Z]\.", fullmatch=True) | st.text(max_size=3),
    max_size=8,
).map(lambda parts: re.sub(r"\s+|[\ud800-\udfff]", "", "".join(parts)))


@settings(max_examples=500)
@given(STRETCHES)
@example("(don't)!")
@example("a.m.:)")
@example("x:)a.m.)")
@example(":)):)")
@example("U.S.-based")
@example("o.O-O.o")
@example("http://a.b/c(d)...")
@example("10km/h,5€.")
@example("e.g.,i.e.")
def test_a_stretch_is_cut_as_spacy_cuts_it(stretch: str) -> None:
    if stretch:
        assert ENGLISH.split(stretch) == words_of_spacy(stretch)


def test_every_special_case_alone_and_between_marks() -> None:
    found = [text for special in ENGLISH.specials for text in (special, f"({special})", f"{special}.", f"x-{special}")]
    theirs = spacy("en")(BETWEEN.join(found))
    at = dict.fromkeys((token.idx, token.idx + len(token.text)) for token in theirs)
    start = 0
    for text in found:
        for word in ENGLISH.split(text):
            assert (start, start + len(word)) in at, text
            start += len(word)
        start += len(BETWEEN)


@given(st.text(st.characters(codec="ascii"), max_size=30) | STRETCHES.filter(str.isascii))
def test_the_patterns_for_ascii_do_the_same_on_it(text: str) -> None:
    stretch = "".join(text.split())
    assert cut(stretch, compiled(ENGLISH.ascii), {}) == cut(stretch, compiled(ENGLISH.patterns), {})


def test_classes_without_what_is_not_ascii() -> None:
    patterns = Patterns("[a-zà-ÿ]", "[é]|[^é]x", r"[\u00a1-\uffff\-]", r"\[é\]|[a|é|b]")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of what could be set operations some day
        assert patterns.for_ascii() == Patterns("[a-z]", r"(?!)|[\s\S]x", r"[\-]", r"\[é\]|[a|b]")
        compiled(ENGLISH.ascii)


def test_the_words_of_whole_corpora_are_cut_as_spacy_cuts_them() -> None:
    """The sample corpora, and where TEST_CORPORA names a folder of public ones, the English treebank."""
    files = [*ROOT.glob("corpora/sample-*/*.csv"), *ROOT.glob("corpora/sample-*/*.tsv"), ROOT / "README.md"]
    mirror = os.environ.get("TEST_CORPORA")
    files += Path(mirror).glob("ud-english-ewt/*.conllu") if mirror else []
    texts = (path.read_text(encoding="utf-8") for path in files)
    stretches = sorted({stretch for text in texts for stretch in text.split() if len(stretch) <= GIANT})
    tokenizer = Tokenizer("en")
    found = tokenizer._as_spacy_does(stretches)
    assert len(stretches) > 1000
    different = [s for s in stretches if [w for _, w in found[s]] != ENGLISH.split(s)]
    assert different == []


@pytest.mark.parametrize(("language", "has"), [("en", True), ("de", True), ("xx", True), ("fr", False), ("zh", False)])
def test_a_tokenizer_that_is_more_than_rules_is_left_to_spacy(language: str, has: bool) -> None:
    assert (rules_for(language) is not None) == has


@pytest.mark.parametrize("language", ["de", "es", "xx"])
@settings(max_examples=50)
@given(stretch=STRETCHES)
def test_other_languages_are_cut_as_spacy_cuts_them(language: str, stretch: str) -> None:
    rules = rules_for(language)
    assert rules is not None
    if stretch:
        assert rules.split(stretch) == words_of_spacy(stretch, language)
