"""Names and numbers exchanged on both sides of training pairs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.config import build
from nlpseq.errors import DataError
from nlpseq.records import SentencePair
from nlpseq.tasks.translation import TranslationConfig, Translator
from nlpseq.tasks.translation_config import AugmentConfig
from nlpseq.tasks.translation_names import Copied
from tests.letters import pairs
from tests.translators import SMALL

LEARNT = [
    ("Tom saw Mary in 1999.", "Tom a vu Marie en 1999."),
    ("Will you tell Anna?", "Le diras-tu à Anna ?"),
    ("We will go. Will he?", "Nous irons. Et lui ?"),
]


def copied(**settings: object) -> Copied:
    result = Copied(build(AugmentConfig, settings))
    for source, target in LEARNT:
        result.learn(source, target)
    return result


@given(st.integers(0, 2**31))
def test_what_both_sides_have_changes_alike_and_all_else_stays(seed: int) -> None:
    source, target = copied().replace("Tom saw Mary in 1999, at 7.", "Tom a vu Marie en 1999, à 7.", seed)
    found = re.fullmatch(r"(\w+) saw Mary in (\d{4}), at 7\.", source)
    assert found is not None
    assert target == f"{found[1]} a vu Marie en {found[2]}, à 7."
    assert found[1][0].isupper()
    assert found[1][0].lower() not in "aeiouy"


@given(st.integers(0, 2**31))
def test_a_vowel_stays_a_vowel_for_the_sake_of_elision(seed: int) -> None:
    _, target = copied().replace("the dog of Anna", "le chien d'Anna", seed)
    assert re.fullmatch(r"le chien d'[AEIOUYHÀ-Ý]\w+", target)


@given(st.text(), st.text(), st.integers(0, 2**31))
def test_any_text_is_taken(source: str, target: str, seed: int) -> None:
    words = copied()
    words.learn(source, target)
    assert words.replace(source, target, seed) == words.replace(source, target, seed)


def test_common_words_are_no_names() -> None:
    assert copied().replace("Will", "Will", 1) == ("Will", "Will")


@pytest.mark.parametrize("number", ["7", "1,500", "2.50", "007", "3rd", "B12"])
def test_numbers_that_are_parts_or_decide_about_plurals_stay(number: str) -> None:
    assert copied().replace(f"it is {number}.", f"c'est {number}.", 3) == (f"it is {number}.", f"c'est {number}.")


def test_lists_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("Anouk\nBram\nvan Dijk\n", encoding="utf-8")
    words = copied(names=[str(tmp_path / "own.txt")])
    names = {words.replace("Tom", "Tom", seed)[0] for seed in range(50)}
    assert names == {"Bram", "Braam", "Braouk"}


def test_lists_without_a_name_to_draw_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("van Dijk\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"augment\.names"):
        copied(names=[str(tmp_path / "own.txt")])


def test_training_pairs_are_read_with_other_names_and_others_as_they_are() -> None:
    examples = [*pairs(60, seed=1), SentencePair(source="a Tom b", targets=("Tom c",))]
    settings = build(TranslationConfig, {**SMALL, "augment": {"replace_copied": 1.0}})
    translator = Translator.create(settings, examples)
    items = [translator.encode(example) for example in examples]
    torch.manual_seed(1)
    plain, named = translator.collate(items[:1]), translator.collate(items[-1:])
    assert plain.targets_BT.tolist() == [items[0].target_ids]
    read = translator.pieces.target.text(named.targets_BT[0].tolist())
    assert re.fullmatch(r"\w+ c", read)
    assert read != "Tom c"
