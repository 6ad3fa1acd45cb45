"""What every test shares. One thread, set before anything imports torch, so that sums come out the same everywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
for name in [name for name in os.environ if name.startswith("NLPSEQ_")]:
    del os.environ[name]  # a developer's own settings decide no test

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("nlpseq", deadline=None)
settings.load_profile("nlpseq")


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    """What a command sets for its process is undone: threads, and denormals as zero, which hypothesis refuses."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
        torch.set_num_threads(1)


@pytest.fixture
def full_precision() -> Iterator[None]:
    """Layers are read in float32 as on processors that have no fast products of eight-bit numbers."""
    from nlpseq.nn import eight_bit_products

    with eight_bit_products.full_precision():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pages' commands take longest, so they begin, then what starts processes: nobody waits for one at the end."""
    items.sort(key=lambda item: (item.path.name != "test_docs.py", item.path.parent.name != "cli"))
