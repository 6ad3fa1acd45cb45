"""What is damaged or does not fit is refused without torch as it is with it, in the same words."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from nlpseq.api import load, load_light
from nlpseq.errors import NlpseqError, TrustError
from nlpseq.manifest import CONFIG, MANIFEST, WEIGHTS
from tests import classifiers, languages
from tests.taggers import untrained, write_checkpoint

Weights = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One checkpoint for all tests of this file, which take copies."""
    return write_checkpoint(tmp_path_factory.mktemp("light") / "tiny", untrained(seed=4))


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "tiny"))


def sign(folder: Path) -> None:
    """Brings the manifest up to date, as one who means harm would."""
    value = json.loads((folder / MANIFEST).read_bytes())
    value["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in value["files"]}
    (folder / MANIFEST).write_text(json.dumps(value))


def set_in(folder: Path, name: str, section: str, value: object) -> None:
    """Changes a section of a JSON file; a table is merged."""
    whole = json.loads((folder / name).read_bytes())
    whole[section] = whole[section] | value if isinstance(value, dict) else value
    (folder / name).write_text(json.dumps(whole))


def refused_by_both(folder: Path) -> None:
    with pytest.raises(TrustError) as light:
        load_light(folder)
    with pytest.raises(TrustError) as heavy:
        load(folder, device="cpu")
    assert str(light.value).partition("weight")[0] == str(heavy.value).partition("weight")[0]


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, "README.md", "text/words.json", "text/labels.json"])
def test_a_changed_byte_of_any_file(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    refused_by_both(folder)


@pytest.mark.parametrize(
    ("name", "section", "value"),
    [
        (CONFIG, "encoder", {"width": 9}),
        (CONFIG, "encoder", {"width": 60_000}),  # must not be allocated to find that it does not fit
        (CONFIG, "encoder", {"layers": 2}),
        (CONFIG, "encoder", {"cell": "rnn"}),
        (CONFIG, "encoder", {"bidirectional": False}),
        (CONFIG, "encoder", {"command": "x"}),
        (CONFIG, "heads", {"ner": "softmax"}),
        (CONFIG, "heads", {"ner_width": 4}),
        (CONFIG, "embedding", {"characters": "none"}),
        ("text/words.json", "forms", ["the"]),
        ("text/words.json", "counts", 3),
        ("text/labels.json", "upos", ["A", "A"]),
        ("text/labels.json", "ner", ["O", "B"]),
    ],
)
def test_parts_that_do_not_fit_together(folder: Path, name: str, section: str, value: object) -> None:
    set_in(folder, name, section, value)
    sign(folder)
    refused_by_both(folder)


@pytest.mark.parametrize(
    ("name", "section", "value"),
    [
        (CONFIG, "encoder", {"width": 9}),
        (CONFIG, "encoder", {"layers": 2}),
        (CONFIG, "encoder", {"bidirectional": False}),
        (CONFIG, "text", {"softmax": "tied"}),
        (CONFIG, "text", {"softmax": "full"}),
        (CONFIG, "text", {"unit": "characters"}),
        (CONFIG, "text", {"unit": "pieces"}),
        ("text/words.json", "forms", ["the"]),
    ],
)
def test_parts_of_a_language_model_that_do_not_fit_together(
    tmp_path: Path, name: str, section: str, value: object
) -> None:
    folder = languages.write_checkpoint(
        tmp_path / "it", languages.untrained(encoder={"bidirectional": True}, text={"softmax": "adaptive"})
    )
    set_in(folder, name, section, value)
    sign(folder)
    refused_by_both(folder)


def test_runs_of_words_that_the_settings_turn_off(tmp_path: Path) -> None:
    folder = classifiers.write_checkpoint(tmp_path / "it")
    set_in(folder, CONFIG, "classifier", {"ngrams": 0})
    sign(folder)
    refused_by_both(folder)


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("runs", 9),
        ("runs", 0),
        ("runs", 10**12),  # must not be allocated to find that it does not fit
        ("shares", {"others": 0.5}),
        ("shares", {"polarity": 0.5, "stars": -1}),
        ("more", 1),
    ],
)
def test_runs_of_words_whose_description_does_not_fit(tmp_path: Path, section: str, value: object) -> None:
    folder = classifiers.write_checkpoint(tmp_path / "it")
    set_in(folder, "text/ngrams.json", section, value)
    sign(folder)
    refused_by_both(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: dict(list(weights.items())[1:]),
        lambda weights: {**weights, "more": np.zeros(1, np.float16)},
        lambda weights: {name: weight.T.copy() for name, weight in weights.items()},
        lambda weights: {name: np.full_like(weight, np.inf) for name, weight in weights.items()},
        lambda weights: {name: weight != 0 for name, weight in weights.items()},
        lambda weights: {name: weight.astype(np.float16) for name, weight in weights.items()},
    ],
    ids=["one less", "one more", "transposed", "infinite", "all booleans", "no booleans"],
)
def test_weights_of_another_shape_or_kind(folder: Path, change: Callable[[Weights], Weights]) -> None:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS)
    sign(folder)
    with pytest.raises(TrustError):
        load_light(folder)
    with pytest.raises(TrustError):
        load(folder, device="cpu")


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x80\x04.", (10**15).to_bytes(8, "little") + b"{}"])
def test_weights_that_are_no_safetensors(folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)
    sign(folder)
    refused_by_both(folder)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_weights_of_more_digits_are_read(folder: Path, kind: type) -> None:
    weights = load_file(folder / WEIGHTS)
    save_file({n: w if w.dtype == bool else w.astype(kind) for n, w in weights.items()}, folder / WEIGHTS)
    sign(folder)
    light, heavy = load_light(folder), load(folder, device="cpu")
    assert light is not None
    assert [t.upos for t in light("Mr Paris sings").tokens] == [t.upos for t in heavy("Mr Paris sings").tokens]


def test_weights_of_integers_are_refused_or_left_to_torch_which_refuses_them(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    save_file({name: weight.astype(np.int32) for name, weight in weights.items()}, folder / WEIGHTS)
    sign(folder)
    refused_by_both(folder)
    save_file({name: weight.astype(np.int64) for name, weight in weights.items()}, folder / WEIGHTS)
    sign(folder)
    assert load_light(folder) is None
    with pytest.raises(NlpseqError, match="another type"):
        load(folder, device="cpu")
