"""The weights of a checkpoint as NumPy arrays, each taken by its name and the shape that it must have."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open

from nlpseq.errors import TrustError

Array = np.ndarray[Any, Any]
KNOWN = {"F16", "F32", "F64", "BOOL", "I8", "I32"}  # as safetensors calls them


class NotLight(Exception):  # noqa: N818  it is none
    """What is asked for is not done here; torch does it. No failure: nobody is told."""


class Table:
    """Rows of numbers as they are stored; where there are scales, one a row, whole numbers to be multiplied by them."""

    def __init__(self, numbers: Array, scales: Array | None) -> None:
        self.numbers, self.scales = numbers, scales

    def __getitem__(self, rows: Array) -> Array:
        """Some rows (..., D), float32."""
        found: Array = self.numbers[rows].astype(np.float32, copy=False)
        return found if self.scales is None else found * self.scales[rows].astype(np.float32)[..., None]

    def single(self, places: Array) -> Array:
        """Some numbers (...), float32, by their places in the rows one after the other."""
        found: Array = self.numbers.reshape(-1)[places].astype(np.float32, copy=False)
        if self.scales is None:
            return found
        scaled: Array = found * self.scales[places // self.numbers.shape[1]].astype(np.float32)
        return scaled


class Weights:
    """The weights of a file, as a context.

    Whoever knows a network's settings takes one weight after the other. Nothing is allocated before its shape was
    compared with the file's header, and what is left over at the end was not meant for that network: both raise
    TrustError, with the sentences of `checkpoint.py`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stored = _opened(path)
        except SafetensorError as error:
            raise self._unreadable(error) from None
        self._left = set(self._stored.keys())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._left:
            raise self._alone(min(self._left))

    def matrix(self, name: str, *shape: int) -> Array:
        """A weight of floating-point numbers as float32."""
        return self.stored(name, *shape).astype(np.float32, copy=False)

    def stored(self, name: str, *shape: int) -> Array:
        """A weight of floating-point numbers in the type that is stored, for tables of which a few rows are read."""
        array = self._taken(name, shape)
        if array.dtype in (np.bool_, np.int8, np.int32):
            raise TrustError(f"{self.path}: does not fit its config.json: weight {name!r} has another type.")
        if not _all_finite(array):
            raise TrustError(f"{self.path}: weight {name!r} has a value that is no number, or too large for float16.")
        return array

    def table(self, name: str, rows: int, width: int, *, eight_bit: bool) -> Table:
        """A table of which a few rows are read at once."""
        if not eight_bit:
            return Table(self.stored(name, rows, width), None)
        numbers = self._taken(name, (rows, width))
        if numbers.dtype != np.int8:
            raise TrustError(f"{self.path}: does not fit its config.json: weight {name!r} has another type.")
        return Table(numbers, self.stored(f"{name}.scales", rows))

    def flags(self, name: str, *shape: int) -> Array:
        """A weight of booleans."""
        array = self._taken(name, shape)
        if array.dtype != np.bool_:
            raise TrustError(f"{self.path}: does not fit its config.json: weight {name!r} has another type.")
        return array

    def whole_numbers(self, name: str, *shape: int) -> Array:
        """A weight of whole numbers of 32 bits."""
        array = self._taken(name, shape)
        if array.dtype != np.int32:
            raise TrustError(f"{self.path}: does not fit its config.json: weight {name!r} has another type.")
        return array

    def _taken(self, name: str, shape: tuple[int, ...]) -> Array:
        if name not in self._left:
            raise self._alone(name)
        self._left.remove(name)
        try:
            header = self._stored.get_slice(name)
            if tuple(header.get_shape()) != shape:
                raise TrustError(f"{self.path}: does not fit its config.json: weight {name!r} has another shape.")
            if header.get_dtype() not in KNOWN:
                raise NotLight(f"{name} is stored as {header.get_dtype()}")
            array: Array = self._stored.get_tensor(name)
        except SafetensorError as error:
            raise self._unreadable(error) from None
        return array

    def _alone(self, name: str) -> TrustError:
        return TrustError(f"{self.path}: does not fit its config.json: weight {name!r} is in one of them alone.")

    def _unreadable(self, error: SafetensorError) -> TrustError:
        return TrustError(f"{self.path}: cannot be read as safetensors: {error}.")


def _opened(path: Path) -> Any:
    return safe_open(path, framework="numpy")


def _all_finite(array: Array) -> bool:
    if array.dtype != np.float16:
        return bool(np.isfinite(array).all())
    return not bool(((array.view(np.uint16) & 0x7C00) == 0x7C00).any())  # four times as fast: all ones in the exponent
