from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

from nlpseq.corpora.jsonl import format_jsonl, read_jsonl
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TaggedSentence

from .strategies import offsets_hold, sentences


def cut(text: str) -> tuple[list[str], list[int]]:
    matches = list(re.finditer(r"\w+|[^\w\s]", text))
    return [match[0] for match in matches], [match.start() for match in matches]


def read(folder: Path, *objects: object, snap: bool = False) -> list[TaggedSentence]:
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(item) + "\n\n" for item in objects), encoding="utf-8")
    return list(read_jsonl(path, tokenize=cut, snap=snap))


def test_tokens_with_labels(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, {"tokens": ["Ada", "sings"], "ner": ["S-PER", "O"], "upos": ["PROPN", "VERB"], "x": 1})
    assert sentence.text == "Ada sings"
    assert sentence.columns == {"ner": ("B-PER", "O"), "upos": ("PROPN", "VERB")}


@pytest.mark.parametrize("key", ["entities", "spans"])
def test_spans_in_code_points(tmp_path: Path, key: str) -> None:
    text = "\U0001f600 Ada Lovelace, here"  # an emoji is one code point, and two in UTF-16
    (sentence,) = read(tmp_path, {"text": text, key: [{"start": 2, "end": 14, "label": "PER"}]})
    assert sentence.tokens == ("\U0001f600", "Ada", "Lovelace", ",", "here")
    assert sentence.columns["ner"] == ("O", "B-PER", "I-PER", "O", "O")
    assert offsets_hold(sentence)


def test_a_span_within_a_token_is_an_error_or_grows(tmp_path: Path) -> None:
    item = {"text": "Adas dog", "entities": [{"start": 0, "end": 3, "label": "PER"}]}
    with pytest.raises(DataError, match=r"a\.jsonl:3: The span 0-3 'Ada' \(PER\) does not begin and end with"):
        read(tmp_path, {"tokens": ["x"]}, item)
    (sentence,) = read(tmp_path, item, snap=True)
    assert sentence.columns["ner"] == ("B-PER", "O")


def test_spans_are_put_onto_given_tokens(tmp_path: Path) -> None:
    spans = [{"start": 2, "end": 9, "label": "ORG"}]
    item = {"text": "A B-C  D.", "tokens": ["A", "B-C", "D."], "entities": spans}
    (sentence,) = read(tmp_path, item)
    assert sentence.columns["ner"] == ("O", "B-ORG", "I-ORG")
    (sentence,) = read(tmp_path, {**item, "ner": ["B-X", "O", "O"]})
    assert sentence.columns["ner"] == ("B-X", "O", "O")
    within = {**item, "spans": [{"start": 0, "end": 3, "label": "PER"}], "entities": []}
    with pytest.raises(DataError, match="does not begin and end with tokens"):
        read(tmp_path, within)
    (sentence,) = read(tmp_path, within, snap=True)
    assert sentence.columns["ner"] == ("B-PER", "I-PER", "O")
    (sentence,) = read(tmp_path, {**item, "entities": []})
    assert sentence.columns["ner"] == ("O", "O", "O")


def test_a_number_may_be_the_id_of_a_sentence(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, {"tokens": ["a"], "sent_id": 5})
    assert sentence.sent_id == "5"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"text": "a", "entities": [{"start": 0, "end": 9, "label": "X"}]}, "does not lie in the text"),
        ({"text": "a b", "entities": [{"start": 1, "end": 2, "label": "X"}]}, "does not begin and end"),
        ({"text": "a", "entities": [{"start": 0, "end": 1, "label": "X"}] * 2}, "overlaps another"),
        ({"tokens": ["a", "b"], "ner": ["O"]}, '"ner" has 1 labels for 2 tokens'),
        ({"tokens": ["a"], "upos": [""]}, '"upos" has an empty label at token 1'),
        ({"tokens": ["a"], "ner": ["PER"]}, "'PER' is not a tag"),
        ({"tokens": ["a"], "text": "a", "starts": [1]}, "'a' is not at 1"),
        ({"tokens": [""]}, "Token 1 is empty"),
        ({"tokens": ["a"], "spans": [{"start": 0, "end": 1, "label": "X"}]}, 'There is no "text", so'),
        ({"tokens": ["a"], "text": "ab", "spans": [{"start": 0, "end": 1, "label": "X"}]}, "tokens do not spell"),
        ({"text": "a", "spans": [{"start": 0, "end": 1, "label": ""}]}, "'B-' is not a tag"),
        ({"tokens": "a"}, "not a JSON object of a sentence"),
        ({"sentence": "a"}, 'neither "tokens" nor "text"'),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, item: object, message: str) -> None:
    with pytest.raises(DataError, match=r"a\.jsonl:1: .*" + message):
        read(tmp_path, item)


def test_texts_need_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(UsageError, match="tokenizer is needed"):
        list(read_jsonl(tmp_path / "a.jsonl"))


@given(sentence=sentences())
def test_written_and_read_again(tmp_path_factory: pytest.TempPathFactory, sentence: TaggedSentence) -> None:
    (again,) = read(tmp_path_factory.mktemp("round"), json.loads(format_jsonl(sentence)))
    assert (again.tokens, again.starts, again.text) == (sentence.tokens, sentence.starts, sentence.text)
    assert dict(again.columns) == dict(sentence.columns)


def test_starts_are_kept_where_the_tokens_are_not_all_of_the_text(tmp_path: Path) -> None:
    gap = TaggedSentence(tokens=("a", "c"), starts=(0, 4), text="a b c", columns={"ner": ("O", "O")})
    (again,) = read(tmp_path, json.loads(format_jsonl(gap)))
    assert (again.text, again.starts) == (gap.text, gap.starts)
