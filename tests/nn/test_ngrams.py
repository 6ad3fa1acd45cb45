from __future__ import annotations

import pytest
import torch

from nlpseq.nn.ngrams import BLOCK, START, NgramScores


@pytest.mark.parametrize("labels", [2, 7])
def test_a_score_is_the_sum_by_the_root_of_the_count(labels: int) -> None:
    """Also with more weights than one block, and for a text that has no known run."""
    scores = NgramScores(BLOCK + 3, labels, eight_bit=False)
    torch.nn.init.normal_(scores.weight)
    table = scores.weight.detach().flatten()[: (BLOCK + 3) * labels].view(-1, labels)
    places, counts = torch.tensor([1, BLOCK + 2, 4, 5, 5, 6]), torch.tensor([2, 0, 4])
    wanted = torch.stack([table[[1, BLOCK + 2]].sum(0) / 2**0.5, torch.zeros(labels), table[[4, 5, 5, 6]].sum(0) / 2])
    assert torch.allclose(scores(places, counts), wanted, atol=1e-6)


def test_it_begins_with_the_ratios_of_naive_bayes() -> None:
    """Of two labels, the difference is START times the log-count ratio of Wang & Manning, here of (3 + 1) / 6 and
    (0 + 1) / 4 for the first run.
    """
    scores = NgramScores(2, 2, eight_bit=False)
    scores.start_from(torch.tensor([3, 8]), [torch.tensor([[3, 0], [1, 2]])])
    first, second = scores(torch.tensor([0, 1]), torch.tensor([1, 1])).diff(dim=1).flatten().tolist()
    assert first == pytest.approx(START * torch.log(torch.tensor((1 / 4) / (4 / 6))).item(), rel=1e-5)
    assert second == pytest.approx(START * torch.log(torch.tensor((3 / 4) / (2 / 6))).item(), rel=1e-5)
    assert scores.known_V.tolist() == [3, 8]
