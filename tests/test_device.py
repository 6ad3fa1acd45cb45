"""Work side by side gives what work one after the other gives, in order, and leaves the process as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nlpseq import device
from nlpseq.device import find_device, use_threads
from nlpseq.errors import UsageError
from nlpseq.threads import side_by_side

CPU = torch.device("cpu")


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_results_are_in_order_and_without_gradients() -> None:
    weight = torch.nn.Parameter(torch.arange(4.0))

    def work(number: int) -> tuple[Tensor, int]:
        return weight * number, torch.get_num_threads()

    found = list(side_by_side(work, range(20), CPU))
    assert [result.tolist() for result, _ in found] == [(torch.arange(4.0) * n).tolist() for n in range(20)]
    assert not any(result.requires_grad for result, _ in found)
    assert {threads for _, threads in found} == {1}
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_what_goes_wrong_is_raised_where_the_results_are_read() -> None:
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda number: 1 / number, [1, 0, 2], CPU))
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_threads_of_others_keep_all_of_torch_while_work_is_read() -> None:
    work = side_by_side(lambda number: number, range(20), CPU)
    next(work)
    found: list[int] = []
    other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert found == [3]
    assert list(work) == list(range(1, 20))


@pytest.mark.parametrize("name", ["cpu:abc", "gpu", "cpu:-1"])
def test_a_device_that_is_none(name: str) -> None:
    with pytest.raises(UsageError, match="There is no device"):
        find_device(name)


@pytest.mark.usefixtures("three_threads")
def test_one_piece_of_work_has_all_threads() -> None:
    assert list(side_by_side(lambda _: torch.get_num_threads(), [None], CPU)) == [3]


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(("told", "there", "threads"), [("1", 8, 3), ("8", 2, 3), ("", 2, 2), ("", 8, 3)])
def test_threads_that_a_program_has_set_stay(
    monkeypatch: pytest.MonkeyPatch, told: str, there: int, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr(device, "usable_cores", lambda: there)
    use_threads(None)
    assert torch.get_num_threads() == threads
