"""The limit for speed is measured on what the task itself would read: every word, in batches of the same shapes."""

from __future__ import annotations

import pytest

from nlpseq import layers_alone
from nlpseq.batching import length_groups
from nlpseq.tasks.sentiment import INFERENCE_TOKENS
from nlpseq.tasks.windows import in_windows
from tests import classifiers, languages, taggers, translators

TEXTS = ["one two three", "a", "", "a longer one , with twelve words that a window of eight will not hold"]


def test_every_word_is_read_and_an_empty_text_is_none() -> None:
    tagger = taggers.untrained()
    alone = layers_alone.layers_alone(tagger, TEXTS)
    assert alone is not None
    assert (alone.texts, alone.words) == (4, 3 + 1 + 0 + 15)
    assert alone.seconds > 0
    work = layers_alone._of_tagger(tagger, TEXTS)
    assert sum(rows * width for rows, width in work.shapes) >= work.words


def test_a_classifiers_batches_have_the_shapes_that_it_reads_itself() -> None:
    classifier = classifiers.untrained(windows={"size": 8, "overlap": 2})
    work = layers_alone._of_classifier(classifier, TEXTS)
    lengths = [len(classifier.tokens(text)) for text in TEXTS]
    rows = ([[1] * lengths[index] for index in group] for group in length_groups(lengths, INFERENCE_TOKENS))
    assert work.shapes == [tuple(in_windows(group, 8, 2).rows_RW.shape) for group in rows]


def test_of_a_translator_it_is_the_encoder() -> None:
    translator = translators.untrained()
    alone = layers_alone.layers_alone(translator, ["a b c", "d"])
    assert alone is not None
    assert alone.words == sum(len(translator.source_ids(text)) for text in ("a b c", "d"))


def test_of_many_texts_some_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_alone, "ENOUGH_TEXTS", 2)
    alone = layers_alone.layers_alone(taggers.untrained(), ["one"] * 5)
    assert alone is not None
    assert (alone.texts, alone.words) == (2, 2)  # every third


def test_a_language_model_has_none() -> None:
    assert layers_alone.layers_alone(languages.untrained(), TEXTS) is None
