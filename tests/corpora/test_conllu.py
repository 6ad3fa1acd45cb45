from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from nlpseq.corpora.conllu import format_conllu, read_conllu
from nlpseq.errors import DataError
from nlpseq.records import TaggedSentence

from .strategies import offsets_hold, sentences

EXAMPLE = """\
# newdoc id = d
# sent_id = s1
# text = She didn't  see Ada's "dog".
1	She	she	PRON	PRP	Case=Nom	4	nsubj	_	_
2-3	didn't	_	_	_	_	_	_	_	_
2	did	do	AUX	VBD	_	4	aux	_	_
3	n't	not	PART	RB	_	4	advmod	_	_
4	see	see	VERB	VB	_	0	root	_	_
4.1	seen	see	VERB	VBN	_	_	_	_	_
5-6	Ada's	_	_	_	_	_	_	_	_
5	Ada	Ada	PROPN	NNP	_	8	nmod	_	NER=I-PER
6	's	's	PART	POS	_	5	case	_	_
7	"	"	PUNCT	``	_	8	punct	_	SpaceAfter=No
8	dog	dog	NOUN	NN	_	4	obj	_	SpaceAfter=No
9	"	"	PUNCT	''	_	8	punct	_	SpaceAfter=No
10	.	.	PUNCT	.	_	4	punct	_	_

1	Du	de	ADP	_	_	0	root	_	SpaceAfter=No
2	!	!	PUNCT	_	_	1	punct	_	_
"""


def read(tmp_path: Path, text: str, name: str = "a.conllu") -> list[TaggedSentence]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return list(read_conllu(path))


def test_words_columns_and_offsets(tmp_path: Path) -> None:
    first, second = read(tmp_path, EXAMPLE)
    assert first.tokens == ("She", "did", "n't", "see", "Ada", "'s", '"', "dog", '"', ".")
    assert first.text == "She didn't  see Ada's \"dog\"."
    assert first.starts == (0, 4, 7, 12, 16, 19, 22, 23, 26, 27)
    assert first.sent_id == "s1"
    assert first.line == 4
    assert first.columns["ner"] == ("O",) * 4 + ("B-PER",) + ("O",) * 5  # IOB1 in, IOB2 out
    assert first.columns["feats"][:2] == ("Case=Nom", "_")
    assert second.text == "Du!"
    assert set(second.columns) == {"lemma", "upos"}  # xpos and feats are _ throughout, there is no NER


def test_words_that_are_not_in_their_surface_stand_in_its_place(tmp_path: Path) -> None:
    rows = "# text = Vu du pont\n1\tVu\tvoir\tVERB" + "\t_" * 6 + "\n2-3\tdu" + "\t_" * 8
    rows += "".join(f"\n{i}\t{w}\t_\tX" + "\t_" * 6 for i, w in ((2, "de"), (3, "le"), (4, "pont")))
    (sentence,) = read(tmp_path, rows + "\n")
    assert sentence.text == "Vu de le pont"
    assert offsets_hold(sentence)


@pytest.mark.parametrize("text", ["She sees", "Something else", "She sees him now", ""])
def test_a_text_that_does_not_fit_is_spelled_anew(tmp_path: Path, text: str) -> None:
    rows = "".join(f"{i}\t{w}" + "\t_" * 8 + "\n" for i, w in ((1, "She"), (2, "sees"), (3, "him")))
    (sentence,) = read(tmp_path, f"# text = {text}\n{rows}")
    assert sentence.text == "She sees him"
    assert offsets_hold(sentence)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\tone\ttwo", r":1: 3 columns where CoNLL-U has 10"),
        ("x" + "\ta" * 9, r":1: 'x' is no token number"),
        ("2-1" + "\t_" * 9, r":1: The range 2-1 runs backwards"),
        ("1\t" + "\t_" * 8, r":1: Column 2 is empty"),
        ("2\ta" + "\t_" * 8, r":1: Token 2 stands where token 1 is due"),
        ("1\ta" + "\t_" * 7 + "\tNER=PER", r":1: 'PER' is not a tag"),
        ("1-5\ta" + "\t_" * 8 + "\n1\ta" + "\t_" * 8, r":1: The range 1-5 goes beyond the last token, 1"),
        ("1\ta" + "\t_" * 8 + "\n2-3\ta" + "\t_" * 8, r":2: The range 2-3 covers no token"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, row + "\n")


def test_upos_and_xpos_are_read_only_where_every_token_has_them(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "1\ta\t_\tX\tAA\t_\t_\t_\t_\t_\n2\tb\tb\t_\tBB\t_\t_\t_\t_\t_\n")
    assert dict(sentence.columns) == {"xpos": ("AA", "BB"), "lemma": ("_", "b")}


def test_entities_are_told_by_their_key(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "1\ta" + "\t_" * 7 + "\tSNER=B-PER\n")
    assert "ner" not in sentence.columns


def test_a_tag_that_would_be_cut_in_misc_is_not_written() -> None:
    bad = TaggedSentence(tokens=("a",), starts=(0,), text="a", columns={"ner": ("B-PER|X",)})
    with pytest.raises(DataError, match=r"divided by \|; --label OLD=NEW renames it"):
        format_conllu(bad)


@given(sentence=sentences())
def test_written_and_read_again(tmp_path_factory: pytest.TempPathFactory, sentence: TaggedSentence) -> None:
    folder = tmp_path_factory.mktemp("round")
    (again,) = read(folder, format_conllu(sentence))
    assert (again.tokens, again.starts, again.text) == (sentence.tokens, sentence.starts, sentence.text)
    assert dict(again.columns) == dict(sentence.columns)
    assert again.sent_id == sentence.sent_id
    assert offsets_hold(again)


def test_a_text_with_more_than_its_tokens_is_spelled_anew_when_written(tmp_path: Path) -> None:
    gap = TaggedSentence(tokens=("a", "c"), starts=(0, 4), text="a b c", columns={"upos": ("X", "X")})
    (again,) = read(tmp_path, format_conllu(gap))
    assert again.text == "a c"


def test_line_breaks_in_a_text_become_spaces(tmp_path: Path) -> None:
    broken = TaggedSentence(tokens=("a", "b"), starts=(0, 3), text="a\r\nb", columns={"upos": ("X", "X")})
    (again,) = read(tmp_path, format_conllu(broken))
    assert (again.text, again.starts) == ("a  b", (0, 3))


def test_what_the_format_cannot_hold_is_an_error() -> None:
    for token in ("a\tb", "a\nb"):
        bad = TaggedSentence(tokens=(token,), starts=(0,), text=token)
        with pytest.raises(DataError, match="cannot stand in CoNLL-U"):
            format_conllu(bad)
