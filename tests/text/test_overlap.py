from __future__ import annotations

import pytest

from nlpseq.text.overlap import bleu, chrf


def test_what_is_the_same_is_all_of_it() -> None:
    texts = ["Eine Katze sitzt auf der Matte.", "Zwei Hunde laufen am Strand."]
    assert bleu(texts, [[text] for text in texts]).percent == pytest.approx(100)
    assert chrf(texts, [[text] for text in texts]).percent == pytest.approx(100)


def test_bleu_is_counted_as_papineni_does() -> None:
    """Precisions 5/6, 3/5, 1/4 and, smoothed, 1/(2·3); the lengths are equal, so nothing is taken off."""
    found, wanted = "the cat sat on the mat", "the cat is on the mat"
    assert bleu([found], [[wanted]]).percent == pytest.approx(100 * (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25)


def test_of_several_references_any_may_be_met_and_their_number_may_differ() -> None:
    texts, references = ["a b c d", "e f g h"], [["x y z w", "a b c d"], ["e f g h"]]
    assert bleu(texts, references).percent == pytest.approx(100)
    assert bleu(texts, [row[:1] for row in references]).percent < 60
    assert "nrefs:var" in bleu(texts, references).signature
    assert "nrefs:1" in bleu(texts, [row[:1] for row in references]).signature


def test_case_counts_unless_it_is_not_to() -> None:
    given = ["The Cat Sat Down"], [["the cat sat down"]]
    assert bleu(*given).percent < 50
    assert bleu(*given, lowercase=True).percent == pytest.approx(100)
    assert chrf(*given).percent < chrf(*given, lowercase=True).percent
    assert "case:lc" in bleu(*given, lowercase=True).signature


def test_nothing_has_no_score() -> None:
    with pytest.raises(ValueError, match="no translation"):
        bleu([], [])
