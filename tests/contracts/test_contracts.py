"""What every task promises, with every cell. A new task adds one entry to TINY."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from nlpseq.checkpoint import FORMAT, Manifest, load_task, round_weights, save
from nlpseq.config import Cell, TrainingConfig, build
from nlpseq.tasks import TASKS, Task
from nlpseq.training.loop import Run, fit
from tests.examples import corpus
from tests.letters import pairs
from tests.opinions import opinions

CELLS: tuple[str, ...] = get_args(Cell)


@dataclass(frozen=True)
class Tiny:
    """A task in small: examples, settings, and what it makes of inputs, in a form that can be compared."""

    examples: Callable[[int], Sequence[Any]]
    config: dict[str, Any]
    predict: Callable[[Any, Sequence[Any]], list[dict[str, list[Any]]]]
    probabilities: Callable[[Any, Sequence[Any]], list[dict[str, list[float]]]]
    best: dict[str, float] = field(default_factory=dict)  # what the best scores are that are not 100 per cent
    near: float = 1e-9  # how far from the best a score may be that only comes near it


TINY = {
    "tag": Tiny(
        examples=lambda count: corpus(count, seed=1),
        config={
            "lowercase": 0.0,
            "embedding": {
                "width": 12, "min_count": 1, "word_dropout": 0.0, "character_width": 6, "character_features": 12,
                "affix_width": 6, "dropout": 0.0,
            },
            "encoder": {"width": 12, "layers": 2, "dropout": 0.0},
        },
        predict=lambda task, examples: [p.labels for p in task.predict([e.tokens for e in examples])],
        probabilities=lambda task, examples: [p.probabilities for p in task.predict([e.tokens for e in examples])],
    ),
    "sentiment": Tiny(
        examples=lambda count: opinions(count, seed=1),
        config={
            "lowercase": 0.0,
            "embedding": {
                "width": 12, "min_count": 1, "word_dropout": 0.0, "character_width": 6, "character_features": 12,
                "affix_width": 6, "dropout": 0.0,
            },
            "encoder": {"width": 12, "layers": 2, "dropout": 0.0},
            "windows": {"size": 8, "overlap": 2},  # the longer texts have two windows or three
            "classifier": {"dropout": 0.0, "label_smoothing": 0.0, "pooling": ["last", "mean", "max", "attention"]},
        },
        predict=lambda task, examples: [
            {scheme: [label] for scheme, label in p.items()} for p in task.predict(words_of(task, examples))
        ],
        probabilities=lambda task, examples: by_example(task.probabilities(words_of(task, examples))),
    ),
    "translate": Tiny(
        examples=lambda count: pairs(count, seed=1, longest=6),
        config={
            "vectors": {"width": 48, "dropout": 0.0},
            "encoder": {"width": 48, "layers": 1, "dropout": 0.0},
            "decoder": {"width": 48, "dropout": 0.0},  # its cell is that of the encoder
            "teaching": {"label_smoothing": 0.0},
            # What is to be found is where to look, which takes more and smaller steps; irnn needs the most.
            "training": {"learning_rate": 0.005, "batch_tokens": 20},
        },
        predict=lambda task, examples: [
            {"words": one.translation.split()} for one in task.translate([e.source for e in examples])
        ],
        probabilities=lambda task, examples: [{"pieces": row} for row in pieces_of(task, examples)],
    ),
    "lm": Tiny(
        examples=lambda count: [abc(index) for index in range(count)],
        config={
            "text": {"unit": "characters", "min_count": 1},
            "embedding": {"width": 16, "hidden": 0.0, "dropout": 0.0},
            "encoder": {"width": 16, "layers": 1, "dropout": 0.0, "weight_dropout": 0.0, "bidirectional": True},
            "training": {"batch_tokens": 8, "unroll": 8, "evaluate_every": 0},
        },
        predict=lambda task, examples: [{"next": one.likeliest} for one in task.foretell(examples)],
        probabilities=lambda task, examples: [{"next": one.log_probabilities} for one in task.foretell(examples)],
        best={"perplexity": 1.0, "perplexity_backwards": 1.0, "bits_per_character": 0.0},
        near=1.0,  # a probability comes as near to 1 as one likes to train
    ),
}  # fmt: skip


def pieces_of(task: Any, examples: Sequence[Any]) -> list[list[float]]:
    """The log-probability of each target piece, given those before it."""
    items = [task.encode(example) for example in examples]
    told = task.told([item.source_ids for item in items], [item.target_ids for item in items])
    return [row_T.tolist() for _, row_T, _ in sorted(told, key=lambda one: one[0])]


def abc(index: int) -> str:
    """The alphabet goes on from line to line: what comes next, ends of lines too, follows from the letter before."""
    return ("a", "bcd", "efghi")[index % 3]


def words_of(task: Any, examples: Sequence[Any]) -> list[Sequence[str]]:
    return [task.tokens(example.text) for example in examples]


def by_example(scores: dict[str, torch.Tensor]) -> list[dict[str, list[float]]]:
    count = len(next(iter(scores.values())))
    return [{scheme: scores_NK[index].tolist() for scheme, scores_NK in scores.items()} for index in range(count)]


# No dropout, no averaging, no decay: the shortest way to remembering ten examples. Of four seeds the slowest cell,
# irnn, had done so after 37 of 80 epochs; 70 leave half as much again.
FAST = {"epochs": 70, "learning_rate": 0.02, "schedule": "linear", "average": 0.0, "weight_decay": 0.0, "patience": 0}

every_task = pytest.mark.parametrize("name", TASKS)
every_cell = pytest.mark.parametrize("cell", CELLS)


def make(name: str, cell: str, examples: Sequence[Any], seed: int = 0, **training: Any) -> tuple[Task, TrainingConfig]:
    tiny = TINY[name]
    settings = {**FAST, **tiny.config.get("training", {}), **training}
    values = {**tiny.config, "encoder": {**tiny.config["encoder"], "cell": cell}, "training": settings}
    config = build(TASKS[name].config_type, values)
    torch.manual_seed(seed)
    return TASKS[name].create(config, examples), config.training


_trained: dict[tuple[str, str], Task] = {}


def overfitted(name: str, cell: str) -> Task:
    """A task trained on ten examples, once for all tests of this file."""
    if (name, cell) not in _trained:
        examples = TINY[name].examples(10)
        task, settings = make(name, cell, examples)
        for _ in fit(Run(task, settings), [task.encode(e) for e in examples], examples):
            pass
        _trained[name, cell] = task
    return _trained[name, cell]


def test_every_task_is_here() -> None:
    assert set(TINY) == set(TASKS)
    assert all(kind.task == name for name, kind in TASKS.items())


@every_task
@every_cell
def test_it_overfits_ten_examples(name: str, cell: str) -> None:
    scores = overfitted(name, cell).score(TINY[name].examples(10))
    best = dict.fromkeys(scores, 100.0) | TINY[name].best
    assert scores == pytest.approx(best, rel=1e-9, abs=TINY[name].near)
    assert TASKS[name].main_score in scores


@every_task
@every_cell
def test_it_reloads_to_identical_outputs(name: str, cell: str, tmp_path: Path) -> None:
    task, examples = overfitted(name, cell), TINY[name].examples(10)
    round_weights(task.network)
    save(task, tmp_path / "it", Manifest(format=FORMAT, task=name), "")
    loaded, _ = load_task(tmp_path / "it")
    assert TINY[name].predict(loaded, examples) == TINY[name].predict(task, examples)
    assert TINY[name].probabilities(loaded, examples) == TINY[name].probabilities(task, examples)
    assert loaded.score(examples) == task.score(examples)


@every_task
@every_cell
def test_every_trainable_parameter_gets_a_gradient(name: str, cell: str) -> None:
    examples = TINY[name].examples(10)
    task, _ = make(name, cell, examples)
    task.network.train()
    losses = task.losses(task.collate([task.encode(e) for e in examples]))
    torch.stack([total for total, _ in losses.values()]).sum().backward()
    dead = [
        parameter
        for parameter, weight in task.network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.abs().sum() > 0)
    ]
    assert dead == []
    assert all(weight.grad.isfinite().all() for weight in task.network.parameters() if weight.grad is not None)


@every_task
@every_cell
def test_it_predicts_the_same_in_a_batch_as_alone(name: str, cell: str) -> None:
    task, examples = overfitted(name, cell), TINY[name].examples(40)
    assert len({task.length(task.encode(example)) for example in examples}) > 2  # so there is padding in the batch
    alone = [TINY[name].predict(task, [example])[0] for example in examples]
    assert TINY[name].predict(task, examples) == alone
    assert TINY[name].predict(task, examples[::-1]) == alone[::-1]
    together = TINY[name].probabilities(task, examples)
    for index, example in enumerate(examples):
        for column, values in TINY[name].probabilities(task, [example])[0].items():
            assert together[index][column] == pytest.approx(values, rel=1e-5, abs=1e-5)  # sums in another order


@every_task
@every_cell
def test_the_loss_of_a_batch_is_the_sum_of_its_parts(name: str, cell: str) -> None:
    """So neither padding nor the size of a batch changes it."""
    examples = TINY[name].examples(12)
    task, _ = make(name, cell, examples)
    task.network.eval()
    items = [task.encode(e) for e in examples]
    whole = task.losses(task.collate(items))
    parts = [task.losses(task.collate([item])) for item in items]
    for column, (total, count) in whole.items():
        assert count == sum(part[column][1] for part in parts)
        assert total.item() == pytest.approx(sum(part[column][0].item() for part in parts), rel=1e-5)


@every_task
@every_cell
def test_it_resumes(name: str, cell: str) -> None:
    """Stopped after its third epoch and taken up by a fresh object, a run ends with the very same weights."""
    examples = TINY[name].examples(10)
    ends = []
    for stop in (None, 3):
        task, settings = make(name, cell, examples, epochs=5, average=0.9)
        run = Run(task, settings)
        reports = fit(run, [task.encode(e) for e in examples], examples)
        if stop:
            for progress in reports:
                if progress.scores is not None and progress.epoch == stop:
                    break
            tensors, plain = run.state()
            kept = {name: value.clone() for name, value in tensors.items()}
            task, settings = make(name, cell, examples, seed=99, epochs=5, average=0.9)
            run = Run(task, settings)
            run.restore(kept, plain)
            reports = fit(run, [task.encode(e) for e in examples], examples)
        scores = [p.scores for p in reports if p.scores is not None]
        ends.append((task.network.state_dict(), scores[-1], run.step))
    (one, *rest), (other, *others) = ends
    assert rest == others
    assert all(torch.equal(one[key], other[key]) for key in one)
