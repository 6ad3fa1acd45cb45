from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nlpseq.corpora.reading import read_tagging
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TaggedSentence


def read(
    folder: Path,
    text: str,
    *,
    columns: Sequence[str] | None = None,
    label_map: Mapping[str, str] | None = None,
    name: str = "a.txt",
) -> list[TaggedSentence]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return list(read_tagging(path, columns=columns, label_map=label_map))


def test_two_columns_with_blank_lines_of_a_tab_and_a_hash_as_token(tmp_path: Path) -> None:
    text = "#\tO\n# = x\tO\nAda\tB-person\n\t\n#tag\tO\n"
    first, second = read(tmp_path, text)
    assert first.tokens == ("#", "# = x", "Ada")
    assert first.columns == {"ner": ("O", "O", "B-person")}
    assert second.tokens == ("#tag",)
    assert second.line == 5


@pytest.mark.parametrize("heading", ["no,What it says,mood", "text mood,a", "text,mood"])
def test_a_table_with_commas_is_told_of_as_one(tmp_path: Path, heading: str) -> None:
    with pytest.raises(DataError, match=r"a table with commas.*--texts"):
        read(tmp_path, f"{heading}\n1,Good,yes\n", name="a.csv")


def test_conll2003(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP I-ORG\nrejects VBZ B-VP O\n# NN I-NP O\n"
    (sentence,) = read(tmp_path, text)
    assert sentence.text == "EU rejects #"
    assert sentence.starts == (0, 3, 11)
    assert sentence.columns["xpos"] == ("NNP", "VBZ", "NN")
    assert sentence.columns["chunk"] == ("B-NP", "B-VP", "I-NP")
    assert sentence.columns["ner"] == ("B-ORG", "O", "O")


def test_universal_ner_with_short_lines_text_and_comments(tmp_path: Path) -> None:
    text = "# sent_id = s1\n# text = Ada's #1\n1\tAda\tB-PER\t-\tann\n2\t's\tO\n3\t#1\tB-O\n"
    (sentence,) = read(tmp_path, text, name="a.iob2")
    assert sentence.sent_id == "s1"
    assert sentence.text == "Ada's #1"
    assert sentence.starts == (0, 3, 6)
    assert sentence.columns["ner"] == ("B-PER", "O", "O")


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("I-A I-A B-A O I-B", "B-A I-A B-A O B-B"),  # IOB1
        ("B-A I-A B-A O B-B", "B-A I-A B-A O B-B"),  # IOB2
        ("B-A E-A S-A O S-B", "B-A I-A B-A O B-B"),  # BIOES
        ("B-A L-A U-A O U-B", "B-A I-A B-A O B-B"),  # BILOU
        ("B-A I-B O B-O I-O", "B-A B-B O O O"),  # repaired; the class O is outside
    ],
)
def test_every_scheme_becomes_iob2(tmp_path: Path, tags: str, wanted: str) -> None:
    (sentence,) = read(tmp_path, "".join(f"w\t{tag}\n" for tag in tags.split()))
    assert sentence.columns["ner"] == tuple(wanted.split())


def test_labels_are_mapped_after_spans_are_cut(tmp_path: Path) -> None:
    text = "a\tI-group\nb\tI-corporation\nc\tI-product\n"
    label_map = {"group": "ORG", "corporation": "ORG", "product": "O"}
    (sentence,) = read(tmp_path, text, label_map=label_map)
    assert sentence.columns["ner"] == ("B-ORG", "B-ORG", "O")  # two organisations, not one


def test_columns_can_be_named(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "1 Ada NOUN x\n2 sings VERB x\n", columns=("_", "token", "upos", "..."))
    assert sentence.columns == {"upos": ("NOUN", "VERB")}


def test_a_blank_token_outside_is_left_out_and_inside_is_an_error(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "a\tO\n\tO\n \tO\nb\tO\n")
    assert sentence.tokens == ("a", "b")
    with pytest.raises(DataError, match=r":2: An empty token bears an entity tag"):
        read(tmp_path, "a\tO\n\tB-PER\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tO\nb\n", r":2: 1 columns where 2 are due"),
        ("a\tO\nb\tc\tO\n", r":2: 3 columns where 2 are due"),
        ("The\tDET\n", r":1: 'DET' is not a tag like O, B-PER"),
        ("a\tb\tc\td\te\tf\n", r":1: 6 columns are of no known layout"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_an_empty_label_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":1: The column upos is empty"):
        read(tmp_path, "a\t\tO\n", columns=("token", "upos", "ner"))


def test_a_layout_without_token_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="called token"):
        read(tmp_path, "a\tO\n", columns=("word", "ner"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("token", "ner", "ner"), "The column ner is named twice"),
        (("token", "nre"), "There is no column 'nre'.*Did you mean 'ner'"),
        (("token", "...", "ner"), "cannot stand before others"),
    ],
)
def test_names_of_columns_are_checked(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, "a\tO\tO\n", columns=names)


def test_white_space_is_no_part_of_a_name(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "a\tx\tO\n", columns=("token", " _", " ner"))
    assert sentence.columns == {"ner": ("O",)}
