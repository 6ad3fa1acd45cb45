"""What every task offers: to the training loop, to the checkpoint, and to the contract tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor, nn


class Task(Protocol):
    """A model of one task with its settings and vocabularies.

    An example is a record (see `records.py`), an item the same in ids, a batch several items padded together. `carried`
    is what one batch leaves to the next of the epoch, by name, such as the states of long streams: empty where each
    batch stands by itself. It is part of a run's state.
    """

    carried: dict[str, Tensor]

    task: ClassVar[str]
    main_score: ClassVar[str]
    config_type: ClassVar[Any]

    @property
    def config(self) -> Any:
        """All settings."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""

    @classmethod
    def create(cls, config: Any, examples: Sequence[Any]) -> Self:
        """A fresh model with the vocabularies of the training examples."""

    def go_on(self, examples: Sequence[Any]) -> None:
        """Makes ready to learn these, with vocabularies and weights that came from a checkpoint: what `create` takes
        from its examples and from the files that settings name, beside those.

        Raises DataError where such a file is missing.
        """

    def encode(self, example: Any) -> Any:
        """One example as an item."""

    def kept(self, items: Iterable[Any], folder: Path) -> Sequence[Any]:
        """The items of all training examples: in memory, or where they may be too many, in files below `folder`."""

    def taught(self, items: Sequence[Any], examples: Sequence[Any], teachers: Sequence[Any]) -> list[Any]:
        """The items with what other models of the task say of their examples, to be learnt from beside the labels.

        These models have the same labels, of which whoever loads them makes sure: `teachers.must_share_labels`.
        """

    def length(self, item: Any) -> int:
        """Tokens of one item, in which batches and speed are counted."""

    def batches(self, items: Sequence[Any], budget: int, seed: int) -> Sequence[Sequence[Any]]:
        """The items of each batch of one epoch, about `budget` tokens each; 0: by the size of the corpus.

        The same seed gives the same batches, whatever was drawn elsewhere.
        """

    def collate(self, items: Sequence[Any]) -> Any:
        """A batch of items."""

    def losses(self, batch: Any) -> dict[str, tuple[Tensor, int]]:
        """Summed losses (nats) by name, with the number of labels each sums over."""

    def score(self, examples: Sequence[Any]) -> dict[str, float]:
        """Scores, in per cent where their names do not say otherwise; of `main_score`, the higher is the better."""

    def calibrate(self, examples: Sequence[Any]) -> None:
        """Fits what comes after the weights, such as temperatures, on development examples."""

    def to_plain(self) -> dict[str, Any]:
        """Plain values (or bytes) of the vocabularies, by the file below the checkpoint's `text/` that holds them."""

    @classmethod
    def from_plain(cls, config: Any, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_plain`, with fresh weights."""
