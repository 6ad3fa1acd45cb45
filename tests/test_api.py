from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nlpseq
from nlpseq import api
from nlpseq.api import TagPipeline, load
from nlpseq.errors import TrustError, UsageError
from nlpseq.given import CHARACTERS_AHEAD, FAR_AHEAD
from nlpseq.records import Failure, TagPrediction, TokenizedText
from nlpseq.text.tags import spans_of
from tests.examples import corpus
from tests.taggers import untrained, write_checkpoint


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> TagPipeline:
    """A tagger with random weights: what it says is nonsense, and where it says so is not."""
    return load(write_checkpoint(tmp_path_factory.mktemp("api") / "tiny"), device="cpu")


TEXTS = [
    "Mr Paris can sing in Sydney City .",
    "",
    " \t ",
    "One line\nand another\r\n\r\nA third paragraph. And more.",
    "👩\u200d👩\u200d👧 emoji 😀😀 and e\u0301 combined",
    "שלום עולם",
    "日本語のテキスト。次の文。",
    "half \ud800 a pair",
    "null \x00 and \x1b[31m red",
    "https://example.org/a?b=c, a@b.com; #tag @me",
    "a" * 5000,
    "word " * 600,
]


def well_formed(prediction: TagPrediction) -> bool:
    """Offsets, order, entities and scores are what records.py promises."""
    text, tokens = prediction.text, prediction.tokens
    assert all(text[t.start : t.end] == t.text and t.text for t in tokens)
    assert all(a.end <= b.start for a, b in itertools.pairwise(tokens))
    assert all(t.score is not None and 0 <= t.score <= 1 + 1e-6 for t in tokens)
    assert all(t.upos and t.xpos and t.ner for t in tokens)
    assert list(prediction.sentences) == sorted(set(prediction.sentences))
    assert prediction.sentences[:1] == ((0,) if tokens else ())
    bounds = [*prediction.sentences, len(tokens)]
    found = [
        (label, tokens[begin + first].start, tokens[begin + end - 1].end)
        for begin, stop in itertools.pairwise(bounds)
        for label, first, end in spans_of([t.ner or "" for t in tokens[begin:stop]])
    ]
    assert [(e.label, e.start, e.end) for e in prediction.entities] == found
    assert all(text[e.start : e.end] == e.text for e in prediction.entities)
    return True


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:30])
def test_any_text_is_tagged_where_it_stands(tagger: TagPipeline, text: str) -> None:
    prediction = tagger(text)
    assert prediction.text == text
    assert well_formed(prediction)
    assert "".join(t.text for t in prediction.tokens) == "".join(text.split())


@settings(max_examples=60)
@given(text=st.text(st.characters(), max_size=60))
def test_any_text_at_all(tagger: TagPipeline, text: str) -> None:
    assert well_formed(tagger(text))


@given(words=st.lists(st.text(min_size=1, max_size=10), max_size=10))
@settings(max_examples=60)
def test_words_are_taken_as_given(tagger: TagPipeline, words: list[str]) -> None:
    """Whatever is in them, white space too (which a call takes for many texts)."""
    (prediction,) = tagger.pipe([words])
    assert isinstance(prediction, TagPrediction)
    assert [t.text for t in prediction.tokens] == words
    assert prediction.text == " ".join(words)
    assert all(prediction.text[t.start : t.end] == t.text for t in prediction.tokens)


def test_words_given_as_a_tuple_and_more_than_the_limit(tagger: TagPipeline) -> None:
    words = tuple(f"w{n}" for n in range(601))
    prediction = tagger(words)
    assert tuple(t.text for t in prediction.tokens) == words
    assert prediction.sentences == (0,)  # given as one sentence, and cut for the network alone
    assert well_formed(prediction)


def test_tokens_are_taken_with_the_text_they_lie_in(tagger: TagPipeline) -> None:
    words = tuple(f"w{n}" for n in range(601))
    text = "  " + "".join(words) + " \n"
    starts = tuple(2 + sum(map(len, words[:n])) for n in range(601))
    prediction = tagger(TokenizedText(text, words, starts))
    assert (prediction.text, prediction.sentences) == (text, (0,))
    assert tuple((t.text, t.start) for t in prediction.tokens) == tuple(zip(words, starts, strict=True))
    assert well_formed(prediction)


@pytest.mark.parametrize(
    "wrong",
    [
        TokenizedText("ab", ("a", "b"), (0,)),
        TokenizedText("ab", ("a", "b"), (1, 0)),
        TokenizedText("ab", ("ab", "b"), (0, 1)),
        TokenizedText("ab", ("a", ""), (0, 1)),
        TokenizedText("ab", ("b",), (-1,)),
    ],
)
def test_tokens_that_do_not_lie_in_their_text_fail_in_their_place(tagger: TagPipeline, wrong: TokenizedText) -> None:
    first, second = tagger.pipe(["a", wrong])
    assert isinstance(first, TagPrediction)
    assert second == Failure("The tokens do not lie in the text, one after the other, where they are said to.", 2)


def test_a_giant_input_is_answered(tagger: TagPipeline) -> None:
    """A megabyte without white space, and 20,000 words without a full stop."""
    assert [t.text for t in tagger("x" * 10**6).tokens] == ["x" * 10**6]
    assert len(tagger("word " * 20_000).tokens) == 20_000


NO_TEXTS: list[Any] = [None, 5, b"bytes", b"", ["a", ""], ["a", None], {"text": "a"}, [["a"]], {"a"}, 1.5]


@pytest.mark.parametrize("wrong", NO_TEXTS, ids=repr)
def test_what_is_no_text_fails_in_its_place(tagger: TagPipeline, wrong: Any) -> None:
    found = list(tagger.pipe(["before", wrong, "after"]))
    assert isinstance(found[1], Failure)
    assert found[1].line == 2
    assert [one.text for one in (found[0], found[2])] == ["before", "after"]
    with pytest.raises(ValueError, match="a text or a list of words"):
        tagger(wrong)


def test_failures_are_counted_over_all_batches(tagger: TagPipeline) -> None:
    inputs: list[Any] = ["text" if n % 10 else None for n in range(100)]
    for size in (1, 7, None):
        found = list(tagger.pipe(inputs, batch_size=size))
        assert [one.line for one in found if isinstance(one, Failure)] == [n + 1 for n in range(0, 100, 10)]


def mixed(count: int) -> list[Any]:
    chance = random.Random(4)
    plain = [*(e.text for e in corpus(count, seed=5)), *TEXTS, ["given", "words"]]
    return [chance.choice(plain) for _ in range(count)]


def nearly(one: TagPrediction, other: TagPrediction) -> bool:
    """The same but for the last digits of probabilities: sums of float32 in another order.

    The CRF sums scores over a sentence: over 250 words they come near 1,000, where float32 has steps of 6e-5.
    """
    close = 1e-5 if len(one.tokens) < 50 else 1e-4
    for ours, theirs in ((one.tokens, other.tokens), (one.entities, other.entities)):
        for a, b in zip(ours, theirs, strict=True):
            assert a.score == pytest.approx(b.score, abs=close)
    return _bare(one) == _bare(other)


def _bare(prediction: TagPrediction) -> tuple[Any, ...]:
    tokens = [(t.text, t.start, t.end, t.upos, t.xpos, t.ner) for t in prediction.tokens]
    return prediction.text, tokens, [(e.label, e.start, e.end) for e in prediction.entities], prediction.sentences


def test_company_changes_nothing(tagger: TagPipeline) -> None:
    inputs = mixed(60)
    alone = [tagger(text) for text in inputs]
    for size in (1, 5, 1000, None):
        together = list(tagger.pipe(inputs, batch_size=size))
        assert all(nearly(a, b) for a, b in zip(alone, together, strict=True))


def test_what_was_tagged_before_changes_nothing(tmp_path: Path) -> None:
    """Word vectors are remembered: a fresh pipeline says the same as one that has seen much."""
    folder = write_checkpoint(tmp_path / "tiny")
    used, inputs = load(folder, device="cpu"), mixed(40)
    list(used.pipe(mixed(100)))
    fresh = load(folder, device="cpu")
    assert all(nearly(used(text), fresh(text)) for text in inputs)


@pytest.mark.parametrize("size", [1, 4, None])
def test_reading_ahead_has_an_end(tagger: TagPipeline, size: int | None) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "some text"

    reports = tagger.pipe(endless(), batch_size=size)
    assert taken == 0  # nothing is done before the first is asked for
    for answered in range(1, 40):
        next(reports)
        ahead = taken - answered
        assert ahead < (size or 4 * (answered + api.FIRST_READ))
    if size is None:
        chunks = api.read_ahead(iter(range(10**5)), None)
        assert [len(next(chunks)) for _ in range(5)] == [16, 64, 256, 1024, 1024]


def test_fewer_inputs_are_read_ahead_where_they_are_long() -> None:
    texts = ["x" * (CHARACTERS_AHEAD // 20)] * 60
    assert [len(chunk) for chunk in api.read_ahead(iter(texts), None, FAR_AHEAD)] == [16, 20, 20, 4]
    assert [len(chunk) for chunk in api.read_ahead(iter(["a", "b"]), None, FAR_AHEAD)] == [2]


def test_an_error_of_the_input_comes_through_after_what_was_read(tagger: TagPipeline) -> None:
    def broken() -> Iterator[str]:
        yield "one"
        yield "two"
        raise OSError("The disk was pulled out.")

    reports = tagger.pipe(broken(), batch_size=1)
    assert [next(reports).text, next(reports).text] == ["one", "two"]
    with pytest.raises(OSError, match="pulled out"):
        next(reports)


def test_nothing_in_nothing_out(tagger: TagPipeline) -> None:
    assert list(tagger.pipe([])) == []
    assert tagger([]) == TagPrediction("", (), (), ())


@pytest.mark.parametrize("columns", [["upos"], ["ner"], ["xpos", "ner"]])
def test_a_checkpoint_without_a_head_leaves_its_label_out(tmp_path: Path, columns: list[str]) -> None:
    one = load(write_checkpoint(tmp_path / "it", untrained(heads={"columns": columns})), device="cpu")
    for token in one("Mr Paris can sing").tokens:
        labels = {"upos": token.upos, "xpos": token.xpos, "ner": token.ner}
        assert {name for name, label in labels.items() if label is not None} == set(columns)
        assert token.score is not None


def test_the_score_is_the_smallest_of_the_labels_shown(tagger: TagPipeline) -> None:
    text = "Mr Paris can sing in Sydney City ."
    prediction = tagger(text)
    (labelled,) = tagger.tagger.predict([text.split()])
    for index, token in enumerate(prediction.tokens):
        assert token.score == pytest.approx(min(p[index] for p in labelled.probabilities.values()), abs=1e-5)
    assert len({round(t.score or 0, 3) for t in prediction.tokens}) > 1


def test_load_by_name_and_by_folder(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "tiny")
    assert nlpseq.load(str(folder))("Mr Paris").text == "Mr Paris"
    with pytest.raises(UsageError, match="'tag-xx'"):
        load("tag-xx")
    with pytest.raises(UsageError, match="device"):
        load(folder, device="abacus")
    (folder / "config.json").write_text(json.dumps({}))
    with pytest.raises(TrustError):
        load(folder)


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is one")
@pytest.mark.parametrize("wrong", [None, 3, b"tag-en"])
def test_what_cannot_be_the_name_of_a_checkpoint_is_told(wrong: Any) -> None:
    with pytest.raises(UsageError, match="is no checkpoint"):
        load(wrong)


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not available"):
        load(write_checkpoint(tmp_path / "tiny"), device="cuda")


@pytest.mark.parametrize("one", ["abc", b"abc", TokenizedText("a", ("a",), (0,))])
def test_one_text_is_not_taken_for_many(tagger: TagPipeline, one: Any) -> None:
    with pytest.raises(TypeError, match="Call the pipeline itself"):
        tagger.pipe(one)


def test_many_texts_are_not_taken_for_the_words_of_one(tagger: TagPipeline) -> None:
    for many in (["Ada sings.", "Bob"], ("one text", "another")):
        with pytest.raises(TypeError, match=r"many texts to pipe\(\)"):
            tagger(many)
    with_space = TokenizedText("1 000 men", ("1 000", "men"), (0, 6))
    assert [token.text for token in tagger(with_space).tokens] == ["1 000", "men"]
    assert [token.text for token in tagger(["one", "two"]).tokens] == ["one", "two"]


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_is_wrong_usage(tagger: TagPipeline, tmp_path: Path, count: int) -> None:
    with pytest.raises(UsageError, match=f"batch_size is {count}"):
        tagger.pipe(["a"], batch_size=count)
    with pytest.raises(UsageError, match=f"threads is {count}"):
        load(write_checkpoint(tmp_path / "tiny"), device="cpu", threads=count)


def test_the_number_of_threads_can_be_set(tmp_path: Path) -> None:
    try:
        load(write_checkpoint(tmp_path / "tiny"), device="cpu", threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_load_is_among_the_names_before_it_is_asked_for() -> None:
    code = "import sys, nlpseq; assert 'load' in dir(nlpseq) and 'nlpseq.api' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
