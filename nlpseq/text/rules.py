"""spaCy's tokenizer rules of a language as data, and its algorithm over them, in Python.

It spares the import of spaCy, which takes half a second and brings torch.

The algorithm is the one that spaCy documents (https://spacy.io/usage/linguistic-features#how-tokenizer-works): what is
no special case loses prefixes and suffixes, one at a time, until nothing more comes off; what is left is a special
case, an address, or is cut at infixes; in the end special cases that the cuts made are put together again.

Rules are taken from the spaCy that is installed when a model is trained, and kept in its checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from nlpseq.errors import TrustError

NAME = "tokenizer"  # of the rules among what a task keeps in a checkpoint
_CLASS = re.compile(r"\\.|\[(\^?)((?:\\.|[^\]\\])+)\]", re.DOTALL)  # an escape, or a class of characters
_ONE = r"(\\U[\da-fA-F]{8}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\.|[^\\])"
_MEMBER = re.compile(f"{_ONE}(?:-{_ONE})?", re.DOTALL)  # of a class: a character, or a range


class Patterns(msgspec.Struct, frozen=True):
    """Regular expressions: what comes off the beginning and the end, what is cut within, what is whole."""

    prefix: str
    suffix: str
    infix: str
    url: str

    def for_ascii(self) -> Patterns:
        """Patterns that do the same on ASCII text, and are compiled much faster."""
        return Patterns(*(_CLASS.sub(_ascii_class, pattern) for pattern in msgspec.structs.astuple(self)))


class Compiled(NamedTuple):
    """The patterns of `Patterns`, compiled."""

    prefix: re.Pattern[str]
    suffix: re.Pattern[str]
    infix: re.Pattern[str]
    url: re.Pattern[str]


class Rules(msgspec.Struct, frozen=True, dict=True):
    """The rules of one language.

    `specials` has the words of each special case. `phrases` are the special cases that rules would cut, as the words
    that they would be cut into: wherever these words stand side by side, the special case is meant.
    """

    patterns: Patterns
    ascii: Patterns
    specials: dict[str, tuple[str, ...]]
    phrases: tuple[tuple[str, ...], ...] = ()

    def split(self, stretch: str) -> list[str]:
        """The words of a stretch without white space; joined, they are the stretch."""
        known = self.specials.get(stretch)
        if known is not None:
            return self._mended(list(known))
        return self._mended(cut(stretch, self._compiled(stretch), self.specials))

    def _compiled(self, stretch: str) -> Compiled:
        return self._of_ascii if stretch.isascii() else self._of_all

    @cached_property
    def _of_ascii(self) -> Compiled:
        return compiled(self.ascii)

    @cached_property
    def _of_all(self) -> Compiled:
        return compiled(self.patterns)

    @cached_property
    def _phrases(self) -> dict[str, list[tuple[str, ...]]]:
        """The phrases by their first word."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for phrase in self.phrases:
            found.setdefault(phrase[0], []).append(phrase)
        return found

    def _mended(self, words: list[str]) -> list[str]:
        """The words with the phrases among them replaced; of those that overlap, the longest, then the first, counts.

        As in spaCy, one that gives way to another still keeps a third that overlaps with it from its place.
        """
        if self._phrases.keys().isdisjoint(words):
            return words
        matches = [
            (start, start + len(phrase))
            for start, word in enumerate(words)
            for phrase in self._phrases.get(word, ())
            if tuple(words[start : start + len(phrase)]) == phrase
        ]
        taken: set[int] = set()
        chosen: dict[int, int] = {}
        for start, end in sorted(matches, key=lambda match: (match[0] - match[1], match[0])):
            if start not in taken and end - 1 not in taken:
                chosen[start] = end
            taken.update(range(start, end))
        result: list[str] = []
        at = 0
        while at < len(words):
            end = chosen.get(at, at + 1)
            result += self.specials["".join(words[at:end])] if at in chosen else words[at:end]
            at = end
        return result


def cut(text: str, patterns: Compiled, specials: Mapping[str, Sequence[str]]) -> list[str]:
    """The words of a stretch, as spaCy's `_split_affixes` and `_attach_tokens` find them."""
    before: list[str] = []
    behind: list[str] = []
    while text and text not in specials:
        found = patterns.prefix.search(text)
        first = found.end() - found.start() if found else 0
        if first and text[first:] in specials:
            before.append(text[:first])
            text = text[first:]
            break
        found = patterns.suffix.search(text[first:])
        last = found.end() - found.start() if found else 0
        if last and text[:-last] in specials:
            behind.append(text[-last:])
            text = text[:-last]
            break
        if not first and not last:
            break
        before += [text[:first]] if first else []
        behind += [text[len(text) - last :]] if last else []
        text = text[first : len(text) - last]
    return [*before, *_middle(text, patterns, specials), *reversed(behind)]


def _middle(text: str, patterns: Compiled, specials: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The words of what has neither prefix nor suffix any more."""
    if not text or text in specials:
        return specials.get(text, ())
    if patterns.url.match(text):
        return (text,)
    words: list[str] = []
    at = 0
    for match in patterns.infix.finditer(text):
        if match.start():  # an infix at the very beginning is none
            words += [word for word in (text[at : match.start()], match[0]) if word]
            at = match.end()
    return [*words, text[at:]] if text[at:] else words


def _ascii_class(match: re.Match[str]) -> str:
    """A class of characters without those that are not ASCII; escapes stay."""
    if match[2] is None:
        return match[0]
    kept = (_ascii_member(*member.groups()) for member in _MEMBER.finditer(match[2]))
    inside = "".join(dict.fromkeys(kept))  # each once: of "||" in a class Python's re warns
    if inside:
        return f"[{match[1]}{inside}]"
    return r"[\s\S]" if match[1] else "(?!)"


def _ascii_member(first: str, last: str | None) -> str:
    if not _is_ascii(first):
        return ""
    if last is None:
        return first
    return f"{first}-{last}" if _is_ascii(last) else f"{first}-\x7f"


def _is_ascii(member: str) -> bool:
    """Whether a member of a class, written as itself or as a numbered escape, is ASCII."""
    return int(member[2:], 16) < 128 if member[:2] in {"\\U", "\\u", "\\x"} else member.isascii()


def compiled(patterns: Patterns) -> Compiled:
    """The patterns, ready to be used. Raises TrustError where they are none."""
    try:
        return Compiled(*(re.compile(pattern) for pattern in msgspec.structs.astuple(patterns)))
    except re.error as error:
        raise TrustError(f"text/{NAME}.json: holds what is no regular expression: {error}.") from None


def plain_rules(rules: Rules | None) -> dict[str, Any]:
    """What a checkpoint keeps of the rules, by name; nothing where there are none."""
    return {} if rules is None else {NAME: msgspec.to_builtins(rules)}


def read_rules(plain: Mapping[str, Any]) -> Rules | None:
    """The inverse of `plain_rules`. Raises ValueError for what is none."""
    if NAME not in plain:
        return None
    rules = msgspec.convert(plain[NAME], Rules)
    if any("".join(words) != text for text, words in rules.specials.items()):
        raise ValueError(f"{NAME}: the words of a special case do not spell it")
    return rules


def rules_from_spacy(nlp: Any) -> Rules | None:
    """The rules of spaCy's blank pipeline of a language; None where its tokenizer is more than rules."""
    from spacy.symbols import ORTH

    tokenizer = nlp.tokenizer
    if type(tokenizer).__name__ != "Tokenizer" or tokenizer.token_match or not tokenizer.faster_heuristics:
        return None
    searches = (tokenizer.prefix_search, tokenizer.suffix_search, tokenizer.infix_finditer, tokenizer.url_match)
    patterns = Patterns(*(search.__self__.pattern for search in searches))
    specials = {
        text: tuple(word[ORTH] for word in words)
        for text, words in sorted(tokenizer.rules.items())
        if not any(character.isspace() for character in text)
    }
    ready = compiled(patterns)
    phrases = [tuple(cut(text, ready, {})) for text in specials if _is_cut(text, ready)]
    return Rules(patterns, patterns.for_ascii(), specials, tuple(phrases))


def _is_cut(text: str, patterns: Compiled) -> bool:
    """Whether a special case has an affix or an infix, so that spaCy looks for it among words that were cut."""
    return any(pattern.search(text) for pattern in patterns[:3])
