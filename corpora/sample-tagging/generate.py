"""Writes train.conllu and dev.conllu of the sample corpus from templates.txt and words.toml. CC0.

    python corpora/sample-tagging/generate.py

The result is the same on every run. Sentences differ between the splits, and so does a share of the names.
"""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from nlpseq.corpora.conllu import format_conllu
from nlpseq.corpora.offsets import Piece, spell
from nlpseq.records import TaggedSentence

HERE = Path(__file__).resolve().parent
SIZES = {"train": 600, "dev": 120}
SEED = 2024
GLUED_LEFT = {".", ",", "?", "!", ":", ";", ")", "'s", "n't", "'m", "'re", "'ve", "%"}
GLUED_RIGHT = {"(", "$"}
SLOT = re.compile(r"\{(\w+)\}")
SAME_FORMS = {  # slots that are filled by another's forms, in another part of speech
    "VBN": ("VBD", "VERB/VBN"),
    "DBN": ("DBD", "VERB/VBN"),
    "VB_VBP": ("VB", "VERB/VBP"),
}
LOWER_CASED = 0.1  # share of sentences that are written without capitals


class Word(NamedTuple):
    """A token with its tags."""

    form: str
    tags: str  # "UPOS/XPOS"
    ner: str = "O"


class Grammar:
    """The word lists of words.toml, and the names that a split may use."""

    def __init__(self, split: str, chance: random.Random) -> None:
        words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
        self.chance = chance
        self.slots: dict[str, list[str]] = words["slots"]
        self.slot_tags: dict[str, str] = words["slot_tags"]
        self.names: dict[str, list[str]] = {
            kind: lists["both"] + lists[split] for kind, lists in words["names"].items()
        }
        self.used: set[str] = set()
        self.tags = {form: tags for tags, forms in words["tags"].items() for form in forms.split()}

    def sentence(self, template: str) -> list[Word]:
        """The words of a template, its slots filled."""
        self.used.clear()
        words: list[Word] = []
        for token in template.split():
            words += self._fill(token)
        for index, word in enumerate(words[:-1]):
            if word.form == "{a}":
                words[index] = Word("an" if words[index + 1].form[0] in "aeiou" else "a", "DET/DT")
        first = words[0]
        return [first._replace(form=first.form[0].upper() + first.form[1:]), *words[1:]]

    def _fill(self, token: str) -> list[Word]:
        slot = SLOT.fullmatch(token)
        if slot is None:
            return [self._word(token)]
        name = slot[1]
        if name == "a":
            return [Word("{a}", "DET/DT")]
        if name in {"PER", "FIRST"}:
            return self._person(name)
        if name == "LOC":
            name = self.chance.choice(["CITY", "CITY", "COUNTRY"])
        if name in self.names:
            return self._entity(self._other(self.names[name]), "ORG" if name == "ORG" else "LOC")
        if name in SAME_FORMS:
            slot_name, tags = SAME_FORMS[name]
            return [Word(self._other(self.slots[slot_name]), tags)]
        if name == "DAYNUM":
            return [Word(str(self.chance.randint(1, 28)), "NUM/CD")]
        return [self._word(self._other(self.slots[name]), self.slot_tags.get(name))]

    def _other(self, choices: list[str]) -> str:
        """One of `choices` that the sentence does not have yet."""
        chosen = self.chance.choice([choice for choice in choices if choice not in self.used])
        self.used.add(chosen)
        return chosen

    def _word(self, token: str, tags: str | None = None) -> Word:
        form, _, given = token.partition("_")
        known = given or tags or self.tags.get(form) or self.tags[form.lower()]
        return Word("to" if form == "TO" else form, known)

    def _person(self, kind: str) -> list[Word]:
        name = self._other(self.names["first"])
        if kind == "PER" and self.chance.random() < 0.8:
            name += " " + self._other(self.names["last"])
        return self._entity(name, "PER")

    def _entity(self, name: str, label: str) -> list[Word]:
        article = [Word("the", "DET/DT")] if name.startswith("the ") else []
        parts = name.removeprefix("the ").split()
        kinds = {"of": "ADP/IN", "&": "CCONJ/CC"}
        tags = [kinds.get(part, "PROPN/NNP") for part in parts]
        return article + [
            Word(part, tag, f"{'I' if index else 'B'}-{label}")
            for index, (part, tag) in enumerate(zip(parts, tags, strict=True))
        ]


def tagged(words: list[Word], sent_id: str) -> TaggedSentence:
    """The record of a sentence; its text is spaced as people write it."""
    pieces = []
    for index, word in enumerate(words):
        after = words[index + 1].form.lower() if index + 1 < len(words) else ""
        space = after not in GLUED_LEFT and word.form not in GLUED_RIGHT
        pieces.append(Piece(word.form, (word.form,), space))
    text, starts = spell(pieces)
    columns = {
        "upos": tuple(word.tags.split("/")[0] for word in words),
        "xpos": tuple(word.tags.split("/")[1] for word in words),
        "ner": tuple(word.ner for word in words),
    }
    return TaggedSentence(
        tokens=tuple(w.form for w in words), starts=starts, text=text, columns=columns, sent_id=sent_id
    )


def templates(split: str) -> list[str]:
    """The templates that a split uses."""
    lines = (HERE / "templates.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    return [line.removeprefix("[dev] ") for line in lines if split == "dev" or not line.startswith("[dev]")]


def write(split: str, taken: set[str]) -> None:
    """One split: the templates in turn, until there are enough sentences that `taken` does not hold."""
    chance = random.Random(f"{SEED} {split}")
    grammar, found = Grammar(split, chance), 0
    with (HERE / f"{split}.conllu").open("w", encoding="utf-8", newline="\n") as out:
        while found < SIZES[split]:
            order = templates(split)
            chance.shuffle(order)
            for template in order[: SIZES[split] - found]:
                words = grammar.sentence(template)
                if chance.random() < LOWER_CASED:
                    words = [word._replace(form=word.form.lower()) for word in words]
                sentence = tagged(words, f"{split}-{found + 1:04}")
                key = sentence.text.lower()
                if key not in taken:
                    taken.add(key)
                    found += 1
                    out.write(format_conllu(sentence))


def main() -> None:
    """Write both splits; dev repeats no sentence of train."""
    taken: set[str] = set()
    for split in SIZES:
        write(split, taken)


if __name__ == "__main__":
    main()
