from __future__ import annotations

import pytest

from nlpseq.text.overlap import bleu, chrf, tokenizer_of


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


@pytest.mark.parametrize(
    ("wanted", "better", "worse", "tokenizer"),
    [
        ("我们昨天在城里看了一部很长的电影。", "我们今天在城里看了一部很长的电影。", "他在家。", "zh"),
        ("きのう町でとても長い映画を見ました。", "きょう町でとても長い映画を見ました。", "かれは家にいる。", "char"),
        ("เมื่อวานเราดูหนังที่ยาวมากในเมือง", "วันนี้เราดูหนังที่ยาวมากในเมือง", "เขาอยู่บ้าน", "char"),
        ("ព្រះអាទិត្យរះនៅទិសខាងកើត", "ព្រះច័ន្ទរះនៅទិសខាងកើត", "គាត់នៅផ្ទះ", "char"),
    ],
    ids=["Chinese", "Japanese", "Thai", "Khmer"],
)
def test_what_has_no_spaces_is_compared_all_the_same(wanted: str, better: str, worse: str, tokenizer: str) -> None:
    """mteval-v13a would take a sentence for a word or two, and give next to nothing for one that is nearly right."""
    references = [[wanted]]
    assert tokenizer_of(references) == tokenizer
    assert f"tok:{tokenizer}" in bleu([wanted], references).signature
    assert bleu([better], references).percent > 50 > 10 > bleu([worse], references).percent
    assert bleu([better], references, tokenizer="13a").percent < 10


@pytest.mark.parametrize(
    "text",
    [
        "Yesterday we saw a film in 北京.",
        "Вчера мы видели фильм.",
        "우리는 어제 영화를 봤다.",
        "كان يوما طويلا",
        "कल हमने एक फ़िल्म देखी।",
        "2024",
    ],
)
def test_what_has_spaces_is_cut_into_words_as_ever(text: str) -> None:
    assert tokenizer_of([[text]]) == "13a"
    assert bleu([text], [[text]]) == bleu([text], [[text]], tokenizer="13a")


def test_nothing_has_no_score() -> None:
    with pytest.raises(ValueError, match="no translation"):
        bleu([], [])
