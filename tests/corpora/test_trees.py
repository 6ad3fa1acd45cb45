from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.corpora.texts import TextOptions, detect_text_format, read_texts
from nlpseq.corpora.trees import labels_of, natural, read_trees
from nlpseq.errors import DataError

TREES = "(4 (2 It) (3 (2 's) (4 (2 a) (4 joy))))\n\n(2 (2 A) (2 joy))\n(1 (2 (2 No) (4 joy)) (2 .))\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "trees.txt"
    file.write_text(TREES)
    return file


def test_sentences_have_stars_and_polarity_but_for_the_neutral(path: Path) -> None:
    found = [(e.text, dict(e.labels), e.line) for e in read_trees(path)]
    assert found == [
        ("It's a joy", {"polarity": "positive", "stars": "5"}, 1),
        ("A joy", {"stars": "3"}, 3),
        ("No joy.", {"polarity": "negative", "stars": "2"}, 4),
    ]


def test_every_distinct_phrase_is_there_once(path: Path) -> None:
    texts = [e.text for e in read_trees(path, units="phrases")]
    assert sorted(texts) == sorted(["It's a joy", "It", "'s a joy", "'s", "a joy", "a", "joy", "A joy", "A", "No joy.",
                                    "No joy", "No", "."])  # fmt: skip


def test_one_scheme_alone(path: Path) -> None:
    assert detect_text_format(path) == "trees"
    two = list(read_texts(path, options=TextOptions(schemes=("polarity",))))
    assert [e.labels for e in two] == [{"polarity": "positive"}, {"polarity": "negative"}]
    five = list(read_texts(path, options=TextOptions(schemes=("stars",))))
    assert [e.labels["stars"] for e in five] == ["5", "3", "2"]


def test_classes() -> None:
    assert [labels_of(n).get("polarity") for n in range(5)] == ["negative", "negative", None, "positive", "positive"]
    assert [labels_of(n)["stars"] for n in range(5)] == list("12345")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("She did n't go , he 's here .", "She didn't go, he's here."),
        ("`` Fine , '' he said", '"Fine," he said'),
        ('a " real " one', 'a "real" one'),
        ("too -LRB- very -RRB- long", "too (very) long"),
        ("good\\/bad for $ 5 !", "good/bad for $5!"),
    ],
)
def test_words_are_written_as_people_do(words: str, text: str) -> None:
    assert natural(words.split()) == text


@given(st.lists(st.text('ab"-.,$(n', min_size=1, max_size=4), max_size=8))
def test_no_letter_is_lost(words: list[str]) -> None:
    assert natural(words).replace(" ", "") == "".join(words)


@pytest.mark.parametrize(
    "tree", ["(3 (2 a) (2 b)", "(3 a))", "a", "(5 a)", "(3)", "()", "(3 (2 a)) (2 b)", "(3 (2 ) b)", ") (3 a)"]
)
def test_what_is_no_tree_is_told_with_its_line(tmp_path: Path, tree: str) -> None:
    (tmp_path / "bad.txt").write_text(f"(2 ok)\n{tree}\n")
    with pytest.raises(DataError, match=r"bad\.txt:2: This is no sentiment tree"):
        list(read_trees(tmp_path / "bad.txt"))
