"""Writes train.tsv and dev.tsv of the sample corpus, English and French, from a small grammar over words.toml. CC0.

    python corpora/sample-translation/generate.py

The result is the same on every run. Each rule below makes one sentence in both languages; gender, number, elision and
the place of adjectives are those of the words. `you` is always `vous`. A sentence is in one of the splits alone.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SIZES = {"train": 4000, "dev": 300}
SEED = 2024
VOWELS = "aàâeéèêiîoôuûhœAEIOUÉ"  # the h of every word here is silent
ENDINGS = ("e", "es", "e", "ons", "ez", "ent")
ME, WE, YOU, THEY = 1, 4, 5, 6
WORDS = {name: [[part.strip() for part in line.split("|")] for line in block.strip().splitlines()]
         for name, block in tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8")).items()}  # fmt: skip

Pair = tuple[str, str]


class Verb(NamedTuple):
    """English base, third person, -ing and past; French infinitive, six forms of the present, participle."""

    english: list[str]
    infinitive: str
    present: list[str]
    participle: str
    objects: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, english: str, french: str, objects: str = "") -> Verb:
        """A verb of words.toml; where it gives no forms they are made by the rule for -er."""
        infinitive, *irregular = (part.strip() for part in french.split(":"))
        stem = infinitive.removesuffix("er")
        forms = [stem + ("e" if stem[-1] == "g" and ending[0] == "o" else "") + ending for ending in ENDINGS]
        present = irregular[0].split() if irregular else forms
        participle = irregular[1] if irregular else stem + "é"
        words = [word.replace("_", " ") for word in english.split()]
        return cls(words, infinitive, present, participle, frozenset(objects.split()))


class Subject(NamedTuple):
    """Who does it: person 1 to 6 as French counts, 5 for `you`."""

    english: str
    french: str
    person: int
    gender: str

    @property
    def singular_third(self) -> bool:
        """Whether the English verb ends in -s: also its place in the list of forms."""
        return self.person == 3

    @property
    def be(self) -> str:
        """The form of `be`."""
        return {ME: "am", 3: "is"}.get(self.person, "are")


VERBS = [Verb.parse(*row) for row in WORDS["verbs"]]
WITH_OBJECT = [Verb.parse(*row) for row in WORDS["verbs_with_object"]]
MODALS = [(english.split(), particle, Verb.parse(english, french)) for english, particle, french in WORDS["modals"]]
SUBJECTS = [Subject(e, f, int(person), gender) for e, f, person, gender in WORDS["subjects"]]
ETRE = ["suis", "es", "est", "sommes", "êtes", "sont"]
ALLER = ["vais", "vas", "va", "allons", "allez", "vont"]
AVOIR = ["ai", "as", "a", "avons", "avez", "ont"]


def elided(short: str, long: str, word: str) -> str:
    """`j'aime`, `je chante`: the short form before a vowel."""
    return f"{short}'{word}" if word[0] in VOWELS else f"{long} {word}"


def said(subject: Subject, form: str) -> str:
    """A French subject with its verb."""
    return elided("j", "je", form) if subject.person == ME else f"{subject.french} {form}"


def denied(subject: Subject, form: str) -> str:
    """The same, denied."""
    return f"{subject.french} {elided('n', 'ne', form)} pas"


def asked(subject: Subject, form: str, rest: str) -> str:
    """A question: `vous` and its verb change places, others have `est-ce que` before them."""
    if subject.person == YOU:
        return f"{form}-vous {rest}".strip() + " ?"
    clause = said(subject, form)
    return f"est-ce {elided('qu', 'que', clause)} {rest}".strip() + " ?"


def noun(chance: random.Random, kinds: frozenset[str] | None = None) -> list[str]:
    """A noun, of one of some kinds."""
    return chance.choice([row for row in WORDS["nouns"] if kinds is None or kinds & set(row[3].split())])


def article(word: str) -> str:
    """`an egg`, `a key`."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def the(row: list[str]) -> Pair:
    """`the key`, `la clé`."""
    english, french, gender, _ = row
    return f"the {english}", elided("l", "le" if gender == "m" else "la", french)


def described(chance: random.Random, row: list[str]) -> Pair:
    """`a blue key`, `une clé bleue`; half of them without an adjective."""
    english, french, gender, _ = row
    one = "un" if gender == "m" else "une"
    if chance.random() < 0.5:
        return article(english), f"{one} {french}"
    adjective, forms, place = chance.choice(WORDS["adjectives"])
    form = forms.split()[gender == "f"]
    if place == "after":
        return article(f"{adjective} {english}"), f"{one} {french} {form}"
    before = place.split()[1] if gender == "m" and french[0] in VOWELS else form
    return article(f"{adjective} {english}"), f"{one} {before} {french}"


def thing(chance: random.Random, verb: Verb) -> Pair:
    """What a verb may be done to."""
    row = noun(chance, verb.objects)
    return the(row) if chance.random() < 0.4 else described(chance, row)


def action(chance: random.Random, subject: Subject) -> tuple[Verb, Pair]:
    """A verb, and what it is done to, where, or with whom (never with oneself)."""
    if chance.random() < 0.5:
        verb = chance.choice(WITH_OBJECT)
        return verb, thing(chance, verb)
    verb = chance.choice(VERBS)
    own = {ME: {"me", "us"}, WE: {"me", "us"}, YOU: {"you", "your"}}.get(subject.person, set())
    companions = [row for row in WORDS["companions"] if not own & set(row[0].split())]
    english, french = chance.choice(WORDS["places"] + (companions if "with" in verb.objects else []))
    return verb, (english, french)


def statement(chance: random.Random) -> Pair:
    """She is reading a book. Every day they dance with us."""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    french = f"{said(subject, verb.present[subject.person - 1])} {quoi}"
    if chance.random() < 0.5:
        return f"{subject.english} {subject.be} {verb.english[2]} {what}.", f"{french}."
    when, quand = chance.choice(WORDS["times"])
    return f"{subject.english} {verb.english[subject.singular_third]} {what} {when}.", f"{french} {quand}."


def denial(chance: random.Random) -> Pair:
    """He does not sleep at home."""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    if quoi.startswith(("un ", "une ")):  # pas de: another rule
        what, quoi = the(noun(chance, verb.objects))
    does = "does not" if subject.singular_third else "do not"
    french = f"{denied(subject, verb.present[subject.person - 1])} {quoi}."
    return f"{subject.english} {does} {verb.english[0]} {what}.", french


def question(chance: random.Random) -> Pair:
    """Do you work with him? Does Anna eat an apple?"""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    does = "does" if subject.singular_third else "do"
    return (
        f"{does} {subject.english} {verb.english[0]} {what}?",
        asked(subject, verb.present[subject.person - 1], quoi),
    )


def wish(chance: random.Random) -> Pair:
    """We want to buy a new car. Do you want to sing with me? Can he find the hotel?"""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    english, particle, modal = chance.choice(MODALS)
    form, whole = modal.present[subject.person - 1], f"{verb.infinitive} {quoi}"
    doing = " ".join(filter(None, (particle, verb.english[0], what)))
    if chance.random() < 0.5:
        return f"{subject.english} {english[subject.singular_third]} {doing}.", f"{said(subject, form)} {whole}."
    if not particle:
        return f"{english[0]} {subject.english} {doing}?", asked(subject, form, whole)
    does = "does" if subject.singular_third else "do"
    return f"{does} {subject.english} {english[0]} {doing}?", asked(subject, form, whole)


def plan(chance: random.Random) -> Pair:
    """Tomorrow she is going to visit the museum."""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    when, quand = chance.choice(WORDS["later"])
    french = f"{quand}, {said(subject, ALLER[subject.person - 1])} {verb.infinitive} {quoi}."
    return f"{when} {subject.english} {subject.be} going to {verb.english[0]} {what}.", french


def memory(chance: random.Random) -> Pair:
    """Yesterday I lost the key."""
    subject = chance.choice(SUBJECTS)
    verb, (what, quoi) = action(chance, subject)
    when, quand = chance.choice(WORDS["before"])
    french = f"{quand}, {said(subject, AVOIR[subject.person - 1])} {verb.participle} {quoi}."
    return f"{when} {subject.english} {verb.english[3]} {what}.", french


def state(chance: random.Random) -> Pair:
    """She is tired. Are you ready?"""
    subject = chance.choice(SUBJECTS)
    english, forms = chance.choice(WORDS["states"])
    form = forms.split()[subject.gender == "f"]
    if subject.person in {WE, THEY} and form[-1] not in "sx":
        form += "s"
    etre = ETRE[subject.person - 1]
    if chance.random() < 0.7:
        return f"{subject.english} {subject.be} {english}.", f"{said(subject, etre)} {form}."
    return f"{subject.be} {subject.english} {english}?", asked(subject, etre, form)


def quality(chance: random.Random) -> Pair:
    """The house is white. The house is not white."""
    row = noun(chance)
    (what, quoi), (adjective, forms, _) = the(row), chance.choice(WORDS["adjectives"])
    form = forms.split()[row[2] == "f"]
    if chance.random() < 0.7:
        return f"{what} is {adjective}.", f"{quoi} est {form}."
    return f"{what} is not {adjective}.", f"{quoi} n'est pas {form}."


def whereabouts(chance: random.Random) -> Pair:
    """Where is the key? The key is on the table. There is a key on the table."""
    row = noun(chance, frozenset({"thing", "text"}))
    where, ou = chance.choice(WORDS["spots"])
    (what, quoi), (one, un) = the(row), described(chance, row)
    asked_for = the(noun(chance))
    return chance.choice([
        (f"where is {asked_for[0]}?", f"où est {asked_for[1]} ?"),
        (f"{what} is {where}.", f"{quoi} est {ou}."),
        (f"there is {one} {where}.", f"il y a {un} {ou}."),
        (f"is {what} {where}?", f"est-ce que {quoi} est {ou} ?"),
    ])  # fmt: skip


def order(chance: random.Random) -> Pair:
    """I would like a coffee, please."""
    english, french = described(chance, noun(chance, frozenset({"food", "drink", "thing"})))
    return f"I would like {english}, please.", f"je voudrais {french}, s'il vous plaît."


def phrase(chance: random.Random) -> Pair:
    """Good morning!"""
    english, french = chance.choice(WORDS["phrases"])
    return english, french


# The rules, and how often each is used.
RULES: dict[Callable[[random.Random], Pair], int] = {
    statement: 5, denial: 2, question: 3, wish: 5, plan: 2, memory: 2, state: 1, quality: 2, whereabouts: 2, order: 1,
    phrase: 1,
}  # fmt: skip


def main() -> None:
    """Write both splits; the set phrases are in train alone."""
    chance, found = random.Random(SEED), dict(WORDS["phrases"])
    while len(found) < sum(SIZES.values()):
        (rule,) = chance.choices(list(RULES), list(RULES.values()))
        english, french = (text[0].upper() + text[1:] for text in rule(chance))
        found.setdefault(english, french)
    pairs = list(found.items())
    fixed, made = pairs[: len(WORDS["phrases"])], pairs[len(WORDS["phrases"]) :]
    chance.shuffle(made)
    for split, rows in {"dev": made[: SIZES["dev"]], "train": fixed + made[SIZES["dev"] :]}.items():
        text = "".join(f"{english}\t{french}\n" for english, french in rows)
        (HERE / f"{split}.tsv").write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
