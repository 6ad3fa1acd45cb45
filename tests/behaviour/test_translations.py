"""What `translate-en-fr` must make of sentences that were written for this test, not taken from any corpus."""

from __future__ import annotations

import pytest

import nlpseq
from nlpseq.api import TranslationPipeline

# Each with words that any good translation has, whatever else it says.
SENTENCES = {
    "Do you want to sing with me?": ("chanter", "moi", "?"),
    "She lives in Paris.": ("Paris", "."),
    "Where is the train station?": ("Où", "gare", "?"),
    "We have two cats and a dog.": ("deux chats", "chien"),
    "He didn't want to go home.": ("ne voulait pas",),
    "It's raining today.": ("pleut", "aujourd'hui"),
    "I don't speak French.": ("français",),
    "The children are playing in the garden.": ("enfants jouent", "jardin"),
    "Two women are walking on the beach.": ("femmes marchent", "plage"),
    "A man is playing the guitar.": ("homme joue de la guitare",),
    "I would like a cup of coffee.": ("tasse de café",),
    "Thank you very much!": ("Merci", "!"),
    "I have never seen such a beautiful sunset.": ("jamais vu", "coucher de soleil"),
    "My brother bought three books.": ("frère", "trois livres"),
}


@pytest.fixture(scope="module")
def pipeline() -> TranslationPipeline:
    loaded: TranslationPipeline = nlpseq.load("translate-en-fr")
    return loaded


@pytest.mark.parametrize("sentence", SENTENCES)
def test_everyday_sentences(pipeline: TranslationPipeline, sentence: str) -> None:
    translation = pipeline(sentence).translation
    assert [word for word in SENTENCES[sentence] if word not in translation] == [], translation


def test_what_is_no_sentence_survives(pipeline: TranslationPipeline) -> None:
    text = "  Thank you very much!\n\n12:30\ntom@example.org\n"
    first, *rest = pipeline(text).translation.split("\n")
    assert first.startswith("  Merci")
    assert rest == ["", "12:30", "tom@example.org", ""]


def test_a_sentence_is_translated_alone_as_among_others(pipeline: TranslationPipeline) -> None:
    together = [prediction.translation for prediction in pipeline.pipe(list(SENTENCES))]  # type: ignore[union-attr]
    assert together == [pipeline(sentence).translation for sentence in SENTENCES]
