from __future__ import annotations

import os
from pathlib import Path

import pytest

from nlpseq.corpora.parallel import split_names
from nlpseq.corpora.registry import files_wanted, find_corpus, open_corpus, read_registry, registry
from nlpseq.errors import DataError, TrustError, UsageError
from nlpseq.text.tags import spans_of

from .strategies import offsets_hold


def test_the_shipped_registry_is_sound() -> None:
    entries = registry()
    assert {"sample-tagging", "ud-english-ewt", "uner-english-ewt", "wnut17", "btc", "conll2003"} <= set(entries)
    for name, corpus in entries.items():
        parts = split_names(corpus) if corpus.task == "translate" else corpus.splits
        wanted = {"train"} if name in {"turns", "phrases"} else {"train", "dev"}  # they measure nothing
        assert wanted <= set(parts), name
        for file in corpus.splits.values():
            # A digest belongs to content that does not change: an address at GitHub names a commit.
            at_github = file.address is not None and "github" in file.address
            assert not at_github or len(str(file.address).split("/")[5]) == 40, file.file
            assert at_github or not file.address or file.sha256 is None, file.file


def test_the_sample_is_read_from_the_install() -> None:
    train, dev = (list(open_corpus("sample-tagging", split)) for split in ("train", "dev"))
    assert (len(train), len(dev)) == (600, 120)
    assert all(set(s.columns) == {"upos", "xpos", "ner"} and offsets_hold(s) for s in train + dev)
    known = {token for sentence in train for token in sentence.tokens}
    entities = [
        s.tokens[a:b] for s in dev for _, a, b in spans_of(s.columns["ner"]) if s.tokens[0] != s.tokens[0].lower()
    ]
    new = [entity for entity in entities if not set(entity) & known]
    assert len(new) / len(entities) > 0.1  # a model that learns names by heart alone is found out


def test_a_joined_corpus_with_its_label_maps(mirror: Path) -> None:
    (sentence,) = open_corpus("ner", "train", mirror)
    assert sentence.columns == {"upos": ("PROPN", "VERB"), "ner": ("B-person", "O")}
    (sentence,) = open_corpus("ner", "train", mirror, label_map="short")
    assert sentence.columns["ner"] == ("B-PER", "O")  # and OTH is still O
    (sentence,) = open_corpus("ner", "train", mirror, label_map={"person": "O"})
    assert sentence.columns["ner"] == ("O", "O")


def test_the_mirror_may_be_named_by_the_environment(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLPSEQ_CORPORA_MIRROR", str(mirror))
    assert len(list(open_corpus("pos", "train"))) == 1


def test_a_corpus_that_is_not_here_says_how_to_get_it(mirror: Path) -> None:
    with pytest.raises(DataError, match="nlpseq corpora get pos"):
        open_corpus("pos", "train")
    with pytest.raises(DataError, match=r"Bring it\."):
        open_corpus("own", "train")
    assert len(list(open_corpus("own", "train", mirror))) == 1
    with pytest.raises(TrustError, match="--split test --unverified"):
        open_corpus("tests", "test", mirror)


def test_unknown_names_are_told_with_near_ones(mirror: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'tests'"):
        find_corpus("test")
    with pytest.raises(UsageError, match="has no split 'trian'"):
        open_corpus("pos", "trian", mirror)
    with pytest.raises(UsageError, match="has no label map 'long'"):
        open_corpus("ner", "train", mirror, label_map="long")


@pytest.mark.usefixtures("mirror")
def test_what_is_joined_onto_is_wanted_too() -> None:
    assert files_wanted("ner") == [("ner", "train"), ("pos", "train")]
    assert files_wanted("tests") == []
    assert files_wanted("tests", unverified=True) == [("tests", "test")]
    with pytest.raises(UsageError, match="no split"):
        files_wanted("ner", ["dev"])


ENTRY = '[a]\ntitle="t"\ntask="tag"\nlanguages=[]\nlicence="l"\ncitation="c"\nreader="conllu"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY + 'licnce="x"\n[a.splits]', "unknown field `licnce`"),
        (ENTRY + '[a.splits]\ntrain={file="../x"}', "not a plain file name"),
        (ENTRY + '[a.splits]\ntrain={file="x", sha256="12"}', "64 hexadecimal"),
        (ENTRY + '[a.splits]\ntrain={file="x", address="http://x"}', "does not begin with https"),
        (ENTRY + 'join="b"\n[a.splits]', "join names 'b'"),
        (ENTRY.replace("conllu", "conlu") + "[a.splits]", "no reader 'conlu'"),
        ("[a", "registry.toml"),
    ],
)
def test_a_faulty_registry_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_registry(path)


@pytest.mark.skipif("NLPSEQ_CORPORA_MIRROR" not in os.environ, reason="needs a mirror of the real corpora")
@pytest.mark.parametrize(
    ("name", "split", "sentences", "entities"),
    [
        ("ud-english-ewt", "train", 12544, 0),
        ("ud-english-ewt", "dev", 2001, 0),
        ("uner-english-ewt", "train", 12544, 1434 + 2873 + 2698),
        ("uner-english-ewt", "dev", 2001, 399 + 343 + 224),
        ("wnut17", "train", 3394, 1975),
        ("wnut17", "dev", 1009, 836),
        ("btc", "train", 6338, 8779),
        ("btc", "dev", 1000, 1730),  # one more sentence upstream is a single blank token
    ],
)
def test_the_real_corpora(name: str, split: str, sentences: int, entities: int) -> None:
    found = list(open_corpus(name, split))
    assert len(found) == sentences
    assert sum(len(spans_of(s.columns["ner"])) for s in found if "ner" in s.columns) == entities
    assert all(offsets_hold(s) and "" not in s.tokens for s in found)
