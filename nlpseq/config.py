"""Every setting: one default, one docstring, one check.

A setting is a field of one of the structs below, `Annotated` with its description and bounds. A task's config is a
struct of such sections; TOML tables and `--set section.key=value` name them as `section.key`.
"""

from __future__ import annotations

import copy
import math
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from nlpseq.errors import UsageError, did_you_mean

Cell = Literal["rnn", "irnn", "gru", "lstm"]
PoolingKind = Literal["last", "mean", "max", "attention"]
AttentionKind = Literal["none", "bahdanau", "luong"]
KERNELS = (2, 3, 4, 5)  # widths, in characters, of the convolutions of a character CNN


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings; an unknown key is an error."""


class TokenizerConfig(Section, frozen=True):
    """How raw text becomes sentences and words."""

    language: Annotated[str, Meta(description="spaCy language code of the tokenizer; xx is multi-language")] = "en"
    sentence_limit: Annotated[
        int, Meta(ge=8, description="longest sentence in tokens; longer ones are read in parts")
    ] = 250


Numbers = Annotated[
    int,
    Meta(
        ge=0,
        description="of words with digits, so many of the most frequent have vectors of their own, as 7/10; all others "
        "share one with those that differ in digits alone",
    ),
]


class EmbeddingConfig(Section, frozen=True):
    """How a word becomes a vector."""

    words: Annotated[
        Literal["learnt", "one_hot", "none"],
        Meta(description="word vectors: learnt (or started from vectors), fixed one-hot, or none"),
    ] = "learnt"
    width: Annotated[int, Meta(ge=1, description="dimensions of a learnt word vector")] = 128
    min_count: Annotated[
        int, Meta(ge=1, description="words seen less often in training have no vector of their own")
    ] = 2
    numbers: Numbers = 0
    grow: Annotated[
        bool,
        Meta(
            description="with --start: words of the training examples that are seen often enough, and had no vector of "
            "their own, get one, which begins as the one that they had"
        ),
    ] = False
    vectors: Annotated[
        str | None,
        Meta(description="file of pre-trained vectors (text format of word2vec, GloVe or fastText; may be gz, xz)"),
    ] = None
    vectors_limit: Annotated[int, Meta(ge=1, description="words of that file that are read, from its top")] = 50_000
    vectors_fixed: Annotated[
        bool,
        Meta(
            description="the vectors of that file stay as they are, so that words unseen in training keep their place"
        ),
    ] = False
    eight_bit: Annotated[
        bool,
        Meta(description="a checkpoint holds the vectors of words and affixes in eight bits, in half the room"),
    ] = False
    word_dropout: Annotated[
        float,
        Meta(ge=0, description="a word seen n times in training is hidden with probability a/(a+n); this is a"),
    ] = 0.25
    characters: Annotated[Literal["cnn", "lstm", "none"], Meta(description="the character model of a word")] = "cnn"
    character_width: Annotated[int, Meta(ge=1, description="dimensions of a character vector")] = 32
    character_features: Annotated[
        int, Meta(ge=4, description="dimensions of what the character model says of a word")
    ] = 128
    word_length: Annotated[
        int,
        Meta(ge=8, description="characters of a word that the character model reads: its two ends, where it is longer"),
    ] = 24
    affix_width: Annotated[
        int, Meta(ge=0, description="dimensions of the vectors of prefixes, suffixes and word shape; 0: none")
    ] = 64
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout on the vectors that enter the encoder")] = 0.33


class EncoderConfig(Section, frozen=True):
    """The recurrent encoder."""

    cell: Annotated[Cell, Meta(description="Elman with tanh, identity-initialised ReLU, GRU or LSTM")] = "lstm"
    layers: Annotated[int, Meta(ge=1, le=64, description="stacked layers")] = 2
    width: Annotated[int, Meta(ge=1, le=65536, description="hidden units of each direction")] = 192
    bidirectional: Annotated[bool, Meta(description="read from both ends")] = True
    pretrained: Annotated[
        str | None,
        Meta(
            description="a language model, NAME or FOLDER: it starts from the embedding and layers of one of words; of "
            "one of pieces or characters, which stays as it is, it reads the states (as 128 features) beside each word"
        ),
    ] = None
    dropout: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="variational dropout (one mask a sentence) on what leaves each layer",
        ),
    ] = 0.4


class DecoderConfig(Section, frozen=True):
    """The recurrent decoder."""

    cell: Annotated[Cell | None, Meta(description="Elman, ReLU, GRU or LSTM; null: that of the encoder")] = None
    layers: Annotated[int, Meta(ge=1, le=64, description="stacked layers")] = 1
    width: Annotated[int, Meta(ge=1, le=65536, description="hidden units")] = 320
    attention: Annotated[
        AttentionKind,
        Meta(description="luong and bahdanau look back at the source; with none, the encoder's last state is all"),
    ] = "luong"
    input_feeding: Annotated[
        bool, Meta(description="what left the last step enters the next (Luong 2015); steps are then taken one by one")
    ] = False
    dropout: Annotated[
        float, Meta(ge=0, lt=1, description="variational dropout (one mask a sentence) on what leaves each layer")
    ] = 0.3


class SearchConfig(Section, frozen=True):
    """How a translation is looked for."""

    beam_size: Annotated[int, Meta(ge=1, le=256, description="hypotheses kept a sentence; 1: greedy")] = 5
    beam_threshold: Annotated[
        float,
        Meta(
            ge=0,
            description="nats behind the best of its sentence, or behind what would be as good as a finished one at "
            "its length, at which a hypothesis is dropped, unless several are wanted (Freitag & Al-Onaizan 2017, "
            "relative threshold pruning); 0: never",
        ),
    ] = 3.0
    length_penalty: Annotated[
        float,
        Meta(ge=0, description="a total log-probability is divided by ((5 + length) / 6) to this power (Wu 2016)"),
    ] = 1.0
    length_cap: Annotated[
        float, Meta(gt=0, description="longest translation: pieces for each piece of the source, and ten more")
    ] = 2.0
    no_repeat_ngram_size: Annotated[
        int, Meta(ge=0, description="no sequence of that many pieces comes twice, which ends loops; 0: no guard")
    ] = 6
    respell_names: Annotated[
        bool, Meta(description="a made-up word that is like a name of the source is spelt as it is there")
    ] = True


class TrainingConfig(Section, frozen=True):
    """The optimisation."""

    epochs: Annotated[int, Meta(ge=1, description="passes over the training examples")] = 30
    batch_tokens: Annotated[
        int, Meta(ge=0, description="tokens of a batch, padding included; 0: 120 to 1,200, by the size of the corpus")
    ] = 0
    optimizer: Annotated[Literal["adamw", "sgd"], Meta(description="AdamW, or SGD with Nesterov momentum 0.9")] = (
        "adamw"
    )
    learning_rate: Annotated[float, Meta(gt=0, description="the highest learning rate")] = 3e-3
    schedule: Annotated[
        Literal["constant", "linear", "cosine"], Meta(description="how the rate falls from its highest to nothing")
    ] = "cosine"
    warmup: Annotated[float, Meta(ge=0, lt=1, description="part of the run in which the rate rises")] = 0.03
    weight_decay: Annotated[
        float, Meta(ge=0, description="decoupled weight decay on matrices (never on vectors of words or biases)")
    ] = 0.01
    clip_norm: Annotated[float, Meta(ge=0, description="gradients are scaled down to this norm; 0: never")] = 5.0
    average: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="decay of the exponential moving average of the weights that is evaluated and kept; 0: none",
        ),
    ] = 0.998
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Meta(
            description="of the factors of large matrix products; auto: bfloat16 on processors that multiply it "
            "faster, else float32"
        ),
    ] = "auto"
    layer_decay: Annotated[
        float,
        Meta(gt=0, le=1, description="the rate of each layer is this times that of the layer above (ULMFiT: 0.38)"),
    ] = 1.0
    unfreeze: Annotated[
        int,
        Meta(ge=0, description="epochs after which one more layer, from the top, is trained; 0: all from the start"),
    ] = 0
    patience: Annotated[
        int,
        Meta(ge=0, description="evaluations without a better score before training stops, after 1,000 steps; 0: never"),
    ] = 10
    evaluate_every: Annotated[
        int, Meta(ge=0, description="steps between evaluations, beside that of each epoch; 0: none")
    ] = 0
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="seed of all that is random")] = 1


C = TypeVar("C", bound=Section)


def build(kind: type[C], values: Mapping[str, Any], where: str = "") -> C:
    """A checked config of type `kind` from nested plain values.

    Raises UsageError naming the setting, what is wrong with it, and the nearest known name where it is unknown.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{where or 'settings'}: expected a table of settings, got {values!r}.")
    try:
        config = msgspec.convert(_over_defaults(kind, values), kind, strict=False)
    except msgspec.ValidationError as error:
        _check_names(kind, values, where)
        message, _, path = str(error).partition(" - at ")
        name = _full(kind, path.strip("`").removeprefix("$.") or "settings", values)
        prefix = f"{where}: " if where else ""
        raise UsageError(f"{prefix}{name}: {_no_word(kind, name, values) or _lowered(message)}") from None
    _check_storable(config, where)
    return config


def _full(kind: type[Any], path: str, values: Any) -> str:
    """`path`, where it ends in some key of a table (`names[...]`), with the first key whose value is wrong instead."""
    table, is_some, _ = path.partition("[...]")
    hint: Any = kind
    for key in table.split(".") if is_some else ():
        hint = typing.get_type_hints(hint).get(key) if isinstance(hint, type) and issubclass(hint, Section) else None
        values = values[key]
    for key, value in values.items() if typing.get_origin(hint) is dict else ():
        try:
            msgspec.convert({key: value}, hint, strict=False)
        except msgspec.ValidationError:
            return f"{table}.{key}"
    return path


def _lowered(message: str) -> str:
    return f"{message[0].lower()}{message[1:]}."


def _no_word(kind: type[Any], path: str, values: Any) -> str | None:
    """What to say of a value that is none of a setting's words; None for a setting that has no words."""
    hint: Any = kind
    for key in path.split("."):
        hint = typing.get_type_hints(hint).get(key) if isinstance(hint, type) and issubclass(hint, Section) else None
        values = values.get(key) if isinstance(values, Mapping) else None
    parts = [hint, *typing.get_args(hint)]  # of `Literal[...] | None`, too
    words = [word for part in parts if typing.get_origin(part) is Literal for word in typing.get_args(part)]
    return f"{values!r} is not one of {', '.join(words)}." if words else None


def _over_defaults(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` ready for msgspec.

    A section that is given in part keeps the rest of the default that it has here, which may differ from that of its
    type; and "none" stands for null where that word is a value of the setting, since `--set` reads it as null.
    """
    hints = typing.get_type_hints(kind)
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    result: dict[str, Any] = {}
    for key, value in values.items():
        hint, default = hints.get(key), defaults.get(key)
        if isinstance(hint, type) and issubclass(hint, Section) and isinstance(value, Mapping):
            rest = msgspec.to_builtins(default) if isinstance(default, Section) else {}
            result[key] = rest | _over_defaults(hint, value)
        else:
            result[key] = "none" if value is None and "none" in typing.get_args(hint) else value
    return result


def _check_storable(config: Section, where: str, path: str = "") -> None:
    """Raises UsageError for what TOML or a command can say, and the JSON of a checkpoint cannot."""
    prefix = f"{where}: " if where else ""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, Section):
            _check_storable(value, where, f"{path}{name}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{prefix}{path}{name}: is no finite number; give one.")
        elif not _is_utf8(value):
            raise UsageError(f"{prefix}{path}{name}: is not UTF-8. Give the file that it names another name.")


def _is_utf8(value: Any) -> bool:
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return False
    return True


def _check_names(kind: type[Any], values: Mapping[str, Any], where: str, path: str = "") -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    prefix = f"{where}: " if where else ""
    for key, value in values.items():
        if key not in fields:
            raise UsageError(f"{prefix}There is no setting {path + key!r}. {did_you_mean(key, fields, path)}")
        if isinstance(fields[key], type) and issubclass(fields[key], Section) and isinstance(value, Mapping):
            _check_names(fields[key], value, where, f"{path}{key}.")


def read_toml(path: Path) -> dict[str, Any]:
    """The nested values of a TOML file. Raises UsageError where it is missing or no TOML."""
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path}: There is no such file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}.") from None


def override(values: dict[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """`values` with each `section.key=value` of `assignments` set; values are read as TOML, else as a string."""
    result = copy.deepcopy(values)
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        *sections, key = name.strip().split(".")
        if not equals or not key:
            raise UsageError(f"--set {assignment!r}: write section.key=value, as in encoder.width=200.")
        table = result
        for section in sections:
            table = table.setdefault(section, {})
            if not isinstance(table, dict):
                raise UsageError(f"--set {assignment!r}: {section!r} is a setting, not a section.")
        table[key] = _plain_value(text.strip())
    return result


def _plain_value(text: str) -> Any:
    import tomllib

    if text.lower() in {"none", "null"}:
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
