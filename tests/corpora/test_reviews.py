from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nlpseq.corpora.registry import find_corpus
from nlpseq.corpora.reviews import in_tenth, read_reviews, stars_of
from nlpseq.corpora.sources import read_text_source
from nlpseq.corpora.texts import PARTS_OF_REVIEWS, detect_text_format
from nlpseq.errors import DataError, UsageError

FILES = {
    "train/pos/0_9.txt": "Good.<br /><br />Very good.",
    "train/pos/10_7.txt": "Fine",
    "train/neg/2_1.txt": "Bad",
    "train/neg/2_1.bak": "no review",
    "train/unsup/0_0.txt": "Who knows",
    "train/urls_pos.txt": "http://example.invalid/",
    "test/neg/0_4.txt": "Meh",
    "README": "read me",
}


def folder(where: Path) -> Path:
    for name, text in FILES.items():
        (where / "aclImdb" / name).parent.mkdir(parents=True, exist_ok=True)
        (where / "aclImdb" / name).write_text(text)
    return where / "aclImdb"


def archive(where: Path) -> Path:
    path = where / "aclImdb.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in FILES.items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("make", [folder, archive])
def test_a_folder_and_an_archive_are_read_alike(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    assert detect_text_format(path) == "reviews"
    found = {(e.text, e.labels["polarity"], e.labels["stars"]) for e in read_reviews(path)}
    assert found == {("Good.\nVery good.", "positive", "5"), ("Fine", "positive", "4"), ("Bad", "negative", "1")}
    assert [(e.text, e.labels) for e in read_reviews(path, labelled=False)] == [("Who knows", {})]
    assert [e.text for e in read_reviews(path, part="test")] == ["Meh"]


def test_the_part_itself_may_be_named(tmp_path: Path) -> None:
    assert len(list(read_reviews(folder(tmp_path) / "train"))) == 3


def test_points_are_two_a_star() -> None:
    assert [stars_of(points) for points in range(1, 11)] == ["1", "1", "2", "2", "3", "3", "4", "4", "5", "5"]


def test_the_tenth_and_the_rest_are_the_whole_and_the_same_text_is_on_one_side() -> None:
    """Of 20,000 texts a tenth has a standard deviation of 0.2 per cent; 1 is five of them."""
    texts = [f"Review {number}" for number in range(20_000)]
    assert sum(map(in_tenth, texts)) / len(texts) == pytest.approx(0.1, abs=0.01)
    assert all(in_tenth(text) == in_tenth(str(text)) for text in texts[:100])


def test_the_tenth_is_what_the_rest_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "a"
    (path / "pos").mkdir(parents=True)
    for number in range(60):
        (path / "pos" / f"{number}_8.txt").write_text(f"Number {number}")
    without, only = ({e.text for e in read_reviews(path, tenth=t)} for t in ("without", "only"))
    assert not without & only
    assert len(without | only) == 60
    assert only


@pytest.mark.parametrize("name", ["nothing-here", "empty", "broken.tar.gz"])
def test_what_holds_no_reviews_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.tar.gz").write_bytes(b"\x1f\x8bno archive")
    with pytest.raises(DataError, match=name):
        list(read_reviews(tmp_path / name))


def test_what_is_not_utf8_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "3_8.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"3_8\.txt is not UTF-8: byte 0xe9 at 4"):
        list(read_reviews(tmp_path))
    (tmp_path / "pos" / "3_8.txt").rename(tmp_path / "pos" / "3_11.txt")
    (tmp_path / "pos" / "3_11.txt").write_text("x")
    with pytest.raises(DataError, match="11 points"):
        list(read_reviews(tmp_path))


@pytest.mark.parametrize("make", [folder, archive])
def test_a_part_may_be_named_behind_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = make(tmp_path).name
    for path in (name, f"./{name}"):
        assert [e.text for e in read_text_source(f"{path}:test", "dev")] == ["Meh"]
        whole = [e.text for e in read_text_source(path, "dev")]
        assert len(whole) == 3
        assert [e.text for e in read_text_source(f"{path}:train", "dev")] == [t for t in whole if not in_tenth(t)]
    with pytest.raises(UsageError, match="neither a file here nor a corpus"):
        read_text_source("folder:test", "dev")


def test_the_parts_are_those_of_the_registry() -> None:
    splits = find_corpus("imdb").splits
    assert {name: splits[name].options for name in PARTS_OF_REVIEWS} == PARTS_OF_REVIEWS
