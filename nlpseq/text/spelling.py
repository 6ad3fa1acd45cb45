"""Words back into text: where a space stands between them, and where not."""

from __future__ import annotations

from collections.abc import Sequence

_CLOSING = frozenset(".,;:!?)]}%…”’»") | {"...", "'s", "’s", "n't", "n’t", "'re", "'ve", "'ll", "'m", "'d", "''"}
_CLOSING |= {mark.replace("'", "’") for mark in _CLOSING if mark.startswith("'")}
_OPENING = frozenset("([{$£€#“‘«") | {"``"}
_QUOTES = frozenset("\"'")
_JOINING = frozenset("-/")  # alone between words, mostly within what is written as one: Secretary-General, and/or


def spelt(words: Sequence[str]) -> str:
    """Words as English spells them, each space told by what came before: more words never change the text so far."""
    parts: list[str] = []
    opened: set[str] = set()
    joined = True  # whether the next word follows without a space
    for word in words:
        closes = word in _CLOSING or word in _JOINING or word.lower() in _CLOSING or word in opened
        parts.append(word if joined or closes else f" {word}")
        joined = word in _OPENING or word in _JOINING or (word in _QUOTES and word not in opened)
        if word in _QUOTES:
            opened ^= {word}
    return "".join(parts)
