"""The corpora as files that a peer can read without nlpseq: JSON Lines and plain text, made once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.scripts import kept
from nlpseq.corpora.sources import read_pair_sources, read_source, read_text_source
from nlpseq.records import LabelledText, SentencePair, TaggedSentence

TAGGING = "uner-english-ewt"
SLICE = 60  # examples of each part, with --quick


def tagging(work: Path, quick: bool) -> Path:
    """A folder with train.jsonl and dev.jsonl (tokens, spaces, upos, xpos, ner) and dev.txt (a text a line)."""

    def make(folder: Path) -> dict[str, Any]:
        counts = {}
        for part in ("train", "dev"):
            sentences = _some(read_source(TAGGING, part), quick)
            write_objects(folder / f"{part}.jsonl", map(_tagged, sentences))
            write_lines(folder / f"{part}.txt", (sentence.text for sentence in sentences))
            counts[part] = sum(len(sentence.tokens) for sentence in sentences)
        return counts

    kept(work / "tagging-data", make)
    return work / "tagging-data"


def sentiment(work: Path, quick: bool) -> Path:
    """A folder with NAME.train.jsonl and NAME.dev.jsonl (text, label), for sst-2, sst-5 and imdb; NAME.txt to be timed.

    Of the treebank, all phrases are for training and whole sentences for development. Timed are its whole training
    sentences, since those for development are read in half a second, and the development reviews of IMDb.
    """

    def make(folder: Path) -> dict[str, Any]:
        for name, train, dev, scheme in (
            ("sst-2", "sst:phrases@polarity", "sst@polarity", "polarity"),
            ("sst-5", "sst:phrases@stars", "sst@stars", "stars"),
            ("imdb", "imdb@polarity", "imdb:dev@polarity", "polarity"),
        ):
            for part, source in (("train", train), ("dev", dev)):
                texts = _some([e for e in read_text_source(source, part) if scheme in e.labels], quick)
                write_objects(folder / f"{name}.{part}.jsonl", (_labelled(text, scheme) for text in texts))
        for name, source, part in (("sst-2", "sst", "train"), ("imdb", "imdb@polarity", "dev")):
            write_lines(folder / f"{name}.txt", (text.text for text in _some(read_text_source(source, part), quick)))
        return {}

    kept(work / "sentiment-data", make)
    return work / "sentiment-data"


def translation(work: Path, quick: bool, corpus: str) -> Path:
    """A folder with PART.source and PART.target of train, dev and test, a sentence a line, in the corpus's own."""

    def make(folder: Path) -> dict[str, Any]:
        for part in ("train", "dev", "test"):
            pairs: Sequence[SentencePair] = read_pair_sources([corpus], part)
            pairs = pairs[: 20 * SLICE] if quick and part == "train" else _some(pairs, quick)
            write_lines(folder / f"{part}.source", (pair.source for pair in pairs))
            write_lines(folder / f"{part}.target", (pair.targets[0] for pair in pairs))
        return {}

    folder = work / f"translation-{quote(corpus, safe='@')}" / "data"
    kept(folder, make)
    return folder


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """A line each; white space within a text is one space."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(" ".join(line.split()) + "\n" for line in lines)
    return path


def write_objects(path: Path, objects: Iterable[dict[str, Any]]) -> Path:
    """JSON Lines."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
    return path


def read_lines(path: Path) -> list[str]:
    """The lines of a file, without their ends."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def read_objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in read_lines(path)]


def in_shares(path: Path, shares: int) -> list[Path]:
    """Files with every n-th line of a file, beside it; for one share the file itself."""
    if shares == 1:
        return [path]
    lines = read_lines(path)
    names = [path.with_name(f"{path.stem}.{share + 1}-of-{shares}{path.suffix}") for share in range(shares)]
    return [write_lines(name, lines[share::shares]) for share, name in enumerate(names)]


def _some(examples: Sequence[Any], quick: bool) -> Sequence[Any]:
    """All examples, or a few, evenly drawn."""
    return examples[:: max(1, len(examples) // SLICE)][:SLICE] if quick else examples


def _tagged(sentence: TaggedSentence) -> dict[str, Any]:
    ends = [start + len(token) for start, token in zip(sentence.starts, sentence.tokens, strict=True)]
    apart = [end < start for end, (_, start) in zip(ends, pairwise(sentence.starts), strict=False)]
    nothing = ["O"] * len(sentence.tokens)
    columns = {name: list(sentence.columns.get(name, nothing)) for name in ("upos", "xpos", "ner")}
    return {"tokens": list(sentence.tokens), "spaces": [*apart, False], **columns}


def _labelled(text: LabelledText, scheme: str) -> dict[str, Any]:
    return {"text": text.text, "label": text.labels[scheme]}
