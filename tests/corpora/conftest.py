"""A registry of two small corpora, and a mirror that has their files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nlpseq.corpora import registry

POS = "# sent_id = 1\n1\tAda\t_\tPROPN" + "\t_" * 6 + "\n2\tsings\t_\tVERB" + "\t_" * 6 + "\n\n"
NER = "# sent_id = 1\n1\tAda\tB-person\n2\tsings\tB-OTH\n"
TEMPLATE = """
[pos]
title = "Parts of speech"
task = "tag"
languages = ["en"]
licence = "CC0-1.0"
citation = "Nobody"
reader = "conllu"
[pos.splits]
train = {{ file = "train.conllu", address = "https://example.invalid/train.conllu", sha256 = "{pos}" }}

[ner]
title = "Entities"
task = "tag"
languages = ["en"]
licence = "CC0-1.0"
citation = "Nobody"
reader = "columns"
join = "pos"
label_map = {{ OTH = "O" }}
label_maps = {{ short = {{ person = "PER" }} }}
[ner.splits]
train = {{ file = "train.iob2", address = "https://example.invalid/train.iob2", sha256 = "{ner}" }}

[tests]
title = "A file without a known digest"
task = "tag"
languages = ["en"]
licence = "CC0-1.0"
citation = "Nobody"
reader = "conllu"
[tests.splits]
test = {{ file = "test.conllu", address = "https://example.invalid/test.conllu" }}

[own]
title = "One that users bring"
task = "tag"
languages = ["en"]
licence = "theirs"
citation = "Nobody"
reader = "conllu"
note = "Bring it."
[own.splits]
train = {{ file = "own.conllu" }}
"""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a mirror; the registry, the cache and the environment are the test's own."""
    listing = tmp_path / "registry.toml"
    listing.write_text(TEMPLATE.format(pos=digest(POS), ner=digest(NER)), encoding="utf-8")
    entries = registry.read_registry(listing)
    monkeypatch.setattr(registry, "registry", lambda: entries)
    monkeypatch.setenv("NLPSEQ_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NLPSEQ_CORPORA_MIRROR", raising=False)
    folder = tmp_path / "mirror"
    files = {"pos/train.conllu": POS, "ner/train.iob2": NER, "tests/test.conllu": POS, "own/own.conllu": POS}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder
