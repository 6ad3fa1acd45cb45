"""Corpora of labelled texts by name: archives read in place, and files that serve as well as what upstream has."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from nlpseq.corpora import registry
from nlpseq.corpora.download import fetch, locate, whereabouts
from nlpseq.corpora.registry import files_wanted, open_texts
from nlpseq.corpora.sources import read_sources
from nlpseq.errors import DataError, TrustError

TREE = "(4 (2 so) (4 good))\n"
ENTRY = """
[trees]
title = "Trees"
task = "sentiment"
languages = ["en"]
licence = "CC0-1.0"
citation = "Nobody"
reader = "trees"

[trees.splits.train]
file = "trees.zip"
address = "https://example.invalid/trees.zip"
member = "trees/train.txt"
instead = { file = "trees/train.txt", sha256 = "SHA" }

[trees.splits.phrases]
file = "trees.zip"
address = "https://example.invalid/trees.zip"
member = "trees/train.txt"
instead = { file = "trees/train.txt", sha256 = "SHA" }
options = { units = "phrases", schemes = ["polarity"] }

[trees.splits.test]
file = "trees.zip"
address = "https://example.invalid/trees.zip"
member = "trees/test.txt"
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty mirror beside a registry and a cache that are the test's own."""
    listing = tmp_path / "registry.toml"
    listing.write_text(ENTRY.replace("SHA", hashlib.sha256(TREE.encode()).hexdigest()))
    entries = registry.read_registry(listing)
    monkeypatch.setattr(registry, "registry", lambda: entries)
    monkeypatch.setenv("NLPSEQ_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NLPSEQ_CORPORA_MIRROR", raising=False)
    (tmp_path / "mirror" / "trees").mkdir(parents=True)
    return tmp_path / "mirror"


def unpacked(mirror: Path, text: str = TREE) -> Path:
    path = mirror / "trees" / "trees" / "train.txt"
    path.parent.mkdir()
    path.write_text(text)
    return path


def packed(mirror: Path) -> Path:
    path = mirror / "trees" / "trees.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("trees/train.txt", TREE)
        archive.writestr("trees/test.txt", "(0 bad)\n")
    return path


def test_the_unpacked_file_serves_and_the_options_of_the_split_hold(mirror: Path) -> None:
    path = unpacked(mirror)
    assert whereabouts("trees", mirror) == "mirror"
    assert locate("trees", "train", mirror) == path
    assert [(e.text, dict(e.labels)) for e in open_texts("trees", "train", mirror)] == [
        ("so good", {"polarity": "positive", "stars": "5"})
    ]
    found = {(e.text, *e.labels.items()) for e in open_texts("trees", "phrases", mirror)}
    assert found == {("so good", ("polarity", "positive")), ("good", ("polarity", "positive"))}


def test_it_is_verified_and_kept_in_the_cache(mirror: Path) -> None:
    unpacked(mirror)
    assert files_wanted("trees") == [("trees", "train"), ("trees", "phrases")]
    kept = fetch("trees", "train", mirror)
    assert kept.read_text() == TREE
    assert kept == fetch("trees", "train") == locate("trees", "train")
    kept.write_text("(0 bad)\n")
    for look in (fetch, locate):
        with pytest.raises(TrustError, match="SHA-256 differs"):
            look("trees", "train")


def test_a_false_file_is_not_taken(mirror: Path) -> None:
    unpacked(mirror, "(0 bad)\n")
    with pytest.raises(TrustError, match="SHA-256 differs"):
        locate("trees", "train", mirror)
    with pytest.raises(TrustError, match="SHA-256 differs"):
        fetch("trees", "train", mirror)


def test_the_archive_is_taken_on_request_and_read_in_place(mirror: Path) -> None:
    packed(mirror)
    with pytest.raises(TrustError, match="--unverified"):
        fetch("trees", "test", mirror)
    fetch("trees", "test", mirror, unverified=True)
    assert [e.text for e in open_texts("trees", "test")] == ["bad"]
    assert [e.text for e in open_texts("trees", "train")] == ["so good"]


def test_what_is_nowhere_says_how_to_get_it(mirror: Path) -> None:
    with pytest.raises(DataError, match="nlpseq corpora get trees --split train --unverified"):
        open_texts("trees", "train", mirror)


@pytest.mark.parametrize(
    ("task", "name", "message"),
    [
        ("sentiment", "sst", "Run: nlpseq corpora get sst --split train --unverified, or"),
        ("tag", "wnut17", "Run: nlpseq corpora get wnut17, or"),
        ("tag", "conll2003", "It cannot be downloaded: ask NIST"),
    ],
)
def test_each_corpus_says_how_it_is_got(
    task: str, name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPSEQ_CACHE", str(tmp_path))
    monkeypatch.delenv("NLPSEQ_CORPORA_MIRROR", raising=False)
    with pytest.raises(DataError, match=re.escape(message)):
        read_sources(task, [name], "train")
