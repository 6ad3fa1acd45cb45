"""The training loop of every task. It yields reports; the caller saves and prints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from nlpseq.config import TrainingConfig
from nlpseq.errors import DataError, NlpseqError
from nlpseq.nn.precision import is_fast_on, mixed_precision
from nlpseq.records import Progress
from nlpseq.tasks import Task
from nlpseq.training.optimisation import MovingAverage, build_optimizer, clip, part_of_rate, rate_at
from nlpseq.training.randomness import generators, seeded, set_states, states_of

REPORT_SECONDS = 1.0
PATIENT_STEPS = 1000  # before which no run ends for want of a better score: it may take hundreds to begin to learn


class Run:
    """A training run: a task, its optimiser, and how far it has come. Its state can be taken and given back."""

    def __init__(self, task: Task, config: TrainingConfig) -> None:
        self.task, self.config = task, config
        self.optimizer = build_optimizer(task.network, config)
        self.average = MovingAverage(task.network, config.average) if config.average else None
        self.best: dict[str, Tensor] = {}
        self.epoch = self.position = self.step = self.evaluated = self.waited = 0
        self.seconds = self.evaluating = 0.0  # of all parts of the run; of its last evaluation
        self.best_score = float("-inf")
        self.best_scores: dict[str, float] = {}
        self.mixed = _mixed(self.device, config)
        self.generators = generators(self.device)
        self.random_states = seeded(self.generators, config.seed)

    COUNTERS = (
        "epoch", "position", "step", "evaluated", "waited", "seconds", "evaluating",
        "best_score", "best_scores", "mixed",
    )  # fmt: skip

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.task.network.parameters()).device

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest of the run depends on: tensors, and plain values."""
        tensors = {f"network/{name}": value for name, value in self.task.network.state_dict().items()}
        tensors |= {f"best/{name}": value for name, value in self.best.items()}
        for index, weight in enumerate(self._weights()):
            moments = self.optimizer.state.get(weight, {})
            tensors |= {f"optimizer/{index}/{k}": v for k, v in moments.items() if isinstance(v, Tensor)}
        if self.average:
            tensors |= {f"average/{index}": value for index, value in enumerate(self.average.averages)}
        tensors |= {f"carried/{name}": value for name, value in self.task.carried.items()}
        tensors |= {f"random/{kind}": value for kind, value in self.random_states.items()}
        return tensors, {name: getattr(self, name) for name in self.COUNTERS}

    def restore(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Takes up a state where `state` left it; the task must be the same one.

        The precision is that of the part before, whatever this processor would do by itself.
        """
        self.task.network.load_state_dict(_below(tensors, "network/"))
        self.best = _below(tensors, "best/")
        for index, weight in enumerate(self._weights()):
            moments = _below(tensors, f"optimizer/{index}/")
            if moments:
                self.optimizer.state[weight] = {name: value.to(weight.device) for name, value in moments.items()}
        if self.average:
            for index, value in enumerate(self.average.averages):
                value.copy_(tensors[f"average/{index}"])
        self.task.carried = {name: value.to(self.device) for name, value in _below(tensors, "carried/").items()}
        self.random_states |= _below(tensors, "random/")
        for name in self.COUNTERS:
            setattr(self, name, plain[name])

    def _weights(self) -> list[Tensor]:
        return [weight for group in self.optimizer.param_groups for weight in group["params"]]

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the network has the averaged weights, where there are any."""
        if self.average:
            self.average.swap()
        try:
            yield
        finally:
            if self.average:
                self.average.swap()

    @contextmanager
    def own_chance(self) -> Iterator[None]:
        """Within it random numbers are the run's; outside they are whoever else's draws them."""
        outside = states_of(self.generators)
        set_states(self.generators, self.random_states)
        try:
            yield
        finally:
            self.random_states = states_of(self.generators)
            set_states(self.generators, outside)

    def keep(self) -> None:
        """Takes the weights in the network for the best ones."""
        self.best = {name: value.clone() for name, value in self.task.network.state_dict().items()}

    def use_best(self) -> None:
        """Puts the weights of the best evaluation into the network; where there was none, the averaged ones."""
        if not self.best:
            with self.averaged():
                self.keep()
        self.task.network.load_state_dict(self.best)


def _mixed(device: torch.device, config: TrainingConfig) -> bool:
    """Whether steps multiply in bfloat16: where it is wanted, or fast."""
    if device.type not in {"cpu", "cuda"}:
        return False
    return config.precision == "bfloat16" or (config.precision == "auto" and is_fast_on(device.type))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def fit(run: Run, items: Sequence[Any], dev: Sequence[Any], *, time_limit: float | None = None) -> Iterator[Progress]:
    """Trains until the epochs, the patience or the time (seconds) are over, from wherever `run` stands.

    Yields a report about once a second and after each evaluation, when `run.state()` may be taken. With a time limit
    the schedule follows the clock where that is faster than the steps. At the end the best weights are in the network.
    Raises DataError where there are no items.
    """
    if not items:
        raise DataError("There is no training example.")
    reports = _reports(run, items, dev, time_limit)
    while True:
        with run.own_chance():
            report = next(reports, None)
        if report is None:
            break
        yield report
    run.use_best()


def _reports(run: Run, items: Sequence[Any], dev: Sequence[Any], time_limit: float | None) -> Iterator[Progress]:
    meter = Meter(run)
    while not _over(run) and not _late(run, time_limit):
        yield from _epoch(run, items, dev, meter, time_limit)


def _over(run: Run) -> bool:
    config = run.config
    tired = bool(config.patience) and run.waited >= config.patience and run.evaluated >= PATIENT_STEPS
    return run.epoch >= config.epochs or tired


def _late(run: Run, time_limit: float | None) -> bool:
    """Whether there is time left for no more than the two evaluations that end a run."""
    return time_limit is not None and run.seconds + 2 * run.evaluating >= time_limit


def _epoch(
    run: Run, items: Sequence[Any], dev: Sequence[Any], meter: Meter, time_limit: float | None
) -> Iterator[Progress]:
    config, task = run.config, run.task
    batches = task.batches(items, config.batch_tokens, config.seed * 10_007 + run.epoch)
    every = config.evaluate_every
    while run.position < len(batches) and not _over(run):
        done = (run.epoch + run.position / len(batches)) / config.epochs
        if time_limit is not None:
            done = max(done, min(1.0, (run.seconds + 2 * run.evaluating) / time_limit))
        batch = batches[run.position]
        loss, norm = _step(run, batch, rate_at(config, done))
        run.position += 1
        run.step += 1
        meter.add(loss, norm, sum(map(task.length, batch)))
        ended = run.position == len(batches) or _late(run, time_limit)
        if ended or meter.due() or (every and run.step % every == 0):
            meter.must_be_finite()
        if ended or (every and run.step % every == 0):
            if run.position == len(batches):
                run.epoch, run.position = run.epoch + 1, 0
            scores, best = _evaluate(run, dev)
            yield meter.report(len(batches), time_limit, scores, best)
            if ended:
                return
        elif meter.due():
            yield meter.report(len(batches), time_limit)


def _step(run: Run, batch: Sequence[Any], rate: float) -> tuple[Tensor, Tensor]:
    """One update; returns the loss a label and the norm of the gradients, still on the device."""
    run.task.network.train()
    for group in run.optimizer.param_groups:
        group["lr"] = rate * part_of_rate(group["depth"], run.epoch, run.config)
    run.optimizer.zero_grad(set_to_none=True)
    with mixed_precision(run.mixed):
        losses = run.task.losses(run.task.collate(batch)).values()
    if not losses:  # none of its examples has a label that is learnt
        return torch.zeros((), device=run.device), torch.zeros((), device=run.device)
    loss = torch.stack([total / count for total, count in losses]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = clip(run._weights(), run.config.clip_norm)
    run.optimizer.step()
    if run.average:
        run.average.update(run.step + 1)
    return loss.detach(), norm.detach()


def _evaluate(run: Run, dev: Sequence[Any]) -> tuple[dict[str, float], bool]:
    """Scores the averaged weights, and keeps them where none so far were better: of equal ones the last, which are the
    surest of what they say.
    """
    started, run.evaluated = time.monotonic(), run.step
    with run.averaged():
        scores = run.task.score(dev)
        score = scores[run.task.main_score]
        better, best = score > run.best_score, score >= run.best_score
        if best:
            run.best_score, run.best_scores = score, scores
            run.keep()
    run.waited = 0 if better else run.waited + 1
    run.evaluating = time.monotonic() - started
    return scores, best


class DivergenceError(NlpseqError):
    """A training whose numbers have grown beyond all bounds."""


class Meter:
    """Counts what a report tells: loss, gradient norm, speed, time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.before = run.seconds
        self.started = self.reported = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self.losses: list[Tensor] = []
        self.norm = torch.zeros(())
        self.tokens = 0

    def add(self, loss: Tensor, norm: Tensor, tokens: int) -> None:
        """Counts one step."""
        self.losses.append(loss)
        self.norm = norm
        self.tokens += tokens
        self.run.seconds = self.before + time.monotonic() - self.started

    def must_be_finite(self) -> None:
        """Raises DivergenceError where a loss since the last report is no number."""
        if self.losses and not bool(torch.stack(self.losses).isfinite().all()):
            raise DivergenceError(
                f"The loss is no number any more at step {self.run.step}: the training has diverged. Lower "
                "training.learning_rate, or let training.clip_norm be less."
            )

    def due(self) -> bool:
        """Whether a report is due."""
        return time.monotonic() - self.reported >= REPORT_SECONDS

    def report(
        self, batches: int, time_limit: float | None, scores: dict[str, float] | None = None, best: bool = False
    ) -> Progress:
        """A report of what was counted since the last one."""
        now, run = time.monotonic(), self.run
        speed = self.tokens / max(now - self.reported, 1e-9)
        run.seconds = self.before + now - self.started
        epoch = run.epoch + run.position / batches
        left = run.seconds * (run.config.epochs / max(epoch, 1e-9) - 1)
        loss = float(torch.stack(self.losses).mean()) if self.losses else 0.0
        report = Progress(
            step=run.step,
            epoch=epoch,
            loss=loss,
            items_per_second=speed,
            seconds=run.seconds,
            learning_rate=run.optimizer.param_groups[0]["lr"],
            gradient_norm=float(self.norm),
            scores=scores,
            best=best,
            seconds_left=left if time_limit is None else max(0.0, min(left, time_limit - run.seconds)),
        )
        self.reported = now
        self._clear()
        return report
