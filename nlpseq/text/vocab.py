"""A vocabulary: symbols and their ids, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

PADDING, UNKNOWN = 0, 1


class Vocabulary:
    """An immutable list of symbols, each with the id of its place.

    `reserved` ids come first (by default 0 for padding and 1 for what is unknown); the symbols follow. A vocabulary of
    labels has no reserved ids.
    """

    def __init__(self, symbols: Iterable[str], *, reserved: int = 2) -> None:
        self.symbols: tuple[str, ...] = tuple(symbols)
        if not set(map(type, self.symbols)) <= {str}:
            raise TypeError("a symbol of a vocabulary is no string")
        self.reserved = reserved
        self._ids = dict(zip(self.symbols, range(reserved, reserved + len(self.symbols)), strict=True))
        assert len(self._ids) == len(self.symbols), "symbols of a vocabulary are distinct"

    @classmethod
    def counted(cls, counts: Mapping[str, int], *, min_count: int = 1, reserved: int = 2) -> Vocabulary:
        """The symbols seen at least `min_count` times, most frequent first, ties in code-point order."""
        kept = [symbol for symbol, count in counts.items() if count >= min_count]
        return cls(sorted(kept, key=lambda symbol: (-counts[symbol], symbol)), reserved=reserved)

    def __len__(self) -> int:
        """Number of ids, the reserved ones included."""
        return self.reserved + len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._ids

    def id(self, symbol: str) -> int:
        """The id of `symbol`; UNKNOWN where it has none. Raises KeyError in a vocabulary without reserved ids."""
        return self._ids.get(symbol, UNKNOWN) if self.reserved else self._ids[symbol]

    def ids(self, symbols: Sequence[str]) -> list[int]:
        """The ids of several symbols."""
        ids = self._ids
        if not self.reserved:
            return [ids[symbol] for symbol in symbols]
        return [ids.get(symbol, UNKNOWN) for symbol in symbols]

    def symbol(self, index: int) -> str:
        """The symbol with id `index`, which is not a reserved one."""
        return self.symbols[index - self.reserved]
