from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlpseq.errors import UsageError
from nlpseq.text import tokenizer as module
from nlpseq.text.rules import Rules
from nlpseq.text.tokenizer import GIANT, Tokenizer, rules_for, sentence_starts

ENGLISH = Tokenizer("en", rules=rules_for("en"))

# Pieces on which spaCy's English rules have something to say, to be joined at random.
PIECES = st.sampled_from([
    "a.m.", "U.S.", "don't", "cannot", "I'm", "'ve", "$5", "10km", "e-mail", "a@b.com", "http://x.y/?q=1",
    "www.a.de", ":)", ":-)", "o_O", "(^_^)", "...", "…", "--", "—", "(", ")", '"', "“", "”", "’s", "/", "x/y",
    "#tag", "@me", "C++", "1,000.5", "3:30pm", "Mr.", "é", "e\u0301", "日本語", "שלום", "😀", "👩\u200d👩\u200d👧",
    "🇮🇳", "\u200b", "\ufeff", "\x00", "\xad", " ", "  ", "\n", "\n\n", "\t", "\xa0", "\u2028", "\x1c", "\x85",
    "\u3000", "a", "Z", "9", "'", "-", "_", "*", "<b>",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)


@given(TEXTS)
@example("")
@example(" ")
@example("\ud800 half a pair \udfff.")  # json.loads('"\\ud800"') gives such a text
@example("a" * (GIANT + 1) + ", b")
def test_every_word_stands_where_it_says(text: str) -> None:
    tokens, starts = ENGLISH.words(text)
    assert all(text[s : s + len(w)] == w for w, s in zip(tokens, starts, strict=True))
    assert all(w and not w.isspace() for w in tokens)
    ends = [0, *(s + len(w) for w, s in zip(tokens, starts, strict=True))]
    gaps = [text[a:b] for a, b in zip(ends, [*starts, len(text)], strict=True)]
    assert all(not gap or gap.isspace() for gap in gaps)  # in order, without overlap, and nothing is lost


def words_of_spacy(tokenizer: Tokenizer, text: str) -> list[tuple[str, int]]:
    """spaCy's words of each stretch by itself.

    Where brackets or smileys meet, it looks across white space: it parts ":)" in "x:) )", though not in "x:)".
    """
    return [
        (token.text, match.start() + token.idx)
        for match in re.finditer(r"\S+", text)
        for token in tokenizer.nlp.tokenizer(match.group())
        if token.text
    ]


@settings(max_examples=200)
@given(TEXTS)
@example("a.m.:) ) x:) )")
def test_words_are_those_of_spacy(text: str) -> None:
    if any(len(stretch) > GIANT for stretch in text.split()):
        return
    assert list(zip(*ENGLISH.words(text), strict=True)) == words_of_spacy(ENGLISH, text)


@pytest.mark.parametrize("language", ["de", "fr", "xx"])
@settings(max_examples=30)
@given(text=TEXTS)
def test_words_are_those_of_spacy_in_other_languages(language: str, text: str) -> None:
    tokenizer = Tokenizer(language)
    assert list(zip(*tokenizer.words(text), strict=True)) == words_of_spacy(tokenizer, text)


@given(TEXTS, st.integers(1, 6))
def test_sentences_part_the_words(text: str, limit: int) -> None:
    sentences = Tokenizer.sentences(_with_limit(limit), text)
    tokens, starts = ENGLISH.words(text)
    assert [w for s in sentences for w in s.tokens] == tokens
    assert [s for one in sentences for s in one.starts] == starts
    assert all(1 <= len(one.tokens) == len(one.starts) <= limit for one in sentences)


def _with_limit(limit: int) -> Tokenizer:
    tokenizer = Tokenizer.__new__(Tokenizer)
    tokenizer.__dict__ = {**ENGLISH.__dict__, "limit": limit}
    return tokenizer


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("He came. She left.", ["He came .", "She left ."]),
        ('"Go!" he said. "Now?" "Yes."', ['" Go ! " he said .', '" Now ? "', '" Yes . "']),
        ("Mr. Smith of St. Louis came.", ["Mr. Smith of St. Louis came ."]),
        ("It is 3.5 a.m. in the U.S. now", ["It is 3.5 a.m. in the U.S. now"]),
        ("One line\nand the next", ["One line and the next"]),
        ("A heading\n\nThe text", ["A heading", "The text"]),
        ("Really?! Yes…  No", ["Really ? !", "Yes …", "No"]),
        ("(He came.) She left.", ["( He came . )", "She left ."]),
        ("wait. what", ["wait . what"]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    assert [" ".join(s.tokens) for s in ENGLISH.sentences(text)] == wanted


def test_the_limit_cuts_what_has_no_end() -> None:
    sentences = ENGLISH.sentences("word " * 1001)
    assert [len(s.tokens) for s in sentences] == [250, 250, 250, 250, 1]


@pytest.mark.parametrize(
    "unit", ["a", "a.", "http://a.b/", "(", "a-", "'", "1,", "@", "a/b:", "😀", "…", "-", "a'", '"(', "://", "日"]
)
def test_giant_words_never_reach_the_rules(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules take a time that grows with the square of a word; so what they are given stays short.

    Counting the characters that reach them cannot flake, as a clock can. 4 million would: the text is that long.
    """
    tokenizer = Tokenizer("en", rules=rules_for("en"))
    given_to_rules: list[int] = []
    inner = Rules.split
    monkeypatch.setattr(Rules, "split", lambda self, text: given_to_rules.append(len(text)) or inner(self, text))
    must_pass_giants_by(tokenizer, unit, given_to_rules)


@pytest.mark.parametrize("unit", ["a", "http://a.b/", "://"])
def test_giant_words_never_reach_spacy(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer("xx")
    given_to_spacy: list[int] = []
    inner = tokenizer.nlp.tokenizer
    monkeypatch.setattr(tokenizer.nlp, "tokenizer", lambda text: given_to_spacy.append(len(text)) or inner(text))
    must_pass_giants_by(tokenizer, unit, given_to_spacy)


def must_pass_giants_by(tokenizer: Tokenizer, unit: str, given: list[int]) -> None:
    giant = unit * (200_000 // len(unit))
    tokens, starts = tokenizer.words(f"Before {giant} after.")
    assert "".join(tokens) == f"Before{giant}after."
    assert (tokens[0], tokens[-2:], starts[0]) == ("Before", ["after", "."], 0)
    assert max(given) <= GIANT
    assert sum(given) <= len("Before a after.")


def test_giant_words_are_not_remembered() -> None:
    """The memory holds a number of words, so each must be small."""
    tokenizer = Tokenizer("en")
    tokenizer.words("a" * (GIANT + 1) + " " + "b" * GIANT)
    assert list(tokenizer._memory) == ["b" * GIANT]


@pytest.mark.parametrize("address", ["https://example.org/" + "a-b.c/" * 100, "WWW.example.org/?" + "q=%20&" * 100])
def test_a_giant_address_is_one_word(address: str) -> None:
    assert ENGLISH.words(f"see {address} now")[0] == ["see", address, "now"]


def test_the_memory_changes_nothing_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", 3)
    tokenizer = Tokenizer("en")
    texts = ["don't stop (now)", "can't, won't", "don't e-mail me", "a b c d e f g"]
    for text in texts * 2:
        assert tokenizer.words(text) == ENGLISH.words(text)
        assert len(tokenizer._memory) <= 3


@pytest.mark.parametrize("language", ["english", "", "zz", "../en", "en_core_web_sm"])
def test_an_unknown_language_is_a_sentence_that_names_it(language: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(language))):
        Tokenizer(language).words("word")


def test_where_there_are_no_rules_those_for_any_language_are_named() -> None:
    with pytest.raises(UsageError, match=r"no rules for 'zz'\. .* --language xx\.$"):
        Tokenizer("zz").words("word")
    assert Tokenizer("xx").words("one word")[0] == ["one", "word"]


@pytest.mark.skipif(find_spec("pythainlp") is not None, reason="with its package, Thai simply works")
def test_a_language_that_needs_a_package_says_which() -> None:
    with pytest.raises(UsageError, match="pythainlp"):
        Tokenizer("th").words("word")


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns a thousand times as often as they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often_switched")
@pytest.mark.parametrize(("language", "word", "words"), [
    ("en", "can't", ["ca", "n't"]), ("fr", "l'arbre", ["l'", "arbre"]),
])  # fmt: skip
def test_threads_may_share_a_tokenizer(
    language: str, word: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it forgets all the time, and spaCy is one for all."""
    monkeypatch.setattr(module, "MEMORY", 8)
    tokenizer = Tokenizer(language, rules=rules_for(language))

    def read(number: int) -> bool:
        own = [f"w{number}x{k}" for k in range(5)]
        return tokenizer.words(" ".join([*own, word]))[0] == [*own, *words]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(1500)))


def test_a_copy_is_the_same_and_remembers_nothing() -> None:
    text = "I can't :) stay"
    ENGLISH.words(text)
    copied = pickle.loads(pickle.dumps(ENGLISH))
    assert (copied.language, copied.limit, copied.rules) == (ENGLISH.language, ENGLISH.limit, ENGLISH.rules)
    assert not copied._memory
    assert copied.words(text) == ENGLISH.words(text)


@given(st.lists(st.sampled_from([".", "a", "B", '"', "?"]), max_size=20), st.integers(1, 5))
def test_starts_of_sentences_are_in_order_and_within_the_limit(tokens: list[str], limit: int) -> None:
    text = " ".join(tokens)
    starts = list(_starts(tokens))
    begins = sentence_starts(text, tokens, starts, limit)
    assert begins == sorted(set(begins))
    assert begins[:1] == [0] * bool(tokens)
    assert all(b - a <= limit for a, b in pairwise([*begins, len(tokens)]))


def _starts(tokens: list[str]) -> Iterator[int]:
    at = 0
    for token in tokens:
        yield at
        at += len(token) + 1
