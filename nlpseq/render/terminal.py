"""For a person at a terminal: the text with what was found in it marked, then the details as a table.

Rich decides about colours and width (`NO_COLOR`, `FORCE_COLOR`, `COLUMNS`). Text from outside enters as rich
`Text` that `safe.visible` has cleaned, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nlpseq.records import Failure, TagPrediction, Token
from nlpseq.render.answer import Answer
from nlpseq.render.colours import CONFIDENCE_BELOW, DOUBT, FAINT, HEADING, colour_of
from nlpseq.render.safe import one_line, visible
from nlpseq.render.stretches import stretches


def tag(answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The sentence with its entities highlighted, then its tokens; numbered rules between inputs."""
    console = console_for(out)
    for number, (prediction, _) in enumerate(answers, 1):
        if isinstance(prediction, Failure):  # is told on stderr
            yield ""
            continue
        rule: list[RenderableType] = [Rule(Text(str(number), FAINT), style=FAINT)] if number > 1 else []
        yield _drawn(console, [*rule, _sentence(prediction, console), "", _table(prediction.tokens, console), ""])


def console_for(out: TextIO) -> Console:
    """A console that draws for `out`, without guessing at markup, emoji codes or things to highlight."""
    return Console(file=out, markup=False, emoji=False, highlight=False, legacy_windows=False)


def _drawn(console: Console, parts: Iterable[RenderableType]) -> str:
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def _sentence(prediction: TagPrediction, console: Console) -> Text:
    """Entities on their colour with the label behind; in brackets where there are no colours."""
    sentence = Text(overflow="fold")
    coloured = console.color_system is not None and not console.no_color
    for text, label in stretches(prediction.text, prediction.entities):
        if not label:
            sentence.append(visible(text))
        elif coloured:
            background = f"on {colour_of(label).terminal}"
            sentence.append(f" {visible(text)} ", f"black {background}")
            sentence.append(f"{_cell(label)} ", f"bold black {background}")
        else:
            sentence.append(f"[{visible(text)} {_cell(label)}]", HEADING)
    return sentence


def _table(tokens: tuple[Token, ...], console: Console) -> RenderableType:
    """One row per token and one column per head that the checkpoint has."""
    if not tokens:
        return Text("(no tokens)", FAINT)
    narrow = console.width < 60
    table = Table(
        box=SIMPLE_HEAD,
        header_style=HEADING,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1 if narrow else 2, 0, 0),
    )
    table.add_column("Token", overflow="fold")
    first = tokens[0]
    heads = [name for name in ("upos", "xpos", "ner") if getattr(first, name) is not None]
    for name in heads:
        table.add_column("Entity" if name == "ner" else name.upper(), overflow="fold")
    if first.score is not None:
        table.add_column("Conf." if narrow else "Confidence", justify="right", no_wrap=True)
    for token in tokens:
        table.add_row(*_cells(token, heads))
    return table


def _cells(token: Token, heads: Iterable[str]) -> Iterator[Text]:
    yield Text(_cell(token.text))
    for name in heads:
        label = getattr(token, name) or ""
        yield _entity(label) if name == "ner" else Text(_cell(label))
    if token.score is not None:
        yield Text(f"{token.score:.0%}", DOUBT if token.score < CONFIDENCE_BELOW else "")


def _entity(tag: str) -> Text:
    """`B-PER` in the colour of PER; nothing for what lies outside."""
    if tag == "O":
        return Text()
    return Text(_cell(tag), f"black on {colour_of(tag.partition('-')[2]).terminal}")


def _cell(text: str) -> str:
    return visible(one_line(text))


RENDERERS: Mapping[str, Callable[[Iterable[Answer], TextIO], Iterator[str]]] = {"tag": tag}
