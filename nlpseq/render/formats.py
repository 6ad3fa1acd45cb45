"""Which formats each task can be shown in: the dict to extend with a task's name and its generators."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TextIO

from nlpseq.errors import UsageError
from nlpseq.render import conllu, html, jsonl, text, tsv
from nlpseq.render.answer import Answer
from nlpseq.render.safe import escaped_json, visible

Renderer = Callable[[Iterable[Answer]], Iterator[str]]

PLAIN: Mapping[str, Mapping[str, Renderer]] = {
    "tag": {"text": text.tag, "jsonl": jsonl.tag, "tsv": tsv.tag, "conllu": conllu.tag, "html": html.tag},
    "sentiment": {"text": text.sentiment, "jsonl": jsonl.sentiment, "tsv": tsv.sentiment, "html": html.sentiment},
    "translate": {"text": text.translate, "jsonl": jsonl.translate, "tsv": tsv.translate, "html": html.translate},
    "lm": {"text": text.lm, "jsonl": jsonl.lm},
}  # and every task has "rich", in `terminal.RENDERERS`

IN_A_PIPE = {
    "tag": "jsonl",
    "sentiment": "jsonl",
    "translate": "text",
    "lm": "text",
}  # what `auto` is where nobody looks
BY_SUFFIX = {".jsonl": "jsonl", ".tsv": "tsv", ".conllu": "conllu", ".html": "html", ".txt": "text"}
_LANGUAGE = re.compile(r"\.[a-z]{2}(-[a-z]{2})?")
_PACKED = frozenset({".gz", ".xz"})  # what is written is not


def choose(task: str, name: str, out: TextIO, suffix: str = "") -> str:
    """The format that `name` means for `task` on `out`; `auto` goes by the suffix, if any, else by the terminal.

    Raises UsageError for a format, or a suffix, in which this task cannot be shown.
    """
    if name == "auto" and suffix:
        return _by_suffix(task, suffix.lower())
    if name == "auto":
        return "rich" if out.isatty() else IN_A_PIPE[task]
    check(task, name)
    return name


def _by_suffix(task: str, suffix: str) -> str:
    """Translations may be named by their language, as parallel text is: `captions.de` has plain lines."""
    if task == "translate" and _LANGUAGE.fullmatch(suffix) and suffix not in _PACKED:
        return IN_A_PIPE[task]
    known = {ending: name for ending, name in BY_SUFFIX.items() if name in PLAIN[task]}
    if suffix not in known:
        raise UsageError(
            f"-o: the suffix {suffix!r} tells no format that this can be written in. Let the name end in "
            f"{', '.join(known)}, or choose the format with -f."
        )
    return known[suffix]


def check(task: str, name: str) -> None:
    """Raises UsageError where `task` cannot be shown in the format `name`."""
    if name not in {"auto", "rich", *PLAIN[task]}:
        known = ", ".join(["auto", "rich", *PLAIN[task]])
        raise UsageError(f"This cannot be written in the format {str(name)!r}. Choose one of {known}.")


def render(task: str, name: str, answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The chunks to write to `out`, lazily; on a terminal no control code of the text is among them."""
    if name == "rich":
        from nlpseq.render import terminal

        return terminal.RENDERERS[task](answers, out)
    chunks = PLAIN[task][name](answers)
    if not out.isatty():
        return chunks
    return map(escaped_json if name == "jsonl" else visible, chunks)
