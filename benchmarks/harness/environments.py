"""The environments that peers run in: each peer has its own, with every version pinned in `requirements/`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"


class UnavailableError(Exception):
    """A peer that cannot take part, and why."""


def environment(name: str, folder: Path) -> Path:
    """The Python of a peer's environment below `folder`, made where it is not there yet, or was made of other versions.

    Raises UnavailableError where it cannot be installed.
    """
    pinned = REQUIREMENTS / f"{name}.txt"
    home = folder / name
    python, mark = home / "bin" / "python", home / "installed"
    digest = hashlib.sha256(pinned.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text(encoding="utf-8") == digest:
        return python
    print(f"making the environment of {name} in {home} ...", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, symlinks=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "-r", str(pinned)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{name} cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    mark.write_text(digest, encoding="utf-8")
    return python


def version_of(name: str) -> str:
    """`spacy 3.8.18`: what is pinned on the first line of a peer's requirements that is no comment."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line and not line.startswith("#")).replace("==", " ")
