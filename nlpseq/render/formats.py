"""Which formats each task can be shown in: the dict to extend with a task's name and its generators."""

from __future__ import annotations

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


def choose(task: str, name: str, out: TextIO, suffix: str = "") -> str:
    """The format that `name` means for `task` on `out`; `auto` goes by the suffix, then by the terminal.

    Raises UsageError for a format in which this task cannot be shown.
    """
    if name == "auto" and BY_SUFFIX.get(suffix) in PLAIN[task]:
        return BY_SUFFIX[suffix]
    if name == "auto":
        return "rich" if out.isatty() else IN_A_PIPE[task]
    check(task, name)
    return name


def check(task: str, name: str) -> None:
    """Raises UsageError where `task` cannot be shown in the format `name`."""
    if name not in {"auto", "rich", *PLAIN[task]}:
        known = ", ".join(["auto", "rich", *PLAIN[task]])
        raise UsageError(f"{task} has no format {str(name)!r}. Choose one of {known}.")


def render(task: str, name: str, answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The chunks to write to `out`, lazily; on a terminal no control code of the text is among them."""
    if name == "rich":
        from nlpseq.render import terminal

        return terminal.RENDERERS[task](answers, out)
    chunks = PLAIN[task][name](answers)
    if not out.isatty():
        return chunks
    return map(escaped_json if name == "jsonl" else visible, chunks)
