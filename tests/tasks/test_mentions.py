"""Names replaced in training sentences, and learning from teachers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.config import build
from nlpseq.errors import DataError, UsageError
from nlpseq.shipped import shipped_folder
from nlpseq.tasks.mentions import AugmentConfig, Mentions, read_names
from nlpseq.tasks.tagging import Tagger
from nlpseq.text.tags import spans_of
from tests.examples import corpus
from tests.taggers import small, untrained

EXAMPLES = corpus(40, seed=3)
NAMED = [example for example in EXAMPLES if spans_of(example.columns["ner"])]


def names(folder: Path, *lines: str) -> str:
    path = folder / "names.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@given(st.sampled_from(NAMED), st.integers(0, 2**31))
def test_classes_and_all_else_stay(example, seed: int) -> None:  # type: ignore[no-untyped-def]
    replaced = Mentions(AugmentConfig(), EXAMPLES).replace(example, seed)
    assert [label for label, _, _ in spans_of(replaced.columns["ner"])] == [
        label for label, _, _ in spans_of(example.columns["ner"])
    ]
    assert {len(labels) for labels in replaced.columns.values()} == {len(replaced.tokens)}

    def outside(sentence):  # type: ignore[no-untyped-def]
        rows = zip(sentence.tokens, *(sentence.columns[c] for c in ("ner", "upos", "xpos")), strict=True)
        return [row for row in rows if row[1] == "O"]

    assert outside(replaced) == outside(example)


def test_the_same_seed_gives_the_same_names_and_seeds_differ() -> None:
    mentions = Mentions(AugmentConfig(), EXAMPLES)
    drawn = [mentions.replace(NAMED[0], seed).tokens for seed in range(20)]
    assert drawn == [mentions.replace(NAMED[0], seed).tokens for seed in range(20)]
    assert len(set(drawn)) > 1


def test_names_come_from_lists_with_the_labels_of_names(tmp_path: Path) -> None:
    listed = names(tmp_path, "# given names", "Anne-Marie", "")
    config = build(AugmentConfig, {"listed_part": 1.0, "names": {"PER": [f"{listed} {listed}"]}})
    mentions = Mentions(config, EXAMPLES)
    example = next(e for e in NAMED if "B-PER" in e.columns["ner"])
    replaced = mentions.replace(example, 0)
    _, first, end = next(span for span in spans_of(replaced.columns["ner"]) if span[0] == "PER")
    assert replaced.tokens[first:end] == ("Anne", "-", "Marie", "Anne", "-", "Marie")
    assert replaced.columns["upos"][first] == "PROPN"
    assert set(mentions.words()) == {"Anne", "-", "Marie"}


def test_a_missing_or_empty_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no-such-list"):
        Mentions(build(AugmentConfig, {"names": {"PER": ["no-such-list"]}}), EXAMPLES)
    with pytest.raises(DataError, match="holds no name"):
        read_names(names(tmp_path, "# nothing"))


def test_a_list_for_a_class_that_no_example_has_is_refused(tmp_path: Path) -> None:
    config = AugmentConfig(names={"PERSON": (names(tmp_path, "Ada"),)})
    with pytest.raises(UsageError, match="no training example has names of the class PERSON; they have LOC, PER"):
        Mentions(config, EXAMPLES)


@pytest.mark.parametrize("name", ["given-names", "surnames", "places", "organisations"])
def test_the_shipped_lists_are_lists_of_names(name: str) -> None:
    found = read_names(shipped_folder("corpora") / "names" / f"{name}.txt")
    assert len(found) == len(set(found)) > 700
    assert all(any(character.isupper() for word in each for character in word) for each in found)


def test_training_reads_other_names_and_only_at_the_rate_asked_for() -> None:
    tagger = Tagger.create(small(augment={"replace_mentions": 0.5}), EXAMPLES)
    items = [tagger.encode(example) for example in NAMED]
    torch.manual_seed(0)
    changed = [tagger._renamed(item) is not item for item in items * 20]
    assert 0.4 < sum(changed) / len(changed) < 0.6  # some 600 draws: five standard deviations
    plain = [tagger.encode(e) for e in EXAMPLES if not spans_of(e.columns["ner"])]
    assert all(tagger._renamed(item) is item for item in plain)


@pytest.mark.usefixtures("full_precision")
def test_a_student_learns_what_its_teachers_say() -> None:
    """The gradient of a student that is its own teacher, with no part of the loss from labels, is nothing."""
    student = untrained(heads={"teacher_weight": 1.0}, embedding={"word_dropout": 0.0})
    items = student.taught([student.encode(e) for e in EXAMPLES], EXAMPLES, [student])
    items = [msgspec.structs.replace(item, lower_rows=item.rows) for item in items]
    student.network.eval()
    losses = student.losses(student.collate(items))
    assert {"upos of teachers", "xpos of teachers", "ner of teachers"} <= set(losses)
    torch.stack([total / count for total, count in losses.values()]).sum().backward()  # type: ignore[no-untyped-call]
    gradients = [w.grad.abs().max() for w in student.network.parameters() if w.grad is not None]
    assert max(gradients) < 2e-3  # the teachers' probabilities are kept in float16


def test_teachers_speak_for_columns_without_labels() -> None:
    student, examples = untrained(), corpus(5, seed=9, columns=("ner",))
    items = student.taught([student.encode(e) for e in examples], examples, [untrained(seed=1)])
    assert set(student.losses(student.collate(items))) == {
        "ner",
        "upos of teachers",
        "xpos of teachers",
        "ner of teachers",
    }
