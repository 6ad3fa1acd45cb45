"""The state of a training run on disk, in `resume/` beside the checkpoint: one file, replaced atomically."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nlpseq.errors import TrustError, UsageError, some

RESUME, STATE, COUNTERS, CONFIG = "resume", "state.safetensors", "counters", "config"


def write_state(
    output: Path, fingerprint: str, tensors: dict[str, Tensor], plain: dict[str, Any], *, config: Any = None
) -> None:
    """Replaces the state below `output`; a kill at any moment leaves the old state or the new one.

    `config` has the settings, by which `read_state` tells which are others. It and the counters travel in the header of
    the tensors' file, so that they cannot come apart.
    """
    folder = output / RESUME
    folder.mkdir(parents=True, exist_ok=True)
    counters = msgspec.json.encode({**plain, "best_score": _finite(plain["best_score"])}).decode()
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    header = {"fingerprint": fingerprint, COUNTERS: counters, CONFIG: msgspec.json.encode(config).decode()}
    save_file(whole, folder / f"{STATE}.new", metadata=header)
    (folder / f"{STATE}.new").replace(folder / STATE)


def read_state(
    output: Path, fingerprint: str, *, config: Any = None
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The state below `output`, or None where there is none.

    Raises UsageError where it was written with other settings, which it names, or other examples; TrustError
    where it is damaged.
    """
    from safetensors import safe_open

    path = output / RESUME / STATE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            header = stored.metadata() or {}
        if header.get("fingerprint") != fingerprint:
            raise UsageError(
                f"{path}: was written with other settings or examples{_which(header.get(CONFIG), config)}. Give the "
                "same, or begin anew in another folder."
            )
        plain = msgspec.json.decode(header[COUNTERS])
        tensors = load_file(path)
    except (SafetensorError, KeyError, msgspec.DecodeError) as error:
        raise TrustError(f"{path}: cannot be read: {error}. Remove {path.parent} to begin anew.") from None
    if plain["best_score"] is None:
        plain["best_score"] = float("-inf")
    return tensors, plain


def is_unfinished(output: Path) -> bool:
    """Whether there is a state below `output` from which its run goes on."""
    return (output / RESUME / STATE).exists()


def remove_state(output: Path) -> None:
    """Removes `resume/`: first the state, without which the rest means nothing, should a kill leave some of it."""
    (output / RESUME / STATE).unlink(missing_ok=True)
    shutil.rmtree(output / RESUME, ignore_errors=True)


def _which(stored: str | None, config: Any) -> str:
    """In brackets, the settings that are not as `stored`; nothing where they are not known."""
    before = msgspec.json.decode(stored) if stored else None
    if before is None or config is None:
        return ""
    told = some(list(_differences(before, msgspec.json.decode(msgspec.json.encode(config)))))
    return f" ({told or 'the settings are the same'})"


def _differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif before != now:
        yield f"{path} was {_shown(before)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()  # null, true: as it is written


def _finite(value: float) -> float | None:
    return None if value == float("-inf") else value
