"""Training that goes on from a checkpoint's weights, on the same or on other data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import nlpseq
from nlpseq.checkpoint import load_task, verify
from nlpseq.config import EmbeddingConfig, build
from nlpseq.errors import DataError, UsageError
from nlpseq.records import Source
from nlpseq.tasks.tagging_config import AugmentConfig
from nlpseq.text.vocab import UNKNOWN
from nlpseq.training.prepare import given_settings, prepare
from nlpseq.training.train import train
from tests import taggers
from tests.examples import corpus

WORDS = (("good", "positive"), ("fine", "positive"), ("bad", "negative"), ("dull", "negative"))
ROWS = [f"{thing} is {word},{label}" for thing in ("it", "this", "that", "tea") for word, label in WORDS]
SMALL = {"encoder": {"width": 8, "layers": 1}, "embedding": {"width": 8, "characters": "none", "affix_width": 4}}


def written(path: Path, rows: list[str], heading: str = "text,polarity") -> str:
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return str(path)


def run(output: Path, data: str, settings: dict[str, Any], **options: Any) -> Path:
    for _ in train(prepare("sentiment", settings, train=[data], dev=[data], output=output, device="cpu", **options)):
        pass
    return output


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    data = written(folder / "a.csv", ROWS)
    return run(folder / "base", data, {**SMALL, "training": {"epochs": 2}})


def test_it_begins_with_the_words_and_weights_of_the_checkpoint(base: Path, tmp_path: Path) -> None:
    """A rate of next to nothing leaves them as they are, on data with other words."""
    data = written(tmp_path / "b.csv", ["soup is cold,negative", "bread is warm,positive"])
    settings = {"training": {"epochs": 1, "learning_rate": 1e-9}}
    folder = run(tmp_path / "on", data, settings, start=str(base))
    before, after = load_task(base)[0], load_task(folder)[0]
    assert after.to_plain()["words"] == before.to_plain()["words"]
    for name, weight in before.network.state_dict().items():
        assert (after.network.state_dict()[name] - weight).abs().max() <= 1e-3  # float16 on disk
    assert [source.name for source in verify(folder).trained_on] == ["a.csv", "b.csv"]
    assert json.loads((folder / "config.json").read_text())["encoder"]["width"] == 8


def test_what_files_are_made_of_stands_in_their_place(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('[data.sources]\n"Our tickets" = "internal"\n"Vectors" = "CC0-1.0"\n')
    _, data = given_settings(config, [])
    folder = run(
        tmp_path / "run", written(tmp_path / "a.csv", ROWS), SMALL | {"training": {"epochs": 1}}, sources=data.sources
    )
    assert verify(folder).trained_on == (Source("Our tickets", "internal"), Source("Vectors", "CC0-1.0"))
    assert "| Our tickets | internal |" in (folder / "README.md").read_text()


def test_settings_of_training_are_not_inherited_and_others_may_be_changed(base: Path, tmp_path: Path) -> None:
    data = written(tmp_path / "a.csv", ROWS)
    folder = run(tmp_path / "on", data, {"embedding": {"dropout": 0.1}, "training": {"patience": 1}}, start=str(base))
    config = load_task(folder)[0].config
    assert (config.training.epochs, config.training.patience, config.embedding.dropout) == (30, 1, 0.1)


@pytest.mark.parametrize(
    ("settings", "rows", "message"),
    [
        ({"encoder": {"width": 9}}, ROWS, "do not fit the settings given"),
        ({}, [*ROWS, "it is it,mixed"], "has not learnt the label 'mixed'"),
    ],
)
def test_what_does_not_go_together_is_said(
    base: Path, tmp_path: Path, settings: dict[str, Any], rows: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        run(tmp_path / "on", written(tmp_path / "a.csv", rows), settings, start=str(base))


def test_a_checkpoint_of_another_task_or_none_is_no_start(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a checkpoint for sentiment, not for tag"):
        prepare("tag", {}, train=["sample-tagging"], dev=[], output=tmp_path / "x", start=str(base))
    with pytest.raises(UsageError, match="There is no checkpoint"):
        run(tmp_path / "on", written(tmp_path / "a.csv", ROWS), {}, start="nowhere")


def test_vectors_that_stay_do_so_in_further_training_too(tmp_path: Path) -> None:
    data, vectors = written(tmp_path / "a.csv", ROWS), tmp_path / "vectors.txt"
    vectors.write_text("good 1 2 3 4 5 6 7 8\nbad 8 7 6 5 4 3 2 1\n")
    fixed = {"vectors": str(vectors), "vectors_fixed": True, "min_count": 1}
    settings = {**SMALL, "embedding": {**SMALL["embedding"], **fixed}, "training": {"epochs": 1}}
    base = run(tmp_path / "base", data, settings)
    folder = run(tmp_path / "on", data, {"training": {"epochs": 2, "learning_rate": 0.1}}, start=str(base))
    before, after = load_task(base)[0], load_task(folder)[0]
    moved = (after.network.embedding.forms.weight - before.network.embedding.forms.weight).abs().amax(1)
    forms = {word: float(moved[before.words.forms.id(word)].detach()) for word in ("good", "bad", "fine", "dull")}
    assert forms["good"] == forms["bad"] == 0
    assert forms["fine"] > 0
    vectors.unlink()
    with pytest.raises(DataError, match=r"vectors\.txt"):
        run(tmp_path / "again", data, {}, start=str(base))


def test_the_vocabulary_grows_where_that_is_wanted(base: Path, tmp_path: Path) -> None:
    """New words begin as what they were taken for, and are learnt by themselves from there."""
    rows = ["it gets 9/10,positive", "it gets 2/10,negative", "that gets 9/10,positive", "that gets 2/10,negative"]
    data = written(tmp_path / "b.csv", rows)
    still = {"embedding": {"grow": True}, "training": {"epochs": 1, "learning_rate": 1e-9}}
    begun = run(tmp_path / "still", data, still, start=str(base))
    before, after = load_task(base)[0], load_task(begun)[0]
    fresh = ["0/00", "gets", "9/10", "2/10"]
    assert sorted(after.words.forms.symbols[len(before.words.forms.symbols) :]) == sorted(fresh)
    weight, unknown = after.network.embedding.forms.weight, before.network.embedding.forms.weight[UNKNOWN]
    for form in fresh:
        assert (weight[after.words.forms.id(form)] - unknown).abs().max() <= 1e-3  # float16 on disk
    training = {"epochs": 60, "learning_rate": 0.02, "patience": 0, "average": 0.5}
    learnt = {"embedding": {"grow": True, "dropout": 0.0, "word_dropout": 0.0}, "training": training}
    folder = run(tmp_path / "on", data, learnt, start=str(base))
    pipeline = nlpseq.load(str(folder))
    assert [pipeline(f"it gets {mark}").label for mark in ("9/10", "2/10")] == ["positive", "negative"]
    hot = run(tmp_path / "hot", data, SMALL | {"embedding": {"words": "one_hot"}, "training": {"epochs": 1}})
    with pytest.raises(UsageError, match=r"embedding\.grow"):
        run(tmp_path / "more", data, still, start=str(hot))


def test_a_tagger_learns_new_words_too() -> None:
    tagger = taggers.untrained()
    before = len(tagger.words.forms)
    tagger.config = msgspec.structs.replace(tagger.config, embedding=build(EmbeddingConfig, {"grow": True}))
    tokens = ("zyzzyva", "qanat")
    sentence = corpus(1, seed=1)[0]
    sentence = msgspec.structs.replace(sentence, tokens=(*tokens, *sentence.tokens[2:]))
    tagger.go_on([sentence] * 2)
    assert len(tagger.words.forms) == len(tagger.network.embedding.forms.weight) == before + 2
    assert len({tagger.words.form_id(token) for token in tokens}) == 2
    tagger.losses(tagger.collate([tagger.encode(sentence)]))


def test_names_are_exchanged_in_further_training_too() -> None:
    """Of classes that there are; lists of others, which came with the settings, are left alone."""
    examples = corpus(20, seed=1)
    classes = {label.partition("-")[2] for example in examples for label in example.columns["ner"]} - {""}
    lists = {label: ["given-names"] for label in (*classes, "NOWHERE")}
    augment = {"replace_mentions": 0.5, "names": lists}
    tagger = taggers.untrained()
    assert tagger.mentions is None
    tagger.config = msgspec.structs.replace(tagger.config, augment=build(AugmentConfig, augment))
    tagger.go_on(examples)
    assert tagger.mentions is not None
    assert set(tagger.mentions.listed) == classes
