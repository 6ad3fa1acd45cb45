"""What a checkpoint says of itself: found by folder or name, and every file compared with it. No torch here.

See `checkpoint.py` for what else the folder holds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

import nlpseq
from nlpseq.digest import sha256_of
from nlpseq.errors import TrustError, UsageError, did_you_mean
from nlpseq.records import Source
from nlpseq.shipped import shipped_folder

FORMAT = 1
MANIFEST, CONFIG, WEIGHTS, CARD = "manifest.json", "config.json", "model.safetensors", "README.md"
USUAL = {  # what commands ask for by default: its task, and a corpus to train it on in a minute or at most an hour
    "tag-en": ("tag", "sample-tagging"),
    "sentiment-en": ("sentiment", "sample-sentiment"),
    "lm-en": ("lm", "sample-text"),
    "translate-en-fr": ("translate", "sample-translation@en-fr"),
    "translate-fr-en": ("translate", "sample-translation@fr-en"),
    "translate-en-de": ("translate", "multi30k@en-de"),
}
FileName = Annotated[str, Meta(pattern=r"^(text/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint says of itself. `scores` are per cent on the development data named in `dev`."""

    format: int
    task: str
    languages: tuple[str, ...] = ()
    scores: dict[str, float] = {}
    trained_on: tuple[Source, ...] = ()
    dev: tuple[str, ...] = ()
    nlpseq_version: str = nlpseq.__version__
    files: dict[FileName, Digest] = {}


def command_of(task: str) -> str:
    """The command that a checkpoint of this task is for."""
    return "generate" if task == "lm" else task


def find_checkpoint(name: str | Path) -> Path:
    """The folder of a checkpoint: a path, or the name of one that came with the install.

    Raises UsageError where there is none, naming the ones there are, and where `name` is no such thing.
    """
    if not isinstance(name, str | os.PathLike):
        raise UsageError(f"{name!r} is no checkpoint. Give the name of one that came with the install, or its folder.")
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        return folder
    shipped = shipped_checkpoints()
    if str(name) in shipped:
        return shipped[str(name)]
    if folder.exists():
        raise UsageError(f"{folder}: this is no checkpoint: it has no {MANIFEST}.")
    if str(name) in USUAL:
        task, corpus = USUAL[str(name)]
        raise UsageError(
            f"No checkpoint {name} came with this install; train one with `nlpseq train {task} --corpus "
            f"{corpus} -o my-{task}` (or on your own --train FILE), and name it with -c my-{task}."
        )
    raise UsageError(
        f"There is no checkpoint {str(name)!r}, neither a folder nor a shipped one. {did_you_mean(str(name), shipped)}"
    )


def shipped_checkpoints() -> dict[str, Path]:
    """The checkpoints that came with the install, by name."""
    folder = shipped_folder("checkpoints")
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{MANIFEST}"))}


def find_translator(source: str | None, target: str) -> str:
    """The name of the shipped checkpoint that translates into `target`, from `source` or from whatever there is.

    English goes first where there are several. Raises UsageError where there is none, naming the ones there are.
    """
    there = {
        tuple(map(str.casefold, read_manifest(folder).languages)): name
        for name, folder in _shipped_for("translate").items()
    }
    source, target = source and source.casefold(), target.casefold()
    found = [languages for languages in there if languages[1:] == (target,) and source in {None, languages[0]}]
    if found:
        return there[min(found, key=lambda languages: (languages[0] != "en", languages))]
    usual = f"translate-{source or 'en'}-{target}"
    if usual in USUAL:
        find_checkpoint(usual)  # which says what to do
    pairs = ", ".join(sorted(f"{a} to {b}" for a, b in there)) or "none"
    raise UsageError(
        f"No checkpoint for {source or 'any language'} to {target} came with this install (there are: {pairs}). Train "
        f"one with `nlpseq train translate --train FILE FILE -o FOLDER`, and name it with -c FOLDER."
    )


def _shipped_for(task: str) -> dict[str, Path]:
    return {name: path for name, path in shipped_checkpoints().items() if read_manifest(path).task == task}


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint. Raises TrustError where it is damaged or of a format unknown here."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, ValueError) as error:  # msgspec's own, and of what is not UTF-8
        raise TrustError(f"{path}: cannot be read as a manifest: {error}.") from None
    if manifest.format != FORMAT:
        raise TrustError(
            f"{path}: has checkpoint format {manifest.format}, and this version of nlpseq ({nlpseq.__version__}) reads "
            f"format {FORMAT}. Install the version that wrote it ({manifest.nlpseq_version}), or train it again."
        )
    return manifest


def verify(folder: Path) -> Manifest:
    """Compares every file with the manifest's SHA-256. Raises TrustError naming the first that differs."""
    manifest = read_manifest(folder)
    for name in (CONFIG, WEIGHTS):
        if name not in manifest.files:
            raise TrustError(f"{folder / MANIFEST}: does not list {name}, without which nothing can be loaded.")
    for name, digest in manifest.files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise TrustError(f"{path}: is named in the manifest and is missing. Copy the checkpoint again.")
        if sha256_of(path) != digest:
            raise TrustError(f"{path}: differs from what the manifest says it is (SHA-256). Copy the checkpoint again.")
    return manifest


def read_settings(folder: Path, manifest: Manifest, kind: Any) -> tuple[Any, dict[str, Any]]:
    """The config of a verified checkpoint, of type `kind`, and what its task's `to_plain` gave.

    That is values of the .json files below text/, and bytes of the .model files. Raises whatever is wrong with them.
    """
    config = msgspec.json.decode((folder / CONFIG).read_bytes(), type=kind)
    plain: dict[str, Any] = {}
    for name in (name for name in manifest.files if name.startswith("text/")):
        content = (folder / name).read_bytes()
        plain[Path(name).stem] = content if name.endswith(".model") else msgspec.json.decode(content)
    return config, plain


def misfit(folder: Path, error: Exception) -> TrustError:
    """What is told of settings that cannot be read; they came from elsewhere, so it is they that are wrong."""
    return TrustError(f"{folder}: its config.json and text/ cannot be read: {error}.")
