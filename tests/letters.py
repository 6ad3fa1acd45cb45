"""A synthetic language: each letter of the source becomes its capital, in the same order or backwards.

So the words are a table of ten, and what is to be learnt is where to look.
"""

from __future__ import annotations

import random

from nlpseq.records import SentencePair

LETTERS = "abcdefghij"


def pair(chance: random.Random, order: str = "copy", longest: int = 9) -> SentencePair:
    source = chance.sample(LETTERS, chance.randint(4, longest))  # BLEU wants four words; none comes twice
    target = [letter.upper() for letter in (source if order == "copy" else source[::-1])]
    return SentencePair(source=" ".join(source), targets=(" ".join(target),))


def pairs(count: int, seed: int, order: str = "copy", longest: int = 9) -> list[SentencePair]:
    chance = random.Random(seed)
    return [pair(chance, order, longest) for _ in range(count)]
