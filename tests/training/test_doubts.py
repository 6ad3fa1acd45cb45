from __future__ import annotations

import pytest

from nlpseq.corpora.plain import PlainText
from nlpseq.records import LabelledText, TaggedSentence
from nlpseq.training import doubts as module
from nlpseq.training.doubts import doubt_of, doubts
from tests.examples import corpus
from tests.opinions import opinions


def texts(*labels: str, of: str = "dev") -> list[LabelledText]:
    return [LabelledText(text=f"text {n} of {of}", labels={"label": label}) for n, label in enumerate(labels)]


def test_usual_examples_raise_none() -> None:
    assert list(doubts(corpus(50, seed=1), corpus(10, seed=2))) == []
    assert list(doubts(opinions(50, seed=1), opinions(10, seed=2))) == []
    assert list(doubts(["a line"], ["another"])) == []


def test_what_comes_before_the_first_step_of_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = PlainText([lambda: iter(["a line", "another", "a third"])], distinct=True)
    assert list(doubts(text, ["a line"])) == []
    monkeypatch.setattr(module, "LONG", 2)
    (told,) = doubts(text, ["a line"])
    assert told.startswith("The 3 lines are read several times")


def test_labels_that_will_never_be_found() -> None:
    (told,) = doubts(texts("good", "bad", of="train"), texts("good", "POS", "NEG"))
    assert told == "label: development examples have labels that are never trained: NEG, POS."


@pytest.mark.parametrize(
    ("scores", "poor"),
    [
        ({"upos": 60.0, "ner": 0.0, "mean": 30.0}, "upos 60.00, ner 0.00: no better"),
        ({"upos": 60.1, "ner": 0.0, "mean": 30.0}, "ner 0.00: no better"),
        ({"upos": 60.1, "ner": 1.0, "mean": 30.0}, None),
        ({"upos": 12.0, "mean": 12.0}, "upos 12.00: no better"),
    ],
)
def test_scores_of_the_commonest_label_are_none(scores: dict[str, float], poor: str | None) -> None:
    """Three of five words are nouns; whoever sees no name in any word finds none; of one XPOS alone all are right."""
    columns = {"upos": ("N", "N", "V", "D", "N"), "ner": ("B-PER", "O", "O", "O", "O"), "xpos": ("X",) * 5}
    sentence = TaggedSentence(tokens=tuple("abcde"), starts=(0, 1, 2, 3, 4), text="abcde", columns=columns)
    told = doubt_of({**scores, "xpos": 100.0}, [sentence])
    assert told is None if poor is None else told is not None and told.startswith(poor)


def test_scores_of_texts_that_their_commonest_label_has() -> None:
    dev = texts("good", "good", "bad")
    assert doubt_of({"label": 100 * 2 / 3, "mean": 100 * 2 / 3}, dev) is not None
    assert doubt_of({"label": 67.0, "mean": 67.0}, dev) is None
    assert doubt_of({"probability": 0.1}, ["a line"]) is None


def test_labels_that_differ_in_case() -> None:
    (told,) = doubts(texts("good", "Good", "bad", of="train"), texts("good"))
    assert told.endswith("learnt as several: Good and good.")


def test_a_column_that_is_hardly_one_of_labels() -> None:
    names = [f"name {n}" for n in range(100)]
    (told,) = doubts(texts(*names, of="train"), texts(*names))
    assert told == "label: half of its 100 labels come 1 time(s) at most; is this the right column?"
    assert list(doubts(texts(*names * 3, of="train"), texts(*names))) == []


def test_development_examples_that_are_learnt() -> None:
    """A few, such as thanks, come again in any corpus."""
    (told,) = doubts(texts("good", "bad"), texts("good", "bad"))
    assert told.startswith("2 of 2 development examples are training examples, too")
    assert list(doubts(texts("good", "bad"), [*texts("good"), *texts(*["bad"] * 5, of="another")])) == []


def test_labels_that_are_all_the_same() -> None:
    (told,) = doubts(texts("good", "good", of="train"), texts("good"))
    assert told == "label: all training examples have the label good alone; there is nothing to learn."
