from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.tasks.translation_words import KnownWords

PAIRS = [
    ("She lives in Edinburgh.", "Elle habite à Édimbourg."),
    ("Tom met Archie.", "Tom a rencontré Archie."),
    ("The house is old.", "La maison est vieille."),
]


def words(pairs: list[tuple[str, str]] = PAIRS) -> KnownWords:
    known = KnownWords()
    for pair in pairs:
        known.learn(*pair)
    return known


@pytest.mark.parametrize(
    ("source", "translation", "wanted"),
    [
        ("Dorshaven lives here.", "Warshven habite ici.", "Dorshaven habite ici."),
        ("Sumesh met Kavita.", "Sumeh a rencontré Kavitha, et Sumeh.", "Sumesh a rencontré Kavita, et Sumesh."),
        ("Archie is old.", "Arche est vieux.", "Archie est vieux."),  # both sides have it
        ("She lives in Edinburgh.", "Elle habite à Édimbourg.", "Elle habite à Édimbourg."),
        (
            "She lives in Edinburgh.",
            "Elle habite à Édimburg.",
            "Elle habite à Édimburg.",
        ),  # known, but not how it is said
        ("Sumesh sleeps.", "Elle dort.", "Elle dort."),
        ("Sumesh sleeps.", "Wolfgang schläft.", "Wolfgang schläft."),  # another name
        ("Sumesh and his house.", "Sumesh und Sumeshs Haus.", "Sumesh und Sumeshs Haus."),
        ("sumesh sleeps.", "Sumeh dort.", "Sumeh dort."),
    ],
)
def test_made_up_words_are_spelt_as_the_names_they_are_like(source: str, translation: str, wanted: str) -> None:
    known = words()
    assert known.respelt(source, translation) == wanted
    assert KnownWords.from_plain(known.to_plain()).respelt(source, translation) == wanted


def test_without_words_nothing_is_made_up() -> None:
    assert KnownWords().respelt("Sumesh sleeps.", "Sumeh dort.") == "Sumeh dort."
    assert KnownWords().to_plain() == {}


def test_words_are_learnt_besides_those_of_a_checkpoint() -> None:
    known = KnownWords.from_plain(words(PAIRS[:1]).to_plain())
    known.learn(*PAIRS[1])
    assert known.to_plain() == words(PAIRS[:2]).to_plain()
    known.learn(*PAIRS[2])
    assert known.to_plain() == words().to_plain()


@given(st.text(), st.text())
def test_any_text_passes(source: str, translation: str) -> None:
    found = words().respelt(source, translation)
    assert words().respelt(source, found) == found
