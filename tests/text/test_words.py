from __future__ import annotations

import json
import string
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from nlpseq.text.vocab import PADDING, UNKNOWN, Vocabulary
from nlpseq.text.words import AFFIXES, BEGIN, END, WordVocabularies, affixes, normal_form, word_shape

words = st.text(min_size=1, max_size=12)
SEEN = {"the": 5, "The": 2, "Paris": 3, "1987": 2, "rare": 1, "in": 4}
KNOWN = WordVocabularies.from_words(SEEN, min_count=2)


def test_numbers_share_a_form() -> None:
    assert normal_form("1987") == normal_form("2014") == "0000"
    assert normal_form("٣") == "0"  # the digits of every script
    assert KNOWN.form_id("2014") == KNOWN.form_id("1987") != UNKNOWN


def test_unknown_words_fall_back_to_their_lower_case() -> None:
    assert KNOWN.form_id("THE") == KNOWN.form_id("the") != KNOWN.form_id("The")
    assert KNOWN.form_id("rare") == KNOWN.form_id("never") == UNKNOWN
    assert KNOWN.form_id("paris") == UNKNOWN  # lower case never becomes a name
    assert KNOWN.frequent("IN")
    assert not KNOWN.frequent("rare")


def test_however_accents_are_written_it_is_the_same_word() -> None:
    one, other = "Zürich", unicodedata.normalize("NFD", "Zürich")
    assert one != other
    for seen in (one, other):
        known = WordVocabularies.from_words({seen: 3}, min_count=2)
        assert known.form_id(one) == known.form_id(other) != UNKNOWN
        assert known.character_ids(one, 20) == known.character_ids(other, 20)
        assert known.affix_ids(one) == known.affix_ids(other)


def test_counts_belong_to_their_ids() -> None:
    assert len(KNOWN.counts) == len(KNOWN.forms)
    assert [KNOWN.counts[KNOWN.form_id(w)] for w in ("the", "The", "Paris", "1987", "in")] == [5, 2, 3, 2, 4]
    assert KNOWN.counts[PADDING] == KNOWN.counts[UNKNOWN] == 0


def test_forms_known_from_elsewhere_join_without_a_count() -> None:
    more = WordVocabularies.from_words(SEEN, min_count=2, known=["Paris", "zebra", "B52", "B99"])
    assert more.form_id("zebra") != UNKNOWN
    assert not more.frequent("zebra")  # known from vectors alone
    assert more.frequent("b77") is False
    assert more.form_id("B52") == more.form_id("B99") != UNKNOWN  # one form, entered once
    assert more.counts[more.form_id("zebra")] == 0
    assert more.form_id("Paris") == KNOWN.form_id("Paris")


NUMBERS = {"7/10": 9, "3/10": 8, "8/10": 2, "10": 7, "in": 5, "1987": 1, "2014": 1}


def test_frequent_numbers_can_have_forms_of_their_own() -> None:
    known = WordVocabularies.from_words(NUMBERS, min_count=2, numbers=3)
    ids = [known.form_id(word) for word in ("7/10", "3/10", "10", "in", "8/10", "1987")]
    assert len(set(ids)) == 6
    assert UNKNOWN not in ids
    assert known.form_id("8/10") == known.form_id("1/23")  # the fourth by frequency shares that of its shape
    assert known.counts[known.form_id("7/10")] == 9
    assert known.counts[known.form_id("2014")] == known.counts[known.form_id("1987")] == 2
    assert WordVocabularies.from_words(NUMBERS, min_count=20, numbers=9).forms.symbols == ()


def test_vocabularies_grow_behind_what_they_have() -> None:
    before = WordVocabularies.from_words({"the": 5, "7/10": 2}, min_count=2)
    after = before.grown({"the": 3, "film": 4, "7/10": 9, "rare": 1}, min_count=2, numbers=5)
    assert after.forms.symbols == ("the", "0/00", "film", "7/10")
    assert after.counts == [0, 0, 5, 2, 4, 9]
    assert after.affixes is before.affixes
    assert before.form_id("7/10") == before.form_id("0/00") == after.form_id("8/10") != after.form_id("7/10")


@given(st.dictionaries(words, st.integers(1, 4), max_size=15), st.lists(st.text(max_size=30), max_size=5))
def test_vocabularies_survive_json(seen: dict[str, int], asked: list[str]) -> None:
    one = WordVocabularies.from_words(seen, min_count=2)
    other = WordVocabularies.from_plain(json.loads(json.dumps(one.to_plain())))
    for word in [*seen, *asked]:
        assert one.form_id(word) == other.form_id(word)
        assert one.affix_ids(word) == other.affix_ids(word)
        assert one.character_ids(word, 8) == other.character_ids(word, 8)
    assert one.counts == other.counts


@given(st.text(max_size=60), st.integers(8, 24))
def test_any_word_has_its_features(word: str, limit: int) -> None:
    """Also the empty word, one of odd length, one of marks alone: ids within the vocabularies, never padding."""
    ids = KNOWN.character_ids(word, limit)
    assert len(ids) == min(len(word), limit) + 2
    assert (ids[0], ids[-1]) == tuple(KNOWN.characters.ids([BEGIN, END]))
    assert all(PADDING < i < len(KNOWN.characters) for i in ids)
    found = KNOWN.affix_ids(word)
    assert len(found) == len(AFFIXES)
    assert all(PADDING < i < len(KNOWN.affixes) for i in found)


def test_of_a_long_word_both_ends_are_read() -> None:
    letters = Vocabulary([BEGIN, END, *string.ascii_lowercase])
    alphabet = WordVocabularies(Vocabulary([]), letters, Vocabulary([]), [])

    def read(word: str, limit: int) -> str:
        return "".join(letters.symbol(i) for i in alphabet.character_ids(word, limit)[1:-1])

    assert read("abcdefghijklmnopqrstuvwxyz", 8) == "abcdwxyz"
    assert read("abcdefghijklmnopqrstuvwxyz", 9) == "abcdvwxyz"  # the odd one goes to the end, which says more
    assert read("abcdefgh", 8) == "abcdefgh"


def test_shapes() -> None:
    shapes = {"Cisco": "Xxx", "USA": "XX", "B2B": "X0X", "1,000": "0,00", "McDonald": "XxXxx", "日本語": "ww", "": ""}
    assert {word: word_shape(word) for word in shapes} == shapes


def test_affixes_say_which_they_are() -> None:
    assert affixes("Ab1") == ["p1:a", "p2:ab", "p3:ab0", "s1:0", "s2:b0", "s3:ab0", "s4:ab0", "shape:Xx0"]
    assert len(set(affixes("aaaa"))) == len(AFFIXES)  # a prefix is not the suffix of the same letters


def test_marks_of_the_ends_inside_a_word_do_not_break_the_vocabulary() -> None:
    odd = WordVocabularies.from_words({f"{BEGIN}a{END}": 5}, min_count=1)
    assert odd.characters.symbols[:2] == (BEGIN, END)
    assert len(odd.character_ids(f"{BEGIN}a{END}", 8)) == 5
