"""Untrusted text on its way to a screen: the one place that knows which characters can do harm there.

These are the C0 and C1 controls (ESC among them), DEL, the line and paragraph separators, the bidirectional
embeddings, overrides and isolates, and lone surrogates. One character becomes one, so offsets hold.
"""

from __future__ import annotations

import re

_SEPARATORS = "\u2028\u2029"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_SEPARATORS}{_BIDI}\ud800-\udfff]")
_BREAKS = re.compile(f"[\t\n\x0b\x0c\r\x1c-\x1e\x85{_SEPARATORS}]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """`text` with each harmful character shown by a picture of it; line feeds and tabs stay."""
    return _HARMFUL.sub(_picture, text)


def one_line(text: str) -> str:
    """`text` with a space for each tab and for whatever some program takes for the end of a line."""
    return _BREAKS.sub(" ", text)


def escaped_json(json: str) -> str:
    """The same JSON with every harmful character written as an escape: only strings can hold one."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", json)


def without_surrogates(value: object) -> object:
    """A copy of a JSON-like value with U+FFFD for each lone surrogate, which UTF-8 cannot express."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_surrogates(item) for item in value]
    return value


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
