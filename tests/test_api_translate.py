"""The pipeline for translations: order, spacing, alternatives, attention, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlpseq
from nlpseq.api import TranslationPipeline
from nlpseq.errors import UsageError
from nlpseq.records import Alternative, Failure, TokenizedText, TranslationPrediction
from nlpseq.tasks.translation import Translated
from nlpseq.tasks.translation_paragraphs import joined
from nlpseq.text.paragraphs import parts_of
from tests import translators


@cache
def pipe() -> TranslationPipeline:
    return translators.pipeline(translators.untrained())


def answered(texts: list[object], **options: object) -> list[TranslationPrediction | Failure]:
    return list(pipe().pipe(texts, **options))  # type: ignore[arg-type]


def test_texts_are_answered_in_order_and_as_they_are_alone() -> None:
    texts = ["a b c", "", "  d e.  F g!\n\nh", "a", "12:30", "j i h g f e d c b a"]
    together = answered(list(texts))
    for one, text in zip(together, texts, strict=True):
        assert isinstance(one, TranslationPrediction)
        alone = pipe()(text)
        assert (one.source, one.translation) == (text, alone.translation)
        assert one.score == pytest.approx(alone.score, abs=1e-4)
    assert [one.translation for one in together[1::3]] == ["", "12:30"]  # type: ignore[union-attr]
    assert together[1].score == 0  # type: ignore[union-attr]


@settings(max_examples=20)
@given(st.text(st.sampled_from("ab .!\n\t1@c\ud800"), max_size=30))
def test_line_breaks_and_the_space_around_stay(text: str) -> None:
    translation = pipe()(text).translation
    assert translation.count("\n") == text.count("\n")
    assert not text.strip() or translation.startswith(text[: len(text) - len(text.lstrip())])


def test_addresses_stay_as_they_are() -> None:
    translation = pipe()("a b ada@example.org c d. https://example.org/a?b=c").translation
    assert " ada@example.org " in translation
    assert translation.endswith(" https://example.org/a?b=c")


class Echo:
    """A translator that says what it is asked, but for a name."""

    def __init__(self, lost: str = "") -> None:
        self.config, self.pieces = translators.untrained().config, translators.untrained().pieces
        self.lost = lost
        self.asked: list[str] = []

    def translate(self, sentences: Sequence[str], *_: object, **__: object) -> list[Translated]:
        self.asked += sentences
        said = [sentence.replace(self.lost, "she") if self.lost else sentence for sentence in sentences]
        return [Translated(one, -1.0, (), None, None) for one in said]

    def fits(self, text: str) -> bool:
        return len(text) <= 30


def test_an_address_within_a_sentence_is_translated_around() -> None:
    text = "First. Write to ada@example.org before noon. Last."
    echo = Echo()
    assert TranslationPipeline(echo, pipe().manifest)(text).translation == text
    assert echo.asked == ["First.", "Write to Tom before noon.", "Last."]


def test_where_the_name_in_its_place_is_lost_the_sentence_is_cut() -> None:
    text = "First. Write to ada@example.org before noon. Last."
    echo = Echo(lost="Tom")
    assert TranslationPipeline(echo, pipe().manifest, alternatives=2)(text).translation == text
    assert echo.asked == ["First.", "Write to Tom before noon.", "Last.", "Write to", "before noon."]


def test_no_more_is_read_than_a_batch() -> None:
    read: list[int] = []

    def texts() -> Iterator[str]:
        for number in range(100):
            read.append(number)
            yield "a b"

    next(pipe().pipe(texts(), batch_size=4))
    assert len(read) == 4


def test_what_is_no_text_fails_in_its_place() -> None:
    one, failed, other, words = answered(["a", 5, TokenizedText("a  b", ("a", "b"), (0, 3)), ["a", "b"]])
    assert isinstance(one, TranslationPrediction)
    assert isinstance(failed, Failure)
    assert failed.line == 2
    assert (other.source, words.source) == ("a  b", "a b")  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="Expected a text"):
        pipe()(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="many texts"):
        pipe().pipe("a text")
    with pytest.raises(TypeError, match="many texts"):
        pipe()(["a text", "b"])


def test_alternatives_and_attention_are_there_where_they_are_asked_for() -> None:
    plain = pipe()("a b c. D e f.")
    assert (plain.alternatives, plain.attention) == ((), None)
    rich = pipe().searching(alternatives=3, attention=True)("a b c. D e f. 12 a@b.c")
    assert rich.alternatives[0] == Alternative(rich.translation, rich.score)
    assert len({one.translation for one in rich.alternatives}) == len(rich.alternatives) == 3
    assert rich.attention is not None
    assert len(rich.attention) == 2  # two sentences have letters
    for one in rich.attention:
        assert [len(row) for row in one.weights] == [len(one.source)] * len(one.target)
        assert [sum(row) for row in one.weights] == pytest.approx([1.0] * len(one.target), abs=1e-4)
    assert [piece for piece in "".join(rich.attention[0].source) if piece in "abc"] == ["a", "b", "c"]  # not reversed


def test_settings_of_the_search_are_checked() -> None:
    assert pipe().searching(beam_size=2).search.beam_size == 2
    for wrong in ({"beam_size": 0}, {"alternatives": -1}, {"alternatives": 101}):
        with pytest.raises(UsageError):
            pipe().searching(**wrong)  # type: ignore[arg-type]
    blind = translators.pipeline(translators.untrained(decoder={"attention": "none"}))
    with pytest.raises(UsageError, match="without attention"):
        blind.searching(attention=True)
    assert blind("a b c").attention is None


@pytest.mark.usefixtures("full_precision")
def test_load_gives_the_pipeline_of_a_folder(tmp_path: Path) -> None:
    folder = translators.write_checkpoint(tmp_path / "letters", translators.untrained())
    loaded = nlpseq.load(folder)
    assert isinstance(loaded, TranslationPipeline)
    assert loaded("a b c").translation == pipe()("a b c").translation  # float16 changes no choice here


def sentence(score: float, *alternatives: tuple[str, float], note: str | None = None) -> Translated:
    found = tuple(Alternative(*one) for one in alternatives)
    return Translated(found[0].translation, score, found, None, note)


def test_alternatives_of_a_text_are_the_best_choices_for_its_sentences() -> None:
    text = "Un. Deux."
    first = sentence(-0.1, ("A.", -0.1), ("B.", -0.4), note="long")
    second = sentence(-0.2, ("X.", -0.2), ("Y.", -0.3), note="long")
    found = joined(text, parts_of(text), [first, second], alternatives=3)
    assert [one.translation for one in found.alternatives] == ["A. X.", "A. Y.", "B. X."]
    assert [one.score for one in found.alternatives] == pytest.approx([-0.15, -0.2, -0.3])
    assert (found.translation, found.note) == ("A. X.", "long")
