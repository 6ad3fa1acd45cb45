"""What a GPU has to agree with: these run only where there is one."""

from __future__ import annotations

import pytest
import torch

from nlpseq.nn import fused
from nlpseq.nn.precision import mixed_precision
from nlpseq.nn.recurrent import recurrent_cell
from nlpseq.tasks import Task
from nlpseq.training.loop import Run, fit
from tests import classifiers, languages, taggers
from tests.examples import corpus
from tests.opinions import opinions

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
GPU = torch.device("cuda")


@pytest.mark.parametrize("cell", ["lstm", "gru", "irnn", "rnn"])
def test_a_layer_says_there_what_it_says_on_a_cpu(cell: str) -> None:
    torch.manual_seed(1)
    layer, inputs_BTD = recurrent_cell(cell, 8, 16), torch.randn(3, 7, 8)  # type: ignore[arg-type]
    wanted_BTH, _ = fused.read(layer, inputs_BTD)
    layer.to(GPU)
    found_BTH, _ = fused.read(layer, inputs_BTD.to(GPU))
    with mixed_precision():
        rounded_BTH, _ = fused.read(layer, inputs_BTD.to(GPU))
    assert torch.allclose(found_BTH.cpu(), wanted_BTH, atol=5e-3)  # products may be of TF32 numbers
    assert rounded_BTH.dtype == torch.float32
    assert torch.allclose(rounded_BTH.cpu(), wanted_BTH, atol=5e-2)


@pytest.mark.parametrize("kind", ["lm", "tag", "sentiment"])
def test_every_task_learns_there_and_answers_as_on_a_cpu(kind: str) -> None:
    task: Task
    dev: list[object]
    if kind == "lm":
        task, dev = languages.untrained(), [*languages.counting()]
    elif kind == "tag":
        task, dev = taggers.untrained(training={"epochs": 12, "patience": 0}), [*corpus(60, seed=1)]
    else:
        task, dev = classifiers.untrained(classifier={"adversarial": 0.3}), [*opinions(60, seed=1)]
    before = task.score(dev)[task.main_score]
    task.network.to(GPU)
    for _ in fit(Run(task, task.config.training), [task.encode(example) for example in dev], dev):
        pass
    there = task.score(dev)
    task.network.cpu()
    here = task.score(dev)
    assert there[task.main_score] > before + 10
    assert {name: pytest.approx(score, abs=2.0) for name, score in there.items()} == here
