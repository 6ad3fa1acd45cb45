from __future__ import annotations

import pytest

from nlpseq.records import SentencePair
from nlpseq.tasks.translation_report import LENGTHS, RARITIES, rarity_of, report, slice_of
from tests.translators import untrained


def test_a_perfect_translator_has_a_hundred_per_cent() -> None:
    """The references are what the translator says, so that only the counting is looked at."""
    translator = untrained()
    sources = ["a b c d", "e f g h i j", "b"]
    said = [one.translation for one in translator.translate(sources)]
    pairs = [SentencePair(source=s, targets=("nothing alike", t)) for s, t in zip(sources, said, strict=True)]
    found = report(translator, pairs, worst=1)
    assert found.all.chrf.percent == pytest.approx(100)
    assert (found.all.sentences, found.references) == (3, 6)
    assert {name: part.sentences for name, part in found.by_length.items()} == {"1-5": 2, "6-10": 1}
    assert sum(part.sentences for part in found.by_rarity.values()) == 3
    assert [(score, source) for score, source, _, _ in found.errors] == [(pytest.approx(100), "a b c d")]
    assert "nrefs:2" in found.all.bleu.signature


def test_case_counts_unless_it_is_not_to() -> None:
    translator = untrained()
    said = translator.translate(["a b c d"])[0].translation
    pairs = [SentencePair(source="a b c d", targets=(said.swapcase(),))]
    cased, lowered = (report(translator, pairs, lowercase=lower).all for lower in (False, True))
    assert lowered.chrf.percent == pytest.approx(100)
    assert cased.chrf.percent < 100
    assert "case:lc" in lowered.bleu.signature


def test_slices() -> None:
    names = [slice_of(length) for length in (1, 5, 6, 40, 41, 1000)]
    assert names == ["1-5", "1-5", "6-10", "21-40", "41-", "41-"]
    assert LENGTHS == (5, 10, 20, 40)


def test_the_rarest_word_decides() -> None:
    """A letter is a piece, with or without the space before it; what never occurred is spelled by its bytes."""
    translator = untrained()
    assert rarity_of(translator, "") == RARITIES[0]
    assert rarity_of(translator, "a b c") in RARITIES[:2]
    assert rarity_of(translator, "a éé c") == RARITIES[2]


def test_bleu_of_a_script_without_spaces_is_counted_alike_in_all_slices() -> None:
    """The slice of the short sources alone would be taken for one of a script with spaces."""
    translator = untrained()
    pairs = [SentencePair(source="a b", targets=("a b",))]
    pairs += [SentencePair(source="a b c d e f", targets=("我们昨天看了电影。",)) for _ in range(3)]
    found = report(translator, pairs)
    assert found.tokenizer == "zh"
    assert all("tok:zh" in part.bleu.signature for part in (found.all, *found.by_length.values()))
    assert report(translator, pairs[:1]).tokenizer == "13a"
