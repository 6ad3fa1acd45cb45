from __future__ import annotations

import pytest

from nlpseq.corpora.joining import join_ner
from nlpseq.errors import DataError
from nlpseq.records import TaggedSentence


def sentence(words: str, sent_id: str | None, **columns: str) -> TaggedSentence:
    tokens = tuple(words.split())
    starts, at = [], 0
    for token in tokens:
        starts.append(at)
        at += len(token) + 1
    labels = {name: tuple(value.split()) for name, value in columns.items()}
    return TaggedSentence(tokens=tokens, starts=tuple(starts), text=words, columns=labels, sent_id=sent_id)


def test_partners_are_joined_in_any_order_and_the_rest_stays() -> None:
    pos = [sentence("a b", "1", upos="X Y"), sentence("c", "2", upos="Z"), sentence("d", "3", upos="Z", ner="O")]
    ner = [sentence("c", "2", ner="B-P"), sentence("a b", "1", ner="O B-P"), sentence("q", "9", ner="O")]
    first, second, third = join_ner(pos, ner)
    assert first.columns == {"upos": ("X", "Y"), "ner": ("O", "B-P")}
    assert second.columns == {"upos": ("Z",), "ner": ("B-P",)}
    assert third.columns == {"upos": ("Z",)}  # unannotated is not the same as O


def test_the_same_characters_cut_otherwise_keep_their_entities() -> None:
    pos = [sentence("@Ryan likes S-N 2", "1", upos="A B C D")]
    ner = [sentence("@ Ryan likes S -N2", "1", ner="O B-PER O B-X I-X")]
    (joined,) = join_ner(pos, ner)
    assert joined.columns["ner"] == ("B-PER", "O", "B-X", "I-X")


@pytest.mark.parametrize(
    "partner",
    [sentence("a c", "1", ner="O O"), sentence("a", "1", ner="O"), sentence("a b c", "1", ner="O O O")],
)
def test_other_characters_are_an_error_or_leave_no_ner(partner: TaggedSentence) -> None:
    pos = [sentence("a b", "1", upos="X Y")]
    with pytest.raises(DataError, match="Sentence 1 has other tokens"):
        list(join_ner(pos, [partner]))
    assert [s.columns for s in join_ner(pos, [partner], strict=False)] == [{"upos": ("X", "Y")}]


def test_two_entities_on_one_token_cannot_be_joined() -> None:
    pos, ner = [sentence("ab", "1", upos="X")], [sentence("a b", "1", ner="B-P B-Q")]
    assert [s.columns for s in join_ner(pos, ner, strict=False)] == [{"upos": ("X",)}]


def test_ids_must_be_there_and_be_one_of_a_kind() -> None:
    with pytest.raises(DataError, match="no sent_id"):
        list(join_ner([], [sentence("a", None, ner="O")]))
    with pytest.raises(DataError, match="comes twice"):
        list(join_ner([], [sentence("a", "1", ner="O")] * 2))
