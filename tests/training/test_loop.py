from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
import torch

from nlpseq.batching import batch_budget
from nlpseq.errors import DataError
from nlpseq.records import Progress
from nlpseq.tasks.tagging import Tagger
from nlpseq.training import loop
from nlpseq.training.loop import DivergenceError, Run, fit
from tests.examples import corpus
from tests.taggers import small

TRAIN, DEV = corpus(30, seed=1), corpus(10, seed=2)
TIMES = {"items_per_second", "seconds", "seconds_left"}  # what two runs of the same steps may tell differently


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports come by the clock; so that runs can be compared, one comes with every step."""
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)


def begin(seed: int = 1, **training: Any) -> Run:
    config = small(training={"epochs": 2, "seed": seed, "batch_tokens": 60, **training})
    torch.manual_seed(seed)
    return Run(Tagger.create(config, TRAIN), config.training)


def going(run: Run, **options: Any) -> Iterator[Progress]:
    return fit(run, [run.task.encode(e) for e in TRAIN], DEV, **options)


def told(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in progress.__struct_fields__ if name not in TIMES}


def end(run: Run) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in run.task.network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"average": 0.0},
        {"evaluate_every": 2, "schedule": "linear", "patience": 3},
    ],
    ids=["adamw", "sgd", "no average", "evaluations between"],
)
def test_a_run_taken_up_after_any_report_is_the_uninterrupted_one(settings: dict[str, Any]) -> None:
    """Bit for bit: the same reports from there on, and the same weights at the end."""
    whole_run = begin(**settings)
    states: list[Any] = []
    whole: list[Progress] = []
    for progress in going(whole_run):
        whole.append(progress)
        tensors, plain = whole_run.state()
        states.append(({name: value.clone() for name, value in tensors.items()}, dict(plain)))
        torch.rand(3)  # what others draw meanwhile is none of its business
    assert len(whole) > 4
    assert len([p for p in whole if p.scores]) >= 2
    for index in range(len(whole)):
        run = begin(**settings)
        torch.manual_seed(index)
        with torch.no_grad():
            for weight in run.task.network.parameters():
                weight.zero_()  # everything comes from the state
        run.restore(*states[index])
        rest = [told(progress) for progress in going(run)]
        assert rest == [told(progress) for progress in whole[index + 1 :]]
        assert same(end(run), end(whole_run))
        assert run.best_scores == whole_run.best_scores


def test_a_seed_decides_everything_and_another_seed_something_else() -> None:
    ends = []
    for seed, drawn in ((1, 3), (1, 5), (2, 3)):
        run = begin(seed=seed)
        torch.manual_seed(drawn)  # the state of the world outside does not matter
        ends.append(([told(p) for p in going(run)], end(run)))
    assert ends[0][0] == ends[1][0]
    assert same(ends[0][1], ends[1][1])
    assert ends[0][0] != ends[2][0]
    assert not same(ends[0][1], ends[2][1])


def test_the_random_numbers_of_others_are_left_alone() -> None:
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    run = begin()
    torch.manual_seed(7)
    list(going(run))
    assert torch.equal(torch.rand(3), wanted)


def test_who_draws_between_reports_draws_their_own_and_changes_nothing() -> None:
    torch.manual_seed(7)
    wanted = [torch.rand(3) for _ in range(3)]
    quiet, drawing = begin(), begin()
    list(going(quiet))
    torch.manual_seed(7)
    reports = going(drawing)
    for numbers in wanted:
        next(reports)
        assert torch.equal(torch.rand(3), numbers)
    list(reports)
    assert same(end(quiet), end(drawing))


def test_weights_are_those_of_training_when_an_evaluation_fails() -> None:
    run = begin(average=0.9)
    reports = going(run)
    next(reports)
    before = end(run)
    with suppress(ZeroDivisionError), run.averaged():
        assert not same(end(run), before)
        raise ZeroDivisionError
    assert same(end(run), before)


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(DataError, match="no training example"):
        next(fit(begin(), [], DEV))


def test_reports_tell_how_far_it_is() -> None:
    run = begin()
    reports = list(going(run))
    assert [p.step for p in reports] == list(range(1, len(reports) + 1))
    epochs = [p.epoch for p in reports]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 2.0
    evaluated = [p for p in reports if p.scores is not None]
    assert [p.epoch for p in evaluated] == [1.0, 2.0]
    assert all(p.loss > 0 and p.gradient_norm > 0 and p.items_per_second > 0 for p in reports)
    assert evaluated[0].best
    assert sum(p.best for p in reports) >= 1
    assert all(not p.best for p in reports if p.scores is None)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_best_weights_are_in_the_network_at_the_end(average: float, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(epochs=4, average=average, patience=0)
    given = iter([20.0, 50.0, 30.0, 40.0])
    scored: list[dict[str, torch.Tensor]] = []

    def score(_: object) -> dict[str, float]:
        scored.append(end(run))
        return {"mean": next(given)}

    monkeypatch.setattr(run.task, "score", score)
    list(going(run))
    assert same(end(run), scored[1])
    assert not any(same(end(run), other) for other in (scored[0], scored[2], scored[3]))
    assert run.best_scores == {"mean": 50.0}


def test_evaluation_is_of_the_averaged_weights_and_training_goes_on_with_the_others() -> None:
    run = begin(epochs=1, average=0.99, evaluate_every=2)
    for progress in going(run):
        if progress.scores:
            averages = [a.clone() for a in run.average.averages]
            live = end(run)
            run.average.swap()
            assert run.task.score(DEV) == progress.scores
            if progress.best:
                assert same(end(run), run.best)
            run.average.swap()
            assert same(end(run), live)
            assert all(torch.equal(a, b) for a, b in zip(averages, run.average.averages, strict=True))


def test_patience_ends_a_run_that_does_not_get_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PATIENT_STEPS", 0)
    given = [10.0, 20.0, 20.0, 15.0, 30.0, 30.0, 29.0, 30.0, 99.0]  # as good is kept, but no reason to go on
    scores = iter(given)
    run = begin(epochs=50, patience=3)
    monkeypatch.setattr(run.task, "score", lambda _: {"mean": next(scores)})
    found = [(p.scores["mean"], p.best) for p in going(run) if p.scores]
    assert found == list(zip(given[:8], [True, True, True, False, True, True, False, True], strict=True))


def test_no_run_ends_for_want_of_a_better_score_before_it_can_have_begun_to_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(epochs=50, patience=3)
    monkeypatch.setattr(run.task, "score", lambda _: {"mean": 1.0})
    steps = len(run.task.batches([run.task.encode(e) for e in TRAIN], 60, 1))
    monkeypatch.setattr(loop, "PATIENT_STEPS", 20 * steps - 1)  # within an epoch, which is run to its end
    assert len([p for p in going(run) if p.scores]) == 20
    assert run.step == 20 * steps


def test_without_patience_all_epochs_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(epochs=12, patience=0)
    monkeypatch.setattr(run.task, "score", lambda _: {"mean": 1.0})
    assert len([p for p in going(run) if p.scores]) == 12


class Clock:
    """Stands in for the time module; each look at it takes a tenth of a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.1
        return self.now


def test_a_time_limit_ends_it_with_an_evaluation_and_the_rate_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", Clock())
    run = begin(epochs=1000, learning_rate=0.01, warmup=0.1)
    reports = list(going(run, time_limit=20.0))
    assert 20 <= run.seconds < 20 + 2  # a step looks at the clock four times or so
    assert reports[-1].scores is not None
    assert run.best
    rates = [p.learning_rate for p in reports]
    assert max(rates) == pytest.approx(0.01, rel=0.05)
    assert rates[-1] < 0.0005  # the schedule followed the clock to its end
    lefts = [p.seconds_left for p in reports]
    assert lefts[-1] == 0
    assert all(left is not None and 0 <= left <= 20 for left in lefts)


@pytest.mark.parametrize("tenths", range(30, 40))
def test_it_ends_with_an_evaluation_wherever_the_limit_falls(tenths: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a step and its report, too: a report takes time itself."""
    monkeypatch.setattr(loop, "time", Clock())
    assert list(going(begin(epochs=1000), time_limit=tenths / 10 + 0.05))[-1].scores is not None


def test_a_time_limit_counts_over_resumed_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", Clock())
    run = begin(epochs=1000)
    reports = going(run, time_limit=10.0)
    for progress in reports:
        if progress.seconds > 6:
            break
    state = run.state()
    later = begin(epochs=1000)
    later.restore(*state)
    list(going(later, time_limit=10.0))
    assert 9 < later.seconds < 12  # the evaluations that end a run are within the limit
    before = later.step
    assert list(going(later, time_limit=10.0)) == []
    assert later.step == before


def test_the_time_of_the_evaluations_at_the_end_is_known_to_a_resumed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluation takes three seconds: at eleven of fifteen there is no time for the two that end a run, nor for one
    step more.
    """
    clock = Clock()
    monkeypatch.setattr(loop, "time", clock)
    run = begin(epochs=1000)
    score = run.task.score

    def slow(examples: Any) -> dict[str, float]:
        clock.now += 3
        return score(examples)

    monkeypatch.setattr(run.task, "score", slow)
    for progress in going(run):
        if progress.seconds > 11:
            break
    later = begin(epochs=1000)
    later.restore(*run.state())
    assert list(going(later, time_limit=15.0)) == []


def test_a_run_without_an_evaluation_ends_with_the_averaged_weights() -> None:
    """As one that is resumed when its time is over."""
    run = begin(epochs=1000, average=0.9)
    next(going(run))
    later = begin(epochs=1000, average=0.9)
    later.restore(*run.state())
    assert list(going(later, time_limit=run.seconds)) == []
    averages = [weight for weight in later.task.network.parameters() if weight.requires_grad]
    assert all(torch.equal(one, other) for one, other in zip(averages, run.average.averages, strict=True))
    assert not same(end(later), end(run))


def test_every_generator_that_is_drawn_from_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU has one of its own, of which dropout draws there; another of the processor stands for it here."""
    device = torch.Generator()
    monkeypatch.setattr(loop, "generators", lambda _: {"cpu": torch.default_generator, "cuda": device})
    drawn: list[list[float]] = [[], []]

    def drawing(number: int) -> Run:
        run = begin()
        losses = run.task.losses

        def draw(batch: Any) -> Any:
            drawn[number].append(torch.rand(1, generator=device).item())
            return losses(batch)

        monkeypatch.setattr(run.task, "losses", draw)
        return run

    run = drawing(0)
    reports = going(run)
    next(reports)
    tensors, plain = run.state()
    state = {name: value.clone() for name, value in tensors.items()}, dict(plain)
    list(reports)
    device.manual_seed(99)
    later = drawing(1)
    later.restore(*state)
    list(going(later))
    assert drawn[1] == drawn[0][1:]


def test_the_precision_stays_when_a_run_goes_on_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for here, there in ((True, False), (False, True)):
        monkeypatch.setattr(loop, "is_fast_on", lambda _, here=here: here)
        state = begin().state()
        monkeypatch.setattr(loop, "is_fast_on", lambda _, there=there: there)
        later = begin()
        assert later.mixed is there
        later.restore(*state)
        assert later.mixed is here


def test_the_loss_told_does_not_depend_on_padding() -> None:
    """A batch of one sentence and the same beside a longer one: the summed losses differ by the longer one's."""
    run = begin()
    run.task.network.eval()
    short, long = run.task.encode(TRAIN[0]), run.task.encode(max(TRAIN, key=lambda e: len(e.tokens)))
    both = run.task.losses(run.task.collate([short, long]))
    for column, (total, _) in both.items():
        apart = sum(run.task.losses(run.task.collate([item]))[column][0].item() for item in (short, long))
        assert total.item() == pytest.approx(apart, rel=1e-5)


def test_clipping_bounds_what_an_sgd_step_changes() -> None:
    """The first step of SGD with Nesterov momentum 0.9 moves by rate x 1.9 x gradient."""
    run = begin(optimizer="sgd", learning_rate=1.0, schedule="constant", warmup=0.0, clip_norm=0.01, weight_decay=0.0)
    before = end(run)
    progress = next(going(run))
    after = {name: weight for name, weight in end(run).items() if weight.is_floating_point()}
    moved = torch.cat([(weight - before[name]).flatten() for name, weight in after.items()])
    assert progress.gradient_norm > 0.01
    assert moved.norm().item() == pytest.approx(1.9 * 0.01, rel=1e-3)


def test_examples_without_any_learnt_label_do_not_stop_it() -> None:
    """As when one of several corpora has none of the columns: a batch may be made of such sentences alone."""
    mixed = [*corpus(3, seed=1, columns=("ner",)), *corpus(20, seed=2, columns=("upos",))]
    config = small(heads={"columns": ["ner"]}, training={"epochs": 1, "batch_tokens": 20})
    run = Run(Tagger.create(config, mixed), config.training)
    list(fit(run, [run.task.encode(e) for e in mixed], mixed))
    assert run.epoch == 1


@pytest.mark.parametrize(("tokens", "budget"), [(0, 120), (10_000, 120), (30_000, 200), (10**6, 1200), (10**9, 1200)])
def test_the_size_of_a_batch_by_that_of_the_corpus(tokens: int, budget: int) -> None:
    assert batch_budget(tokens) == budget


def test_a_report_comes_about_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_SECONDS", 1.0)
    monkeypatch.setattr(loop, "time", Clock())
    reports = [p for p in going(begin(epochs=2, batch_tokens=10)) if p.scores is None]
    assert reports
    gaps = [b.seconds - a.seconds for a, b in pairwise(reports)]
    assert all(gap >= 0.9 for gap in gaps)


def test_time_is_monotonic_time() -> None:
    assert loop.time is time


def test_a_training_that_diverges_says_so() -> None:
    config = {"optimizer": "sgd", "learning_rate": 1e9, "clip_norm": 0.0, "epochs": 5}
    with pytest.raises(DivergenceError, match=r"training\.learning_rate"):
        list(going(begin(**config)))
