from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from nlpseq.config import Section, TrainingConfig, build, override, read_toml
from nlpseq.description import describe, describe_values
from nlpseq.errors import UsageError
from nlpseq.tasks import TASKS
from nlpseq.tasks.tagging import TaggingConfig
from nlpseq.training.prepare import given_settings, settings_in_environment


def built(*assignments: str) -> TaggingConfig:
    return build(TaggingConfig, override({}, assignments))


@pytest.mark.parametrize(
    ("assignment", "names"),
    [
        ("encodr.width=3", ["'encodr'", "'encoder'"]),
        ("encoder.widht=3", ["'encoder.widht'", "'encoder.width'"]),
        ("training.lerning_rate=3", ["'training.lerning_rate'", "'training.learning_rate'"]),
        ("lower_case=0.1", ["'lower_case'", "'lowercase'"]),
        ("encoder.zzz=1", ["'encoder.zzz'", "cell", "layers", "bidirectional"]),
        ("a..b=1", ["'a'"]),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest(assignment: str, names: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        built(assignment)
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize(
    ("assignment", "name"),
    [
        ("encoder.width=wide", "encoder.width"),
        ("encoder.width=2.5", "encoder.width"),
        ("encoder.width=true", "encoder.width"),
        ("encoder.width=0", "encoder.width"),
        ("encoder.cell=transformer", "encoder.cell"),
        ("encoder.dropout=1", "encoder.dropout"),
        ("encoder.dropout=-0.1", "encoder.dropout"),
        ("encoder=5", "encoder"),
        ("training.learning_rate=nan", "training.learning_rate"),
        ("training.learning_rate=inf", "training.learning_rate"),
        ("training.weight_decay=inf", "training.weight_decay"),
        ("training.seed=9223372036854775808", "training.seed"),
        ("training.seed=1180591620717411303424", "training.seed"),
        ("embedding.vectors=caf\udce9.txt", "embedding.vectors: is not UTF-8"),
        ("training.average=1979-05-27", "training.average"),
        ("heads.columns=upos", "heads.columns"),
        ("heads.columns=[1]", "heads.columns"),
        ("tokenizer.language=1", "tokenizer.language"),
        ("lowercase=2", "lowercase"),
        ("augment.names={LOC=['towns'], PER='given-names'}", r"augment\.names\.PER: expected `array`"),
        ("augment.names.PER=nofile", r"augment\.names\.PER: expected `array`"),
    ],
)
def test_a_wrong_value_names_its_setting(assignment: str, name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}"):
        built(assignment)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("encoder.cell=lsmt", "encoder.cell: 'lsmt' is not one of rnn, irnn, gru, lstm."),
        ("embedding.characters=3", "embedding.characters: 3 is not one of cnn, lstm, none."),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(assignment: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(said)}$"):
        built(assignment)


@pytest.mark.parametrize("assignment", ["encoder.width", "=3", ".=3", "encoder.=3", "  = 3", ""])
def test_what_is_no_assignment_shows_how_to_write_one(assignment: str) -> None:
    with pytest.raises(UsageError, match=r"encoder\.width=200"):
        override({}, [assignment])


def test_a_setting_is_no_section() -> None:
    with pytest.raises(UsageError, match="'width' is a setting"):
        override({"encoder": {"width": 3}}, ["encoder.width.x=1"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("2e-3", 0.002),
        ("true", True),
        ('"gru"', "gru"),
        ("gru", "gru"),
        ("my vectors=2.txt", "my vectors=2.txt"),
        ("none", None),
        ("None", None),
        ('["upos", "ner"]', ["upos", "ner"]),
        ("", ""),
        ("C:\\new\\table.txt", "C:\\new\\table.txt"),
        ("no", "no"),  # Norwegian
    ],
)
def test_values_are_read_as_toml_else_as_they_stand(text: str, value: Any) -> None:
    assert override({}, [f"a.b={text}"]) == {"a": {"b": value}}


def test_the_last_assignment_wins_and_what_was_given_stays_as_it_is() -> None:
    given = {"encoder": {"width": 3, "layers": 1}}
    assert override(given, ["encoder.width=4", " encoder.width = 5 "]) == {"encoder": {"width": 5, "layers": 1}}
    assert given == {"encoder": {"width": 3, "layers": 1}}


def test_flags_come_before_the_file_and_the_file_before_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(
        '[encoder]\nwidth = 30\nlayers = 4\n[training]\nseed = 5\n[tokenizer]\nlanguage = "de"\n'
        '[data]\ntrain = ["a.conllu"]\n'
    )
    values, data = given_settings(path, ["encoder.width=40", "training.seed=6"], seed=7, language="fr")
    config = build(TaggingConfig, values)
    assert (config.encoder.width, config.encoder.layers, config.encoder.cell) == (40, 4, "lstm")
    assert (config.training.seed, config.tokenizer.language) == (7, "fr")
    assert (data.train, data.dev) == (("a.conllu",), ())
    assert given_settings(path, [])[0]["training"]["seed"] == 5


def test_a_wrong_table_of_data_is_named(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('[data]\ntrian = ["a"]\n')
    with pytest.raises(UsageError, match=r"'trian'.*'train'"):
        given_settings(path, [])


@pytest.mark.parametrize("content", [None, b"a = = 1", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"my\.toml"):
        read_toml(path)


def test_a_folder_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(tmp_path)


def leaves(kind: type[Any]) -> int:
    fields = msgspec.structs.fields(kind)
    types = [field.type for field in fields]
    return sum(leaves(t) if isinstance(t, type) and issubclass(t, Section) else 1 for t in types)


@pytest.mark.parametrize("task", TASKS)
def test_every_setting_has_one_default_and_a_description(task: str) -> None:
    kind = TASKS[task].config_type
    rows = describe(kind)
    assert len(rows) == leaves(kind) == len({name for name, _, _ in rows})
    assert all(len(text) > 10 and not text.partition(" [")[0].endswith(".") for _, _, text in rows)
    assert [(name, default) for name, default, _ in rows] == describe_values(kind())


class Bounded(Section, frozen=True):
    both: Annotated[int, Meta(ge=1, le=64, description="of both ends")] = 1
    open: Annotated[float, Meta(gt=0, lt=1, description="of neither end")] = 0.5
    above: Annotated[float, Meta(gt=0, description="of one")] = 1.0
    below: Annotated[float, Meta(le=2, description="of the other")] = 1.0
    least: Annotated[Annotated[int, Meta(ge=300)] | None, Meta(description="within a union")] = None
    word: Annotated[Literal["a", "b"] | None, Meta(description="words")] = None
    free: Annotated[str, Meta(description="anything")] = ""


def test_descriptions_end_with_what_a_setting_may_be() -> None:
    assert {name: text for name, _, text in describe(Bounded)} == {
        "both": "of both ends [1 to 64]",
        "open": "of neither end [above 0 to below 1]",
        "above": "of one [above 0]",
        "below": "of the other [up to 2]",
        "least": "within a union [300 or more]",
        "word": "words [a, b]",
        "free": "anything",
    }


@pytest.mark.parametrize("task", TASKS)
def test_a_config_survives_its_file(task: str) -> None:
    kind = TASKS[task].config_type
    config = build(kind, override({}, ["encoder.cell=irnn", "training.learning_rate=1e-7", "encoder.width=3"]))
    assert msgspec.json.decode(msgspec.json.encode(config), type=kind) == config


@pytest.mark.parametrize("task", TASKS)
def test_defaults_pass_their_own_checks(task: str) -> None:
    """msgspec checks what it reads, and no default."""
    kind = TASKS[task].config_type
    assert build(kind, msgspec.to_builtins(kind())) == kind()


def test_none_is_a_word_where_a_setting_has_it_and_nothing_elsewhere() -> None:
    assignments = ["embedding.characters=none", "embedding.vectors=none"]
    config = build(TASKS["tag"].config_type, override({"embedding": {"vectors": "x"}}, assignments))
    assert (config.embedding.characters, config.embedding.vectors) == ("none", None)


def test_a_variable_goes_between_flag_and_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[encoder]\nwidth = 10\nlayers = 1\ncell = 'rnn'\n")
    variables = {"NLPSEQ_ENCODER__WIDTH": "20", "NLPSEQ_ENCODER__CELL": "gru", "NLPSEQ_LOWERCASE": "0.5", "HOME": "/"}
    from_variables = settings_in_environment("tag", variables)
    values, _ = given_settings(path, [*from_variables, "encoder.cell=lstm"])
    assert values == {"encoder": {"width": 20, "layers": 1, "cell": "lstm"}, "lowercase": 0.5}


class Outer(Section, frozen=True):
    """A task whose encoder has defaults of its own."""

    training: TrainingConfig = TrainingConfig(epochs=3, seed=9)


def test_a_section_in_part_keeps_the_defaults_that_the_task_has_for_it() -> None:
    config = build(Outer, {"training": {"seed": 4}})
    assert (config.training.epochs, config.training.seed) == (3, 4)
    assert ("training.epochs", "3") in [row[:2] for row in describe(Outer)]
    assert build(Outer, {}) == Outer()


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_what_a_file_says_is_told_as_what_it_is(tmp_path: Path, value: str) -> None:
    """A byte order mark, as some editors write it, is no part of it."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf[training]\nweight_decay = " + value.encode() + b"\n")
    with pytest.raises(UsageError, match=r"^training\.weight_decay: (is no finite number|expected `float` >= 0)"):
        build(TaggingConfig, override(read_toml(path), []))


def test_what_is_overridden_stays_as_it_was() -> None:
    values = {"training": {"seed": 1}}
    assert override(values, ["training.seed=2"]) == {"training": {"seed": 2}}
    assert values == {"training": {"seed": 1}}
