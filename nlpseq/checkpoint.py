"""A checkpoint: one folder, nothing in it pickled or executed, verified before it is read.

manifest.json       format number, task, languages, scores, sources, and the SHA-256 of every other file
config.json         all settings
text/*.json         vocabularies, label sets, temperatures
text/*.model        subword models of SentencePiece
model.safetensors   the weights, float16
README.md           the model card
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import nlpseq
from nlpseq.atomic import replacing
from nlpseq.corpora.sources import Source
from nlpseq.digest import sha256_of
from nlpseq.errors import TrustError, UsageError, did_you_mean
from nlpseq.shipped import shipped_folder
from nlpseq.tasks import TASKS, Task

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


def find_checkpoint(name: str | Path) -> Path:
    """The folder of a checkpoint: a path, or the name of one that came with the install.

    Raises UsageError where there is none, naming the ones there are.
    """
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
    there = {tuple(read_manifest(folder).languages): name for name, folder in _shipped_for("translate").items()}
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
    except (OSError, msgspec.DecodeError) as error:
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


def save(
    task: Task, folder: Path, manifest: Manifest, card: str, weights: Mapping[str, Tensor] | None = None
) -> Manifest:
    """Writes a whole checkpoint in place of `folder`, or leaves everything as it was.

    `weights` are stored instead of those in the network where they are given; floating-point ones as float16. What
    else lies in an existing folder (such as `resume/`) stays. Returns the manifest as written.
    """
    with replacing(folder) as fresh:
        (fresh / CONFIG).write_bytes(pretty_json(task.config))
        (fresh / "text").mkdir()
        for name, value in task.to_plain().items():
            raw = isinstance(value, bytes)
            file = fresh / "text" / f"{name}.{'model' if raw else 'json'}"
            file.write_bytes(value if raw else msgspec.json.encode(value))
        weights = task.network.state_dict() if weights is None else weights
        halves = {n: (w.half() if w.is_floating_point() else w).cpu().contiguous() for n, w in weights.items()}
        _must_be_finite(halves, folder)
        save_file(halves, fresh / WEIGHTS)
        (fresh / WEIGHTS).chmod((fresh / CONFIG).stat().st_mode)  # safetensors makes it readable to its owner alone
        (fresh / CARD).write_text(card, encoding="utf-8")
        written = sorted(path for path in fresh.rglob("*") if path.is_file())
        files = {path.relative_to(fresh).as_posix(): sha256_of(path) for path in written}
        manifest = msgspec.structs.replace(manifest, format=FORMAT, task=task.task, files=files)
        (fresh / MANIFEST).write_bytes(pretty_json(manifest))
    return manifest


def _must_be_finite(weights: Mapping[str, Tensor], where: Path) -> None:
    for name, weight in weights.items():
        if not bool(torch.isfinite(weight).all()):
            raise TrustError(f"{where}: weight {name!r} has a value that is no number, or too large for float16.")


def pretty_json(value: Any) -> bytes:
    """Indented JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def round_weights(network: nn.Module) -> None:
    """Rounds weights to what `save` will store, so that scores measured now are those of the saved checkpoint."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half())


def load_task(folder: Path) -> tuple[Task, Manifest]:
    """The task of a checkpoint, verified first, on the CPU and ready to predict.

    Raises TrustError where the checkpoint is damaged, of an unknown format or task, or does not fit together.
    """
    manifest = verify(folder)
    if manifest.task not in TASKS:
        raise TrustError(f"{folder / MANIFEST}: has the task {manifest.task!r}, unknown to this version of nlpseq.")
    kind = TASKS[manifest.task]
    try:
        config = msgspec.json.decode((folder / CONFIG).read_bytes(), type=kind.config_type)
        with torch.device("meta"):
            task = kind.from_plain(config, _read_plain(folder, manifest))
    except Exception as error:  # these files came from elsewhere: whatever goes wrong with them, they are wrong
        raise TrustError(f"{folder}: its config.json and text/ cannot be read: {error}.") from None
    task.network.load_state_dict(_read_weights(folder / WEIGHTS, task.network.state_dict()), assign=True)
    task.network.eval()
    return task, manifest


def _read_weights(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a file, float16 as float32; names and shapes are compared before anything is allocated."""
    try:
        with safe_open(path, framework="pt") as stored:
            different = set(stored.keys()) ^ set(expected)
            if different:
                raise TrustError(
                    f"{path}: does not fit its config.json: weight {min(different)!r} is in one of them alone."
                )
            for name, weight in expected.items():
                if tuple(stored.get_slice(name).get_shape()) != tuple(weight.shape):
                    raise TrustError(f"{path}: does not fit its config.json: weight {name!r} has another shape.")
            tensors = {name: stored.get_tensor(name) for name in expected}
            for name, weight in expected.items():
                if tensors[name].is_floating_point() != weight.is_floating_point():
                    raise TrustError(f"{path}: does not fit its config.json: weight {name!r} has another type.")
    except SafetensorError as error:
        raise TrustError(f"{path}: cannot be read as safetensors: {error}.") from None
    _must_be_finite(tensors, path)
    return {name: w.float() if w.is_floating_point() else w for name, w in tensors.items()}


def _read_plain(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """What `to_plain` gave: values of the .json files, bytes of the .model files."""
    plain: dict[str, Any] = {}
    for name in (name for name in manifest.files if name.startswith("text/")):
        content = (folder / name).read_bytes()
        plain[Path(name).stem] = content if name.endswith(".model") else msgspec.json.decode(content)
    return plain
