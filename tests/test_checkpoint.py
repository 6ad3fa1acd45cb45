from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from nlpseq import checkpoint
from nlpseq.api import load_light
from nlpseq.checkpoint import CONFIG, MANIFEST, WEIGHTS, find_checkpoint, load_task, read_manifest, save, verify
from nlpseq.errors import NlpseqError, TrustError, UsageError
from tests.examples import corpus
from tests.taggers import manifest, untrained, write_checkpoint

SENTENCES = [e.tokens for e in corpus(10, seed=3)] + [("Unseen", "words", "42", "!")]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One checkpoint for all tests of this file; those that change it take a copy."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "tiny"))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sign(folder: Path) -> None:
    """Brings the manifest up to date, as one who means harm would."""
    path = folder / MANIFEST
    value = json.loads(path.read_bytes())
    for name in value["files"]:
        value["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(value))


@pytest.mark.parametrize("eight_bit", [False, True])
def test_a_checkpoint_comes_back_as_it_was(eight_bit: bool, tmp_path: Path) -> None:
    tagger = untrained(embedding={"eight_bit": eight_bit})
    checkpoint.round_weights(tagger.network)  # what is stored is less exact; so nothing is lost from here on
    signed = save(tagger, tmp_path / "one", manifest(), "# A card\n")
    loaded, read = load_task(tmp_path / "one")
    assert read == signed == msgspec.structs.replace(manifest(), files=signed.files)
    assert loaded.config == tagger.config
    assert loaded.to_plain().keys() == tagger.to_plain().keys()
    for (name, ours), (other, theirs) in zip(
        tagger.network.state_dict().items(), loaded.network.state_dict().items(), strict=True
    ):
        assert name == other
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)
    assert loaded.predict(SENTENCES) == tagger.predict(SENTENCES)
    assert not loaded.network.training


def test_tables_in_eight_bits_take_half_the_room(tmp_path: Path) -> None:
    sizes = {}
    for eight_bit in (False, True):
        folder = write_checkpoint(tmp_path / str(eight_bit), untrained(embedding={"eight_bit": eight_bit, "width": 64}))
        sizes[eight_bit] = {name: weight.nbytes for name, weight in load_file(folder / WEIGHTS).items()}
    for name in ("embedding.forms.weight", "embedding.affixes.weight"):
        assert sizes[True][name] * 2 == sizes[False][name]
    assert sum(sizes[True].values()) < sum(sizes[False].values())


@pytest.mark.parametrize("name", ["embedding.forms.weight", "embedding.forms.weight.scales"])
@pytest.mark.parametrize("light", [False, True])
def test_tables_in_eight_bits_that_do_not_fit_are_refused(name: str, light: bool, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "it", untrained(embedding={"eight_bit": True}))
    weights = load_file(folder / WEIGHTS)
    for changed in (weights[name].half(), weights[name][:-1], None):
        kept = {n: w for n, w in weights.items() if n != name} | ({} if changed is None else {name: changed})
        if changed is not None and changed.shape == weights[name].shape and name.endswith("scales"):
            continue  # scales may be of any floating-point type
        save_file(kept, folder / WEIGHTS)
        sign(folder)
        with pytest.raises(TrustError, match=r"does not fit its config\.json"):
            load_light(folder) if light else load_task(folder)


def test_saving_what_was_loaded_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    task, read = load_task(folder)
    save(task, tmp_path / "again", read, "# A card\n")
    assert [p.name for p in files(tmp_path / "again")] == [p.name for p in files(folder)]
    for one, other in zip(files(folder), files(tmp_path / "again"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_nothing_in_it_is_pickled_and_every_file_is_listed(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in files(folder)}
    assert names == {MANIFEST, *read_manifest(folder).files}
    assert {Path(name).suffix for name in names} == {".json", ".safetensors", ".md"}
    for path in files(folder):
        content = path.read_bytes()
        if path.suffix == ".json":
            json.loads(content)
        assert not content.startswith((b"PK", b"\x80"))  # what torch.save and pickle begin with


def test_everyone_may_read_it(folder: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in files(folder)} == {files(folder)[0].stat().st_mode & 0o777}
    assert all(path.stat().st_mode & 0o400 for path in files(folder))


def listed(folder: Path) -> list[str]:
    return sorted(read_manifest(folder).files)


def test_every_changed_byte_of_a_listed_file_is_found(folder: Path) -> None:
    """The first byte, the last and some between, chosen by a fixed seed: SHA-256 knows no better and worse places."""
    chance = random.Random(1)
    for name in listed(folder):
        path = folder / name
        content = bytearray(path.read_bytes())
        for position in {0, len(content) - 1, *(chance.randrange(len(content)) for _ in range(6))}:
            changed = bytearray(content)
            changed[position] ^= 1 << chance.randrange(8)
            path.write_bytes(changed)
            with pytest.raises(TrustError, match=path.name):
                load_task(folder)
        path.write_bytes(content)
    load_task(folder)


def test_a_changed_byte_of_the_manifest_never_changes_what_is_loaded(folder: Path) -> None:
    """Nothing signs the manifest itself: a score or a licence in it can be changed unseen, the model cannot."""
    path = folder / MANIFEST
    content = path.read_bytes()
    before = read_manifest(folder)
    found = 0
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        try:
            after = verify(folder)
        except TrustError:
            found += 1
        else:
            assert (after.files, after.format) == (before.files, before.format)
    assert found > len(range(0, len(content), 7)) / 2  # most of it is digests


@pytest.mark.parametrize("change", [lambda c: c[:0], lambda c: c[:-1], lambda c: c + b"\0", lambda c: c[: len(c) // 2]])
def test_files_of_another_length_are_found(folder: Path, change: Callable[[bytes], bytes]) -> None:
    for name in listed(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(change(content))
        with pytest.raises(TrustError):
            load_task(folder)
        (folder / name).write_bytes(content)


def test_a_missing_file_is_found(folder: Path) -> None:
    for name in listed(folder):
        (folder / name).rename(folder / "aside")
        with pytest.raises(TrustError, match="missing"):
            load_task(folder)
        (folder / "aside").rename(folder / name)


def test_a_link_is_no_file_of_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    for name in listed(folder):
        (folder / name).rename(tmp_path / "elsewhere")
        (folder / name).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(TrustError):
            verify(folder)
        (folder / name).unlink()
        (tmp_path / "elsewhere").rename(folder / name)


def test_what_else_lies_in_the_folder_is_not_read(folder: Path) -> None:
    (folder / "text" / "more.json").write_text("{nonsense")
    (folder / "model.pt").write_bytes(b"\x80\x04nonsense")
    (folder / "link").symlink_to("/")
    load_task(folder)


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/hostname", "text/../../outside", "text/../config.json", "./config.json", "text//x", "", ".",
     "..", "text/", "text\\x", "~/x", "resume/state", ".hidden", "text/a/b", "config.json\n", "c\x00"],
)  # fmt: skip
def test_a_manifest_names_files_below_it_alone(folder: Path, name: str) -> None:
    (folder.parent / "outside").write_text("x")
    path = folder / MANIFEST
    value = json.loads(path.read_bytes())
    value["files"][name] = hashlib.sha256(b"x").hexdigest()
    path.write_text(json.dumps(value))
    with pytest.raises(TrustError, match=MANIFEST):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("format", 2, "format 2.*Install"),
        ("format", 0, "format 0"),
        ("format", "1", "cannot be read"),
        ("task", "juggle", "'juggle'"),
        ("task", 5, "cannot be read"),
        ("files", {}, CONFIG),
        ("files", None, "cannot be read"),
        ("scores", {"upos": "high"}, "cannot be read"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(folder: Path, key: str, value: Any, says: str) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: value}))
    with pytest.raises(TrustError, match=says):
        load_task(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"format": 1}', b'{"task": "\xff"}', b"[" * 100_000],
)
def test_what_is_no_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(TrustError, match=MANIFEST):
        load_task(folder)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_manifest_lists_what_cannot_be_done_without(folder: Path, name: str) -> None:
    path = folder / MANIFEST
    value = json.loads(path.read_bytes())
    del value["files"][name]
    path.write_text(json.dumps(value))
    with pytest.raises(TrustError, match=name):
        load_task(folder)


# -- signed, and yet not what it should be


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_bytes()))))


def put(*keys: str, value: Any) -> Callable[[Any], Any]:
    def change(whole: Any) -> Any:
        inner = whole
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        return whole

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (CONFIG, put("encoder", "width", value=9)),
        (CONFIG, put("encoder", "width", value=10**9)),  # must not be allocated to find that it does not fit
        (CONFIG, put("encoder", "layers", value=2)),
        (CONFIG, put("encoder", "cell", value="rnn")),
        (CONFIG, put("encoder", "cell", value="exec")),
        (CONFIG, put("encoder", "command", value="x")),
        (CONFIG, put("encoder", value=None)),
        (CONFIG, put("embedding", "words", value="one_hot")),
        (CONFIG, lambda _: []),
        ("text/words.json", lambda _: []),
        ("text/words.json", lambda _: {}),
        ("text/words.json", put("forms", value=5)),
        ("text/words.json", put("forms", value=["a", "a"])),
        ("text/words.json", put("forms", value=["the"])),
        ("text/words.json", put("characters", value=[{}, {}])),
        ("text/words.json", put("affixes", value=None)),
        ("text/words.json", put("counts", value=3)),
        ("text/tokenizer.json", lambda _: []),
        ("text/tokenizer.json", put("specials", value={"don't": ["do"]})),
        ("text/labels.json", lambda _: []),
        ("text/labels.json", lambda _: {}),
        ("text/labels.json", lambda _: {"upos": []}),
        ("text/labels.json", put("upos", value=["A", "A"])),
        ("text/labels.json", put("upos", value="NOUN")),
        ("text/labels.json", put("up.os", value=["A"])),
        ("text/labels.json", put("ner", value=["O", 5, {}, None, "B-X"])),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_parts_that_do_not_fit_together_are_refused(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    rewrite(folder / name, change)
    sign(folder)
    with pytest.raises(TrustError):
        load_task(folder)


def wider(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.cat((weight, weight)) if weight.dim() else weight for name, weight in weights.items()}


@pytest.mark.parametrize(
    "change",
    [
        wider,
        lambda weights: dict(list(weights.items())[1:]),
        lambda weights: {**weights, "more": torch.zeros(1)},
        lambda weights: {f"x{name}": weight for name, weight in weights.items()},
        lambda weights: {name: weight.T.contiguous() for name, weight in weights.items() if weight.dim() == 2},
        lambda weights: {name: weight.to(torch.int32) for name, weight in weights.items()},
        lambda weights: {name: weights[name] for name in ()},
    ],
    ids=["wider", "one less", "one more", "renamed", "transposed", "integers", "none"],
)
def test_weights_of_another_shape_or_kind_are_refused(folder: Path, change: Callable[[Any], Any]) -> None:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS)
    sign(folder)
    with pytest.raises(TrustError, match=WEIGHTS):
        load_task(folder)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x80\x04.", (10**15).to_bytes(8, "little") + b"{}"])
def test_weights_that_are_no_safetensors_are_refused(folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)
    sign(folder)
    with pytest.raises(TrustError, match=WEIGHTS):
        load_task(folder)


# -- saving


def test_a_failing_save_leaves_the_old_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in files(folder)}
    for failing in ("save_file", "pretty_json", "sha256_of"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, failing, _fail)
            with pytest.raises(OSError, match="disk is full"):
                save(untrained(seed=9), folder, manifest(), "")
        assert {path: path.read_bytes() for path in files(folder)} == before
        assert os.listdir(folder.parent) == ["tiny"]  # noqa: PTH208  hidden leftovers too


def _fail(*_: object, **__: object) -> None:
    raise OSError("The disk is full.")


def test_a_new_checkpoint_takes_the_place_of_the_old_and_keeps_what_else_lies_there(folder: Path) -> None:
    (folder / "resume").mkdir()
    (folder / "resume" / "state.safetensors").write_bytes(b"state")
    (folder / "log.jsonl").write_bytes(b"log")
    other = untrained(seed=9)
    save(other, folder, manifest(), "# Another\n")
    assert (folder / "resume" / "state.safetensors").read_bytes() == b"state"
    assert (folder / "log.jsonl").read_bytes() == b"log"
    assert (folder / "README.md").read_text() == "# Another\n"
    loaded, read = load_task(folder)
    assert set(read.files) == {
        "README.md",
        CONFIG,
        WEIGHTS,
        "text/words.json",
        "text/labels.json",
        "text/tokenizer.json",
    }
    for found, wanted in zip(loaded.predict(SENTENCES), other.predict(SENTENCES), strict=True):
        for column, shares in wanted.probabilities.items():  # of labels, some of which are all but as likely as others
            assert found.probabilities[column] == pytest.approx(shares, abs=0.01)


def test_weights_given_are_stored_and_the_network_stays(tmp_path: Path) -> None:
    tagger, other = untrained(), untrained(seed=5)
    before = {name: weight.clone() for name, weight in tagger.network.state_dict().items()}
    save(tagger, tmp_path / "one", manifest(), "", weights=other.network.state_dict())
    loaded, _ = load_task(tmp_path / "one")
    for name, weight in loaded.network.state_dict().items():
        # float16 has 11 bits: half of 2^-10 of a value is lost at most.
        torch.testing.assert_close(weight, other.network.state_dict()[name], rtol=2**-11, atol=1e-7)
        assert torch.equal(tagger.network.state_dict()[name], before[name])


# -- finding


def test_a_checkpoint_is_found_by_folder_or_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.manifest.shipped_folder", lambda _: folder.parent)
    assert find_checkpoint(folder) == find_checkpoint(str(folder)) == find_checkpoint("tiny") == folder
    with pytest.raises(UsageError, match=r"'tinny'.*Did you mean 'tiny'"):
        find_checkpoint("tinny")
    with pytest.raises(UsageError, match=MANIFEST):
        find_checkpoint(folder.parent)


def test_every_failure_to_load_is_told_as_a_sentence(folder: Path) -> None:
    (folder / CONFIG).write_bytes(b"")
    with pytest.raises(NlpseqError) as caught:
        load_task(folder)
    assert (caught.value.exit_code, str(caught.value)[-1]) == (4, ".")
