"""Scripts that are written without spaces between words, and what stands in for a count of their words."""

from __future__ import annotations

import re

CHARACTERS_A_WORD = 2  # of Chinese and Japanese; words of Thai and its neighbours are longer

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_OTHERS = (  # Thai, Lao, Tibetan, Burmese, Khmer, Tai Le to Tai Lue, Tai Tham, Balinese, Yi, Javanese, more Burmese
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua000-\ua4cf"
    "\ua980-\ua9ff\uaa60-\uaa7f"
)
_SPACELESS = re.compile(f"[{_HAN}{_KANA}{_OTHERS}]")
_IS_HAN = re.compile(f"[{_HAN}]")


def spaceless(text: str) -> int:
    """Number of characters of scripts that have no spaces between words."""
    return len(_SPACELESS.findall(text))


def han(text: str) -> int:
    """Number of Chinese characters."""
    return len(_IS_HAN.findall(text))


def word_count(text: str) -> int:
    """Number of words: what stands between spaces, and one more for each CHARACTERS_A_WORD spaceless characters."""
    return len(text.split()) + spaceless(text) // CHARACTERS_A_WORD
