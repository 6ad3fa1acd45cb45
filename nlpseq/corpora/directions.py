"""Languages, directions of translation, and what the suffixes of files say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nlpseq.corpora.files import content_name
from nlpseq.errors import UsageError

_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka "
    "kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng "
    "nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su "
    "sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
CODES = frozenset(_ISO_639_1.split())
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_TAG = re.compile(r"[a-z]{2,3}([-_]([A-Z]{2}|[A-Z][a-z]{3}|\d{3}))*")  # with regions and scripts as BCP 47 writes them
_NONE: tuple[str, ...] = ()


class Direction(NamedTuple):
    """The language that is translated, and the one it is translated into: codes such as `en` and `fr`."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"

    @property
    def reverse(self) -> Direction:
        """The way back."""
        return Direction(self.target, self.source)

    @classmethod
    def parse(cls, text: str) -> Direction:
        """`en-fr`, or with regions `pt-BR-en`. Raises UsageError for anything else."""
        dashes = [match.start() for match in re.finditer("-", text)]
        cuts = [(text[:dash], text[dash + 1 :]) for dash in dashes]
        found = [cut for cut in cuts if all(map(_TAG.fullmatch, cut))]
        if len(found) != 1 or found[0][0] == found[0][1]:
            raise UsageError(f"{text!r} is no direction; write two languages, as in en-fr or pt-BR-en.")
        return cls(*found[0])

    @classmethod
    def between(cls, source: str, target: str) -> Direction:
        """From one language to another. Raises UsageError where they are no codes of languages, or the same."""
        for language in (source, target):
            if not is_language(language):
                raise UsageError(f"{language!r} is no code of a language; write it as en, fr or pt-BR.")
        if source == target:
            raise UsageError(f"A translation from {source} to {target} is none. Name two languages.")
        return cls(source, target)

    def must_be(self, other: Direction, where: str) -> None:
        """Raises UsageError where what `where` names is of another direction than this one."""
        if not all(map(alike, self, other)):
            raise UsageError(_contradiction(where, f"is {other}", self))


def is_language(text: str) -> bool:
    """Whether it is written as codes of languages are; not whether there is such a language."""
    return _LANGUAGE.fullmatch(text) is not None


def is_known(text: str) -> bool:
    """Whether it is a code of ISO 639-1, perhaps with a region or a script: `en`, `pt-BR`."""
    return is_language(text) and re.split("[-_]", text)[0] in CODES


def direction_among(names: Sequence[str]) -> Direction | None:
    """The direction that headings or keys name, in their order: two of them, and no more, are known languages."""
    found = [name for name in names if is_known(name.lower() if name.isupper() else name)]
    return Direction(found[0], found[1]) if len(found) == 2 and found[0] != found[1] else None


def language_of(path: str | Path, known: Sequence[str] = _NONE) -> str | None:
    """The language that a file's suffix names: `fr` of `mine.fr.gz` or `mine.fr.txt`; of ISO 639-1, or of `known`."""
    name = Path(content_name(path))
    suffix = Path(name.stem if name.suffix == ".txt" else name).suffix.removeprefix(".")
    return suffix if is_known(suffix) or suffix in known else None


def direction_of(paths: Sequence[str | Path], known: Sequence[str] = _NONE) -> Direction | None:
    """The direction that the suffixes of parallel files name, `mine.en mine.fr`; None where they name none."""
    languages = [language_of(path, known) for path in paths[:2]]
    if len(languages) == 2 and languages[0] and languages[1] and languages[0] != languages[1]:
        return Direction(languages[0], languages[1])
    return None


def in_direction(paths: Sequence[str | Path], direction: Direction | None) -> Sequence[str | Path]:
    """Parallel files, sources first: two whose suffixes name the direction the other way round change places.

    Raises UsageError where a suffix names another language than the direction has in its place.
    """
    if direction is None:
        return paths
    for order in (paths, list(reversed(paths))) if len(paths) == 2 else (paths,):
        wanted = [direction.source, *[direction.target] * (len(order) - 1)]
        named = [language_of(path, direction) for path in order]
        if all(name is None or alike(name, language) for name, language in zip(named, wanted, strict=True)):
            return order
    suffixes = [name or "?" for name in (language_of(path, direction) for path in paths)]
    named_so = f"are {' and '.join(suffixes)} by their suffixes"
    raise UsageError(_contradiction(" ".join(map(str, paths)), named_so, direction))


def alike(one: str, other: str) -> bool:
    """Whether two codes are the same language, `pt` and `pt-BR` too; of two regions each is its own."""
    first, second = (code.lower().replace("_", "-") for code in (one, other))
    return first == second or first.startswith(f"{second}-") or second.startswith(f"{first}-")


def _contradiction(where: str, what: str, direction: Direction) -> str:
    return (
        f"{where}: {what}, but the direction is {direction}, as --from and --to, the checkpoint, or what was named "
        "first has it. Name data of one direction alone; a training also takes --from and --to as the data are."
    )
