"""A checkpoint: one folder, nothing in it pickled or executed, verified before it is read.

manifest.json       format number, task, languages, scores, sources, and the SHA-256 of every other file
config.json         all settings
text/*.json         vocabularies, label sets, temperatures
text/*.model        subword models of SentencePiece
model.safetensors   the weights, float16; tables of vectors, where the settings say so, as int8 and a scale a row
README.md           the model card
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nlpseq.atomic import replacing
from nlpseq.digest import sha256_of
from nlpseq.errors import TrustError
from nlpseq.manifest import (
    CARD,
    CONFIG,
    FORMAT,
    MANIFEST,
    WEIGHTS,
    Manifest,
    find_checkpoint,
    misfit,
    read_manifest,
    read_settings,
    shipped_checkpoints,
    verify,
)
from nlpseq.nn.tables import SCALES, coarse, coarse_tables, fine
from nlpseq.render.safe import without_surrogates
from nlpseq.tasks import TASKS, Task

__all__ = [
    "CARD",
    "CONFIG",
    "FORMAT",
    "MANIFEST",
    "WEIGHTS",
    "Manifest",
    "find_checkpoint",
    "load_task",
    "pretty_json",
    "read_manifest",
    "round_weights",
    "save",
    "shipped_checkpoints",
    "verify",
]


def save(
    task: Task, folder: Path, manifest: Manifest, card: str, weights: Mapping[str, Tensor] | None = None
) -> Manifest:
    """Writes a whole checkpoint in place of `folder`, or leaves everything as it was.

    `weights` are stored instead of those in the network where they are given; floating-point ones as float16, and some
    tables in eight bits (`nn/tables.py`). What else lies in an existing folder (such as `resume/`) stays. Returns the
    manifest as written.
    """
    with replacing(folder) as fresh:
        (fresh / CONFIG).write_bytes(pretty_json(task.config))
        (fresh / "text").mkdir()
        for name, value in task.to_plain().items():
            raw = isinstance(value, bytes)
            file = fresh / "text" / f"{name}.{'model' if raw else 'json'}"
            file.write_bytes(value if raw else msgspec.json.encode(value))
        weights = task.network.state_dict() if weights is None else weights
        stored = {n: w.cpu().contiguous() for n, w in _stored(weights, coarse_tables(task.network)).items()}
        _must_be_finite(stored, folder)
        save_file(stored, fresh / WEIGHTS)
        (fresh / WEIGHTS).chmod((fresh / CONFIG).stat().st_mode)  # safetensors makes it readable to its owner alone
        (fresh / CARD).write_text(str(without_surrogates(card)), encoding="utf-8")
        written = sorted(path for path in fresh.rglob("*") if path.is_file())
        files = {path.relative_to(fresh).as_posix(): sha256_of(path) for path in written}
        manifest = msgspec.structs.replace(manifest, format=FORMAT, task=task.task, files=files)
        (fresh / MANIFEST).write_bytes(pretty_json(manifest))
    return manifest


def _stored(weights: Mapping[str, Tensor], tables: Collection[str]) -> dict[str, Tensor]:
    """What is written of weights: those named in `tables` in eight bits, other floating-point ones as float16."""
    stored: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if name in tables:
            stored[name], stored[name + SCALES] = coarse(weight)
        else:
            stored[name] = weight.half() if weight.is_floating_point() else weight
    return stored


def _must_be_finite(weights: Mapping[str, Tensor], where: Path) -> None:
    for name, weight in weights.items():
        if not bool(torch.isfinite(weight).all()):
            raise TrustError(f"{where}: weight {name!r} has a value that is no number, or too large for float16.")


def pretty_json(value: Any) -> bytes:
    """Indented JSON with a newline at its end; U+FFFD stands for what of a file's name is not UTF-8."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(without_surrogates(msgspec.to_builtins(value)))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def round_weights(network: nn.Module) -> None:
    """Rounds weights to what `save` will store, so that scores measured now are those of the saved checkpoint."""
    tables = coarse_tables(network)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(fine(*coarse(weight)) if name in tables else weight.half())


def load_task(folder: Path) -> tuple[Task, Manifest]:
    """The task of a checkpoint, verified first, on the CPU and ready to predict.

    Raises TrustError where the checkpoint is damaged, of an unknown format or task, or does not fit together.
    """
    manifest = verify(folder)
    if manifest.task not in TASKS:
        raise TrustError(f"{folder / MANIFEST}: has the task {manifest.task!r}, unknown to this version of nlpseq.")
    kind = TASKS[manifest.task]
    try:
        config, plain = read_settings(folder, manifest, kind.config_type)
        with torch.device("meta"), _Undrawn():
            task = kind.from_plain(config, plain)
    except Exception as error:
        raise misfit(folder, error) from None
    tables = coarse_tables(task.network)
    task.network.load_state_dict(_read_weights(folder / WEIGHTS, task.network.state_dict(), tables), assign=True)
    task.network.eval()
    return task, manifest


class _Undrawn(TorchFunctionMode):
    """Within it no weights are drawn: of those that have no content yet torch would import its compiler for that, which
    takes as long as all the rest of it.
    """

    DRAWS = frozenset({nn.init.normal_, nn.init.uniform_, Tensor.normal_, Tensor.uniform_})

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Lets everything pass but draws."""
        if func in self.DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _read_weights(path: Path, expected: Mapping[str, Tensor], tables: Collection[str]) -> dict[str, Tensor]:
    """The weights of a file as float32; names and shapes are compared before anything is allocated."""
    wanted = _stored(expected, tables)
    try:
        with safe_open(path, framework="pt") as stored:
            different = set(stored.keys()) ^ set(wanted)
            if different:
                raise TrustError(
                    f"{path}: does not fit its config.json: weight {min(different)!r} is in one of them alone."
                )
            for name, weight in wanted.items():
                if tuple(stored.get_slice(name).get_shape()) != tuple(weight.shape):
                    raise TrustError(f"{path}: does not fit its config.json: weight {name!r} has another shape.")
            tensors = {name: stored.get_tensor(name) for name in wanted}
            for name, weight in wanted.items():
                same = tensors[name].dtype == weight.dtype
                if not same and not (tensors[name].is_floating_point() and weight.is_floating_point()):
                    raise TrustError(f"{path}: does not fit its config.json: weight {name!r} has another type.")
    except SafetensorError as error:
        raise TrustError(f"{path}: cannot be read as safetensors: {error}.") from None
    _must_be_finite(tensors, path)
    return {name: _read(name, tensors) for name in expected}


def _read(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    weight = tensors[name]
    if name + SCALES in tensors:
        return fine(weight, tensors[name + SCALES])
    return weight.float() if weight.is_floating_point() else weight
