from __future__ import annotations

import hashlib
import runpy
from pathlib import Path

import pytest

from nlpseq.corpora import parallel, registry
from nlpseq.corpora.download import locate
from nlpseq.corpora.parallel import chosen_direction, directions, divided, open_pairs
from nlpseq.corpora.registry import open_corpus, read_registry
from nlpseq.errors import DataError, TrustError, UsageError
from nlpseq.records import SentencePair

NUMBERS = "one two three four five six seven eight nine ten".split()  # noqa: SIM905
HEAD = 'title = "T"\ntask = "translate"\nlicence = "CC0-1.0"\ncitation = "Nobody"\n'


def rows() -> list[tuple[str, str]]:
    """Two hundred English sentences; each has two translations, and one of those is that of a second sentence, too."""
    found = []
    for a in NUMBERS:
        for b in NUMBERS:
            found += [(f"We have {a} and {b}.", f"{a} {b} F"), (f"we have  {a} and {b}!", f"{a} {b} f")]
            found += [(f"So there are {a} and {b}.", f"{a} {b} f"), ("Short.", f"{a} {b} court")]
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{english}\t{other}\tCC-BY\n" for english, other in rows()))
    return path


def sentences(pairs: list[SentencePair]) -> set[str]:
    """English sources, as the split compares them."""
    return {" ".join(pair.source.lower().split()).rstrip(".!") for pair in pairs}


def test_no_english_sentence_is_in_two_parts(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "HELD_OUT", 15)
    parts = {part: list(divided(table, part, from_english=True)) for part in parallel.PARTS}
    assert (len(parts["dev"]), len(parts["test"])) == (15, 15)
    keys = {part: sentences(pairs) for part, pairs in parts.items()}
    assert not keys["dev"] & keys["test"]
    assert not keys["train"] & (keys["dev"] | keys["test"])
    assert len(keys["train"]) == 201 - 30
    assert all(4 <= len(pair.source.split()) <= 20 for part in ("dev", "test") for pair in parts[part])
    again = list(divided(table, "dev", from_english=True))
    assert again == parts["dev"]


def test_dev_has_all_translations_of_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"This is sentence {n} of all.\tC'est {k}.\n" for n in range(20) for k in (0, n + 1, 0)))
    dev = list(divided(path, "dev", from_english=True))
    assert len(dev) == 2  # a tenth, where there are few
    assert [len(pair.targets) for pair in dev] == [2, 2]
    assert len(list(divided(path, "train", from_english=True))) == 3 * 16


def test_towards_english_no_foreign_sentence_leaks_either(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "HELD_OUT", 15)
    parts = {part: list(divided(table, part, from_english=False)) for part in parallel.PARTS}
    english = {part: {t for pair in pairs for t in pair.targets} for part, pairs in parts.items()}
    forward = {part: {p.source for p in divided(table, part, from_english=True)} for part in parallel.PARTS}
    assert (english["dev"], english["test"]) == (forward["dev"], forward["test"])
    held = {pair.source.lower() for part in ("dev", "test") for pair in parts[part]}
    assert not held & {pair.source.lower() for pair in parts["train"]}
    assert english["train"] < forward["train"]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two parallel corpora: one with a file a language, and one whose upstream changes."""
    texts = {"en": "a\nb\n", "fr": "c\nd\n", "de": "e\nf\n"}
    splits = "".join(
        f'"{part}.{language}" = {{ file = "{part}.{language}", address = "https://example.invalid/x", '
        f'sha256 = "{hashlib.sha256(text.encode()).hexdigest()}" }}\n'
        for part in ("train", "dev")
        for language, text in texts.items()
    )
    changing = '{ file = "p.tsv", address = "https://example.invalid/p", changing = true }'
    listing = tmp_path / "registry.toml"
    listing.write_text(
        f'[many]\n{HEAD}languages = ["en", "fr", "de"]\nreader = "lines"\n[many.splits]\n{splits}\n'
        f'[tato]\n{HEAD}languages = ["en", "fr"]\nreader = "tatoeba"\n[tato.splits]\nen-fr = {changing}\n'
    )
    monkeypatch.setattr(registry, "registry", lambda: read_registry(listing))
    monkeypatch.setenv("NLPSEQ_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mirror"
    for name in ("many", "tato"):
        (folder / name).mkdir(parents=True)
    for part in ("train", "dev"):
        for language, text in texts.items():
            (folder / "many" / f"{part}.{language}").write_text(text)
    (folder / "tato" / "p.tsv").write_text("".join(f"{english}\t{other}\n" for english, other in rows()))
    return folder


def test_any_two_languages_are_a_direction(mirror: Path) -> None:
    assert len(directions("many")) == 6
    (first, _) = open_pairs("many", "dev", "de-fr", mirror)
    assert (first.source, first.targets) == ("e", ("c",))
    with pytest.raises(UsageError, match="many has no direction fr-es"):
        open_pairs("many", "dev", "fr-es", mirror)
    with pytest.raises(UsageError, match="Name a direction: many@en-fr"):
        open_pairs("many", "dev", None, mirror)
    with pytest.raises(UsageError, match="no split 'tset'"):
        open_pairs("many", "tset", "en-fr", mirror)
    with pytest.raises(DataError, match="nlpseq corpora get many"):
        open_pairs("many", "dev", "en-fr")
    (mirror / "many" / "dev.fr").write_text("c\nD\n")
    with pytest.raises(TrustError, match="SHA-256"):
        open_pairs("many", "dev", "en-fr", mirror)


def test_a_file_that_upstream_changes_is_taken_from_a_mirror_as_it_is(mirror: Path) -> None:
    assert chosen_direction("tato", None) == ("en", "fr")
    assert [pair.targets[0] for pair in open_pairs("tato", "train", None, mirror)]
    assert len(list(open_pairs("tato", "dev", "fr-en", mirror))) > 0
    assert locate("tato", "en-fr", mirror) == mirror / "tato" / "p.tsv"


@pytest.mark.usefixtures("mirror")
def test_a_corpus_of_pairs_is_for_translation_alone() -> None:
    with pytest.raises(UsageError, match="many is a corpus for translate, not for tag"):
        open_corpus("many", "dev")


def test_the_sample_is_right_in_both_directions() -> None:
    train = {(pair.source, pair.targets) for pair in open_pairs("sample-translation", "train")}
    dev = list(open_pairs("sample-translation", "dev"))
    assert (len(train), len(dev)) == (4000, 300)
    assert ("Do you want to sing with me?", ("Voulez-vous chanter avec moi ?",)) in train
    assert not {source for source, _ in train} & {pair.source for pair in dev}
    (back, *_) = open_pairs("sample-translation", "dev", "fr-en")
    assert (back.source, back.targets) == (dev[0].targets[0], (dev[0].source,))


def test_the_phrases_are_what_their_templates_give_in_three_languages() -> None:
    script = Path(__file__).parents[2] / "corpora" / "phrases" / "generate.py"
    rows = runpy.run_path(str(script))["rows"]()
    assert all(len(row) == 3 and all(map(str.strip, row)) and "{" not in "".join(row) for row in rows)
    for place, direction in {(0, 1): "en-fr", (1, 0): "fr-en", (0, 2): "en-de"}.items():
        read = [(pair.source, *pair.targets) for pair in open_pairs("phrases", "train", direction)]
        assert read == [(row[place[0]], row[place[1]]) for row in rows]
