"""What an install is made of, and whether its checkpoints load."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version

import nlpseq
from nlpseq.errors import NlpseqError
from nlpseq.machine import usable_cores, wanted_cores
from nlpseq.shipped import shipped_folder

_PACKAGES = (
    "torch",
    "spacy",
    "sentencepiece",
    "sacrebleu",
    "safetensors",
    "numpy",
    "msgspec",
    "typer",
    "rich",
    "pooch",
)


def surroundings() -> list[tuple[str, str]]:
    """(what, value) of everything that a report of a defect should tell."""
    import torch

    from nlpseq.corpora.download import cache_folder
    from nlpseq.nn.eight_bit_products import wanted
    from nlpseq.nn.sixteen_bit import has_tiles

    read_in = "float32" if not wanted() else "bfloat16 (AMX)" if has_tiles() else "eight bits (VNNI)"
    devices = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
    settings = sorted(name for name in os.environ if name.startswith("NLPSEQ_"))
    return [
        ("nlpseq", nlpseq.__version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", platform.platform()),
        *((name, _version(name)) for name in _PACKAGES),
        ("devices", ", ".join(devices)),
        ("threads", f"{min(torch.get_num_threads(), wanted_cores())} on {usable_cores()} of {os.cpu_count()} cores"),
        ("LSTMs on a CPU", f"many texts are read in {read_in}"),
        ("checkpoints", str(shipped_folder("checkpoints"))),
        ("corpora registry", str(shipped_folder("corpora") / "registry.toml")),
        ("corpora cache", str(cache_folder())),
        ("corpora mirror", _mirror()),
        ("variables set", ", ".join(settings) or "none"),
    ]


def examine_checkpoints() -> list[tuple[str, str, bool]]:
    """(name, state, whether it is well) of each shipped checkpoint, loaded for this.

    Whatever goes wrong with one is its state.
    """
    from nlpseq.api import load
    from nlpseq.manifest import shipped_checkpoints

    states: list[tuple[str, str, bool]] = []
    for name in shipped_checkpoints():
        started = time.perf_counter()
        try:
            load(name)
        except NlpseqError as error:
            states.append((name, str(error), False))
        except Exception as error:
            states.append((name, f"{type(error).__name__}: {error}", False))
        else:
            states.append((name, f"loads in {time.perf_counter() - started:.2f} s", True))
    return states or [("none", "no checkpoint came with this install", False)]


def _mirror() -> str:
    from nlpseq.corpora.download import mirror_folder

    try:
        return str(mirror_folder() or "none (NLPSEQ_CORPORA_MIRROR)")
    except NlpseqError as error:
        return str(error)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
