"""What every task offers: to the training loop, to the checkpoint, and to the contract tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor, nn


class Task(Protocol):
    """A model of one task with its settings and vocabularies.

    An example is a record (see `records.py`), an item the same in ids, a batch several items padded together.
    """

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

    def encode(self, example: Any) -> Any:
        """One example as an item."""

    def taught(self, items: Sequence[Any], examples: Sequence[Any], teachers: Sequence[Any]) -> list[Any]:
        """The items with what other models of the task say of their examples, to be learnt from beside the labels."""

    def length(self, item: Any) -> int:
        """Tokens of one item, in which batches and speed are counted."""

    def source_length(self, item: Any) -> int:
        """Tokens of what is read before an item is written; 0 where an item is one sequence alone."""

    def collate(self, items: Sequence[Any]) -> Any:
        """A batch of items."""

    def losses(self, batch: Any) -> dict[str, tuple[Tensor, int]]:
        """Summed losses (nats) by name, with the number of labels each sums over."""

    def score(self, examples: Sequence[Any]) -> dict[str, float]:
        """Scores in per cent, `main_score` among them."""

    def calibrate(self, examples: Sequence[Any]) -> None:
        """Fits what comes after the weights, such as temperatures, on development examples; the scores stay."""

    def to_plain(self) -> dict[str, Any]:
        """Plain values (or bytes) of the vocabularies, by the file below the checkpoint's `text/` that holds them."""

    @classmethod
    def from_plain(cls, config: Any, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_plain`, with fresh weights."""
