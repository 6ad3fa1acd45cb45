"""Imports point one way, downwards; and what must stay light imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nlpseq"
FLOORS = {
    "__init__": 0,  # the version; `load` is looked up on the top floor when it is first asked for
    "errors": 0,
    "config": 0,
    "description": 0,
    "records": 0,
    "shipped": 0,
    "atomic": 0,
    "digest": 0,
    "machine": 0,
    "manifest": 1,
    "given": 1,
    "text": 1,
    "corpora": 1,
    "render": 1,
    "device": 2,
    "threads": 2,
    "batching": 2,
    "nn": 2,
    "tasks": 3,
    "light": 3,  # torch-free twins of nn and tasks
    "writing": 3,
    "checkpoint": 4,
    "model_card": 4,
    "training": 4,
    "pipelines": 5,
    "quick": 5,
    "workers": 5,
    "worker_process": 5,
    "api": 5,
    "generation": 5,
    "layers_alone": 5,
    "inspection": 5,
    "speed": 5,
    "doctor": 5,
    "spacy_component": 6,
    "cli": 6,
}
# Upward on purpose: the module, what it imports, and why.
EXCEPTIONS = {
    ("__init__", "api"): "nlpseq.load, by name, without loading torch",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(name: str) -> str:
    """`nlpseq.text.tags` -> `text`; `nlpseq` itself -> `__init__`."""
    return [*name.split("."), "__init__"][1]


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[str]:
    """Full names of what a module of ours imports."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    return list(imports_of(path.read_text(encoding="utf-8"), package))


def imports_of(source: str, package: str) -> Iterator[str]:
    """Full names of what source code imports, inside functions too, and not what is for type checkers alone."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_every_module_has_a_floor() -> None:
    assert {part_of(name_of(path)) for path in MODULES} == set(FLOORS)


def excused(module: str, imported: str) -> bool:
    part = part_of(module)
    return any(part == one and imported.startswith(f"nlpseq.{other}") for one, other in EXCEPTIONS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path))
def test_imports_point_downwards(path: Path) -> None:
    module = name_of(path)
    inside = [name for name in imports(path) if name.split(".")[0] == "nlpseq"]
    upward = [name for name in inside if FLOORS[known(name)] > FLOORS[part_of(module)] and not excused(module, name)]
    assert upward == []


def known(imported: str) -> str:
    """The part that an import reaches; `from nlpseq import __version__` reaches the package itself."""
    part = part_of(imported)
    return part if part in FLOORS else "__init__"


def test_no_exception_is_left_over() -> None:
    used = {
        (one, other)
        for path in MODULES
        for one, other in EXCEPTIONS
        if part_of(name_of(path)) == one and any(name.startswith(f"nlpseq.{other}") for name in imports(path))
    }
    assert used == set(EXCEPTIONS)


def test_this_test_sees_imports_wherever_they_stand() -> None:
    source = (
        "import typing\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import spacy\n"
        "def f():\n    import torch.nn\n    class A:\n        from ..api import load\n"
    )
    found = list(imports_of(source, "nlpseq.text"))
    assert found == ["typing", "typing.TYPE_CHECKING", "torch.nn", "nlpseq.api.load"]


WITHOUT_TORCH = {"light", "writing", "pipelines", "quick", "generation", "workers"}  # higher up, and light all the same
LIGHT = [p for p in MODULES if FLOORS[part_of(name_of(p))] <= 1 or part_of(name_of(p)) in WITHOUT_TORCH]


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: name_of(path))
def test_the_lower_floors_know_no_torch(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & ({"torch"} if part_of(name_of(path)) == "light" else {"torch", "safetensors"})
    if part_of(name_of(path)) in {"errors", "records", "config", "shipped", "atomic", "render"}:
        assert not roots & {"spacy", "numpy", "sentencepiece", "pooch"}


HEAVY = ("torch", "spacy", "numpy", "sentencepiece", "safetensors", "pooch", "rich")


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import nlpseq", HEAVY),
        ("import nlpseq.cli.main", HEAVY),
        ("import nlpseq.config, nlpseq.records, nlpseq.errors, nlpseq.atomic, nlpseq.shipped", HEAVY),
        ("import nlpseq.text.tags, nlpseq.text.metrics, nlpseq.text.vocab, nlpseq.text.words", HEAVY),
        ("import nlpseq.text.tokenizer", HEAVY),
        ("import nlpseq.corpora.sources, nlpseq.corpora.lint, nlpseq.corpora.convert", ("torch", "spacy", "numpy")),
        ("from nlpseq.tasks import TASKS; import nlpseq.checkpoint", ("spacy", "pooch", "rich")),
        ("import nlpseq.api, nlpseq.quick, nlpseq.light.loading", ("torch", "spacy", "sentencepiece", "pooch", "rich")),
    ],
)
def test_importing_does_no_heavy_work(statement: str, heavy: tuple[str, ...]) -> None:
    """In a process of its own, since pytest's plug-ins import some of these."""
    script = f"import sys\n{statement}\nprint(*sorted(set(sys.modules) & set({heavy})))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)
    assert result.stdout == "\n"


def test_predicting_brings_neither_torchs_compiler_nor_spacy() -> None:
    """The one takes as long to import as all the rest of torch, and some ways to make a network do that; the other half
    as long, and checkpoints have the rules that it would be asked for.
    """
    script = """
import sys, nlpseq
for name in ("tag-en", "sentiment-en", "translate-fr-en", "lm-en"):
    nlpseq.load(name, threads=1)("Bonjour.")
print(*sorted({"torch._dynamo", "spacy"} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=120)
    assert result.stdout == "\n"


def test_the_package_says_what_it_has() -> None:
    import nlpseq

    assert callable(nlpseq.load)
    with pytest.raises(AttributeError, match="'nope'"):
        nlpseq.nope  # noqa: B018
