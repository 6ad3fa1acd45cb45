from __future__ import annotations

import time
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlpseq.text.paragraphs import LONGEST, cut, parts_of, rejoined, short_parts
from nlpseq.text.parts import Part


def translated(text: str) -> list[str]:
    return [part.asked for part in parts_of(text) if part.translated]


nasty = st.text(st.sampled_from("ab A.!?…\"'») \n\r\t\u3000\u0085。।@:/w1-,é"), max_size=80) | st.text()


@given(nasty)
@example("")
@example("See https://a.b/c. Write to a@b.c!")
@example("¹")
def test_nothing_is_lost_and_every_part_is_short(text: str) -> None:
    parts = parts_of(text)
    assert "".join(part.text for part in parts) == text
    again = rejoined(parts, translated(text))  # what is asked is composed
    assert normalize("NFC", again) == normalize("NFC", text)
    for part in parts:
        if part.translated:
            assert part.text == part.text.strip()
            assert any(character.isalpha() for character in part.text)
            assert len(part.text) <= LONGEST
            assert not set("\n\r") & set(part.text)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rains. We stay!  Why? So.", ["It rains.", "We stay!", "Why?", "So."]),
        ("Mr. Smith met J. K. Rowling.", ["Mr. Smith met J. K. Rowling."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("It cost 3.50 euros... or more.", ["It cost 3.50 euros... or more."]),
        ("Wait… What?", ["Wait…", "What?"]),
        ("It was I. Nobody knew.", ["It was I.", "Nobody knew."]),
        ("Où ? Là ! Bien.", ["Où ?", "Là !", "Bien."]),
        ("¿Qué? ¡No!", ["¿Qué?", "¡No!"]),
        ("वह गया। मैं आया।", ["वह गया।", "मैं आया।"]),
        ("One\nTwo\r\n\r\nThree", ["One", "Two", "Three"]),
        ("I love you 👍🏽", ["I love you"]),
        ("👩‍💻 Good luck ☀️☀️ see you", ["Good luck", "see you"]),
        ("👍", []),
        ("1️⃣ Open it ↗️ now‼️ See 1⃣", ["Open it", "now", "See"]),
        ("Hello 👋, how are you?", ["Hello", "how are you?"]),
        (", says he. Yes", [", says he.", "Yes"]),
        ("IT IS RAINING. I STAY, OK? NATO", ["It is raining.", "I stay, ok?", "NATO"]),
        ("UNESCO\nCOVID-19\nTHE U.S.A.\nHELLO!", ["UNESCO", "COVID-19", "THE U.S.A.", "Hello!"]),
        ("这是IBM的电脑。", ["这是IBM的电脑。"]),
        ("WRITE TO a@b.org NOW", ["Write to Tom now"]),
        ("See https://a.org/☀/b, please", ["See Tom, please"]),
        ("12,50 — 3:15!", []),
        ("ada@example.org", []),
        ("https://example.org/a?b=c", []),
        ("\t \n", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert translated(text) == sentences


def test_spacing_addresses_and_blank_lines_survive() -> None:
    text = "  Hello there.  Bye.\n\n\tWrite to ada.l@example.org, or see https://example.org/x.\n12:30\n"
    parts = parts_of(text)
    assert translated(text) == ["Hello there.", "Bye.", "Write to Tom, or see John."]
    answer = rejoined(parts, [f"<{sentence}>" for sentence in translated(text)])
    assert (
        answer == "  <Hello there.>  <Bye.>\n\n\t<Write to ada.l@example.org, or see https://example.org/x.>\n12:30\n"
    )


def test_names_that_stand_in_for_addresses_may_change_places() -> None:
    (part,) = parts_of("Tom wrote to a@b.org about https://c.org/d.")
    assert part.asked == "Tom wrote to John about Bob."
    assert part.restored("Über Bob schrieb Tom an John.") == "Über https://c.org/d schrieb Tom an a@b.org."


@pytest.mark.parametrize("translation", ["Écrivez.", "Écrivez à Tommy.", "Écrivez à Tom, Tom."])
def test_a_sentence_that_lost_its_address_is_cut(translation: str) -> None:
    (part,) = parts_of("Write to a@b.org today.")
    assert part.restored(translation) is None
    assert [(piece.text, piece.translated) for piece in cut(part)] == [
        ("Write to", True), (" ", False), ("a@b.org", False), (" ", False), ("today.", True),
    ]  # fmt: skip


def test_a_sentence_of_many_addresses_is_cut_at_once() -> None:
    parts = parts_of("Ask a@b.org, c@b.org, d@b.org or e@b.org.")
    assert [part.text for part in parts if part.translated] == ["Ask", "or"]
    assert rejoined(parts, ["Demandez à.", "ou"]) == "Demandez à a@b.org, c@b.org, d@b.org ou e@b.org."
    assert rejoined(parts_of("Come"), ["Venez."]) == "Venez."


def test_a_translation_has_no_line_break() -> None:
    """Models that fall back on bytes can say any."""
    assert rejoined(parts_of("Come"), ["Ve\n\rnez\u2028"]) == "Ve nez "


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        ".",
        "a. ",
        "!?",
        "http://",
        "http://a(",
        "http://a ",
        "http://a's",
        "a@",
        " ",
        "( ",
        "Mr. ",
        "…»",
        "a,",
        "\n",
        "www.",
    ],
)
def test_time_is_linear(piece: str) -> None:
    """A quadratic pattern takes minutes for these; a second is ten times what was seen."""
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    assert "".join(part.text for part in parts_of(text)) == text
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://en.wikipedia.org/wiki/Mercury_(planet) today.", "https://en.wikipedia.org/wiki/Mercury_(planet)"),
        ("It (see https://a.b/c) is so.", "https://a.b/c"),
        ("My page is www.example.org's.", "www.example.org"),
        ("Look at https://a.b/c(d.", "https://a.b/c"),
    ],
)
def test_where_an_address_ends(text: str, address: str) -> None:
    assert [part.text[kept.begin : kept.end] for part in parts_of(text) for kept in part.kept] == [address]


@pytest.mark.parametrize(
    ("text", "translation", "lost"),
    [
        ("It costs 12.50.", "Ça coûte 12,50.", []),
        ("It costs 12.50.", "Ça coûte 12250.", ["12.50"]),
        ("It costs 1,000 or 25.", "Ça coûte 25 ou 1 000.", []),
        ("It costs 1,000 or 25.", "Ça coûte 25 ou 100.", ["1,000", "25"]),
        ("At 7:30.", "À 7 h 30.", []),
        ("I have 3 cats.", "J'ai trois chats.", []),
        ("It costs $5 (five).", "Ça coûte 55.", ["5"]),
        ("24 cats, 3 dogs.", "25 Katzen, 9 Hunde.", ["24", "3"]),
        ("24 cats, 3 dogs.", "24 Katzen, drei Hunde.", []),
        ("At 1.5 now.", "Um 1,5 jetzt.", []),
        ("Ł7 has 1234.", "Rien.", ["Ł7", "1234"]),
        ("It has 1,234,567 people.", "Elle a 1234,567 habitants.", ["1,234,567"]),
        ("It has 1,234,567 people.", "Elle a 1 234 567 habitants.", []),
        ("Elle a 1 250,50 euros.", "She has 150,50 euros.", ["1 250,50"]),
        ("Zu\u0308rich is here.", "Zürich est ici.", []),
        ("Call 555-1234 now.", "Appelle 5554.", ["555-1234"]),
        ("Łódź is nice.", "\ufffd est belle.", ["Łódź"]),
        ("Łódź is nice.", "Łódź est belle.", []),
        ("The łódź is nice.", "Le est.", []),  # no name
        ("Write 12 to a123@b.org.", "Écris 12 à Tom.", []),
    ],
)
def test_numbers_and_strange_names_that_are_lost(text: str, translation: str, lost: list[str]) -> None:
    (part,) = parts_of(text)
    assert [text[begin:end] for begin, end in part.lost(translation, lambda word: "Ł" in word)] == lost


def test_others_stand_in_for_numbers_and_strange_names() -> None:
    (part,) = parts_of("Łódź has 12 of 40,000 at a@b.org.")
    kept = part.keeping(part.lost("Tom a.", lambda _: True))
    assert kept is not None
    assert kept.asked == "John has 25 of 36 at Tom."
    assert kept.restored("Chez Tom, John a 25 des 36.") == "Chez a@b.org, Łódź a 12 des 40,000."
    assert kept.restored("Chez Tom, John a 25.") is None
    (beside,) = parts_of("He runs 1234km.")
    kept = beside.keeping(beside.lost("Il court.", lambda _: False))
    assert kept is not None
    assert kept.restored("Il court 25 km.") == "Il court 1234 km."
    assert kept.restored("Il court 25km.") == "Il court 1234km."
    (loud,) = parts_of("ŁÓDŹ HAS 40,000 TREES!")
    kept = loud.keeping(loud.lost("Rien.", lambda word: "Ł" in word))
    assert kept is not None
    assert kept.asked == "Tom has 12 trees!"
    assert kept.restored("Tom a 12 arbres !") == "ŁÓDŹ A 40,000 ARBRES !"
    (many,) = parts_of("1000, 2000, 3000, 4000, 5000 and 6000 it is.")
    assert many.keeping(many.lost("Rien.", lambda _: True)) is None


@pytest.mark.parametrize("length", [300, 386, 420, 2000])
@pytest.mark.parametrize("before", ["", "Please have a look at ", "very " * 70])
def test_an_address_is_never_cut(length: int, before: str) -> None:
    address = "https://a.b/" + "x" * length + "?c=d"
    parts = parts_of(f"{before}{address} and write to us soon, or do not, as you like it best.")
    assert all("xx" not in part.asked for part in parts if part.translated)
    assert any(address in part.text for part in parts)


def test_a_cut_sentence_gets_no_full_stop_inside() -> None:
    text = "We went to the market and we bought a lot of apples, " * 10 + "and then we went home."
    parts = parts_of(text)
    assert sum(part.translated for part in parts) > 1
    assert rejoined(parts, [part.asked.rstrip(".") + "." for part in parts if part.translated]) == text


def test_what_is_in_capitals_is_asked_for_in_small_letters_and_answered_in_capitals() -> None:
    text = "WRITE TO ADA@EXAMPLE.ORG, ÉRIC! Soon."
    parts = parts_of(text)
    assert [part.asked for part in parts if part.translated] == ["Write to Tom, éric!", "Soon."]
    assert rejoined(parts, ["Écris à Tom, Éric !", "Bientôt."]) == "ÉCRIS À ADA@EXAMPLE.ORG, ÉRIC ! Bientôt."
    assert [part.asked for part in parts_of("STAY HERE.", as_written=True)] == ["STAY HERE."]


def test_what_does_not_fit_is_halved_at_spaces_until_it_does() -> None:
    text = "One two three, four five. A@B.CD six seven eight " + 30 * "x" + " nine."
    parts = short_parts(parts_of(text), lambda asked: len(asked) <= 12)
    assert "".join(part.text for part in parts) == text
    assert [part.asked for part in parts if part.translated][:3] == ["One two", "three,", "four five."]
    assert all(len(part.asked) <= 12 for part in parts if part.translated)
    assert Part("A@B.CD", translated=False) in parts


@given(nasty, st.integers(1, 20))
def test_nothing_is_lost_by_halving(text: str, longest: int) -> None:
    parts = short_parts(parts_of(text), lambda asked: len(asked) <= longest)
    assert "".join(part.text for part in parts) == text
    assert all(len(part.asked) <= longest or len(part.text) == 1 for part in parts if part.translated)
