"""For a person at a terminal: the text with what was found in it marked, then the details as a table.

Rich decides about colours and width (`NO_COLOR`, `FORCE_COLOR`, `COLUMNS`). Text from outside enters as rich
`Text` that `safe.visible` has cleaned, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import exp
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nlpseq.records import (
    Alternative,
    Continuation,
    Failure,
    SentimentPrediction,
    TagPrediction,
    Token,
    TranslationPrediction,
)
from nlpseq.render.answer import Answer, further, of_kind
from nlpseq.render.colours import AGAINST, CONFIDENCE_BELOW, DOUBT, FAINT, FOR, HEADING, TELLING, colour_of
from nlpseq.render.heatmap import heat_map
from nlpseq.render.safe import one_line, visible
from nlpseq.render.stretches import stretches, weighed


def tag(answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The sentence with its entities highlighted, then its tokens; numbered rules between inputs."""
    console = console_for(out)
    for number, (prediction, _) in enumerate(of_kind(answers, TagPrediction), 1):
        if isinstance(prediction, Failure):  # is told on stderr
            yield ""
            continue
        rule: list[RenderableType] = [Rule(Text(str(number), FAINT), style=FAINT)] if number > 1 else []
        yield _drawn(console, [*rule, _sentence(prediction, console), "", _table(prediction.tokens, console), ""])


def sentiment(answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The text, its words marked where they were weighed, then label, probability and stars; rules between inputs."""
    console = console_for(out)
    for number, (prediction, _) in enumerate(of_kind(answers, SentimentPrediction), 1):
        if isinstance(prediction, Failure):  # is told on stderr
            yield ""
            continue
        rule: list[RenderableType] = [Rule(Text(str(number), FAINT), style=FAINT)] if number > 1 else []
        told = [Text(_cell(sentence), FAINT) for sentence in (prediction.note, prediction.cut) if sentence]
        yield _drawn(console, [*rule, _weighed(prediction, console), "", _verdict(prediction), *told, ""])


def translate(answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The translation with its score, then its alternatives and its attention where they were asked for."""
    console = console_for(out)
    for prediction, _ in of_kind(answers, TranslationPrediction):
        if isinstance(prediction, Failure):  # is told on stderr
            yield ""
            continue
        parts: list[RenderableType] = [_translation(prediction.translation, prediction.score)]
        parts += [Text(_cell(prediction.note), FAINT)] if prediction.note else []
        parts += [_ranked(prediction.alternatives)] if prediction.alternatives else []
        for attention in prediction.attention or ():
            parts += ["", *heat_map(attention, console.width)]
        yield _drawn(console, parts if len(parts) == 1 else [*parts, ""])


def _translation(text: str, score: float) -> Text:
    """The translation, and its score as the geometric mean of the probabilities of its pieces."""
    line = Text(visible(text), HEADING, overflow="fold")
    return line.append(f"  {exp(score):.0%}", DOUBT if exp(score) < CONFIDENCE_BELOW else FAINT)


def _ranked(alternatives: tuple[Alternative, ...]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", style=FAINT)
    table.add_column(overflow="fold")
    table.add_column(justify="right", style=FAINT)
    for rank, one in enumerate(alternatives, 1):
        table.add_row(str(rank), Text(visible(one.translation)), f"{exp(one.score):.0%}")
    return table


def lm(answers: Iterable[Answer], out: TextIO) -> Iterator[str]:
    """The prompt faint, and what was written; or a table of suggestions. An empty line between inputs."""
    console = console_for(out)
    for number, (prediction, _) in enumerate(of_kind(answers, Continuation), 1):
        if isinstance(prediction, Failure):  # is told on stderr
            yield ""
            continue
        whole = Text(_cell(prediction.prompt), FAINT, overflow="fold")
        whole.append(_cell(prediction.text), "not dim")
        apart: list[RenderableType] = [""] if number > 1 else []
        yield _drawn(console, [*apart, whole, *([] if prediction.suggestions is None else [_suggested(prediction)])])


def stream_to(out: TextIO, prompt: str, parts: Iterable[str], *, apart: bool) -> None:
    """Draws a text as it is written, part by part; with `apart` an empty line goes before it."""
    console = console_for(out)
    console.print(*([""] if apart else []), Text(_cell(prompt), FAINT), sep="\n", end="", soft_wrap=True)
    for part in parts:
        console.print(Text(_cell(part)), end="", soft_wrap=True)
        out.flush()
    console.print()


def _suggested(prediction: Continuation) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for suggestion in prediction.suggestions or ():
        table.add_row(Text(_cell(suggestion.word), HEADING), f"{suggestion.probability:.1%}")
    return table


def _verdict(prediction: SentimentPrediction) -> Text:
    """`positive 93%  ★★★★☆ 4 of 5`, and below it every label with its probability where there are more than two."""
    verdict = Text(_cell(prediction.label), HEADING)
    verdict.append(f" {prediction.score:.0%}", DOUBT if prediction.score < CONFIDENCE_BELOW else "")
    verdict.append(_cell(further(prediction)))
    if prediction.stars is not None:
        verdict.append(f"  {'★' * prediction.stars}{'☆' * (5 - prediction.stars)} {prediction.stars} of 5", "")
    if len(prediction.scores) > 2:
        every = "  ".join(f"{_cell(label)} {score:.0%}" for label, score in prediction.scores.items())
        verdict.append(f"\n{every}", FAINT)
    return verdict


def _weighed(prediction: SentimentPrediction, console: Console) -> Text:
    """Words that speak for the label or against it on a colour each, with their weights; else in brackets."""
    sentence = Text(overflow="fold")
    coloured = console.color_system is not None and not console.no_color
    for text, weight in weighed(prediction):
        if abs(weight) < TELLING:
            sentence.append(visible(text))
        elif coloured:
            sentence.append(f" {visible(text)} {weight:+.2f} ", f"black on {(FOR if weight > 0 else AGAINST).terminal}")
        else:
            sentence.append(f"[{visible(text)} {weight:+.2f}]", HEADING)
    return sentence


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


RENDERERS: Mapping[str, Callable[[Iterable[Answer], TextIO], Iterator[str]]] = {
    "tag": tag,
    "sentiment": sentiment,
    "translate": translate,
    "lm": lm,
}
