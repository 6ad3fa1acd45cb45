"""A page that needs nothing but itself: each text with its entities marked, and its tokens to unfold.

No script, no address of anything elsewhere; light or dark as the reader's system is. The page itself is English; of the
texts in it the language is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nlpseq.records import Attention, Failure, SentimentPrediction, TagPrediction, Token, TranslationPrediction
from nlpseq.render.answer import Answer, further, of_kind
from nlpseq.render.colours import AGAINST, CONFIDENCE_BELOW, FOR, PALETTE, TELLING, colour_of
from nlpseq.render.safe import visible
from nlpseq.render.stretches import stretches, weighed

_STYLE = """
:root { color-scheme: light dark; --text: #16181d; --faint: #565c68; --page: #fff; --line: #d9dce2;
        --doubt: #8a3b00 }
body { font: 1rem/1.6 system-ui, sans-serif; color: var(--text); background: var(--page);
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.2rem }
article { border-top: 1px solid var(--line); padding: .8rem 0 }
article > p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
            line-height: 2 }
mark { color: inherit; padding: .2em .35em; border-radius: .35em; box-decoration-break: clone;
       -webkit-box-decoration-break: clone }
mark b { font-size: .7em; letter-spacing: .04em; margin-inline-start: .5em; unicode-bidi: isolate }
mark.weighed { background: color-mix(in srgb, var(--tint) calc(var(--w) * 100%), transparent) }
summary { color: var(--faint); font-size: .85rem; cursor: pointer }
details { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem }
th, td { text-align: start; padding: .15rem 1rem .15rem 0; border-bottom: 1px solid var(--line);
         overflow-wrap: anywhere; unicode-bidi: isolate }
td.n { text-align: end; font-variant-numeric: tabular-nums }
td.doubt { color: var(--doubt); font-weight: 600 }
td.w { background: color-mix(in srgb, var(--for) calc(var(--w) * 100%), transparent); padding: .15rem .4rem }
p.told { color: var(--faint) }
p.error { color: var(--doubt) }
"""
_DARK = ":root { --text: #eceef2; --faint: #a9b0bd; --page: #14161a; --line: #343943; --doubt: #ffb066 }"
_HEADINGS = {"upos": "UPOS", "xpos": "XPOS", "ner": "Entity", "score": "Confidence"}


def tag(answers: Iterable[Answer]) -> Iterator[str]:
    """The head of the page, one article per answer, and the page's end."""
    yield _head("Tagged text")
    for prediction, _ in of_kind(answers, TagPrediction):
        inside = _failed(prediction) if isinstance(prediction, Failure) else _tagged(prediction)
        yield f"<article>\n{inside}</article>\n"
    yield "</main>\n</body>\n</html>\n"


def sentiment(answers: Iterable[Answer]) -> Iterator[str]:
    """The head of the page, one article per answer, and the page's end."""
    yield _head("Judged text")
    for prediction, _ in of_kind(answers, SentimentPrediction):
        inside = _failed(prediction) if isinstance(prediction, Failure) else _judged(prediction)
        yield f"<article>\n{inside}</article>\n"
    yield "</main>\n</body>\n</html>\n"


def translate(answers: Iterable[Answer]) -> Iterator[str]:
    """The head of the page, one article per answer, and the page's end."""
    yield _head("Translated text")
    for prediction, _ in of_kind(answers, TranslationPrediction):
        inside = _failed(prediction) if isinstance(prediction, Failure) else _translated(prediction)
        yield f"<article>\n{inside}</article>\n"
    yield "</main>\n</body>\n</html>\n"


def _translated(prediction: TranslationPrediction) -> str:
    """The source, the translation, and to unfold the alternatives and the attention."""
    note = f'<p class="told">{_safe(prediction.note)}</p>\n' if prediction.note else ""
    rows = "".join(
        f'<tr><td dir="auto" lang="">{_safe(one.translation)}</td><td class="n">{one.score:.2f}</td></tr>\n'
        for one in prediction.alternatives
    )
    alternatives = (
        f"<details><summary>Alternatives ({len(prediction.alternatives)})</summary>\n<table>\n<thead><tr>"
        '<th scope="col">Translation</th><th scope="col">Score</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></details>\n"
    )
    return (
        f'<p dir="auto" lang="" class="told">{_safe(prediction.source)}</p>\n'
        f'<p dir="auto" lang="">{_safe(prediction.translation)}</p>\n'
        f"{note}{alternatives if rows else ''}{''.join(map(_attention, prediction.attention or ()))}"
    )


def _attention(one: Attention) -> str:
    """A table of target pieces against source pieces; the darker a cell, the more of the row's weight it has."""
    head = "".join(f'<th scope="col">{_safe(piece)}</th>' for piece in one.source)
    rows = "".join(
        f'<tr><th scope="row">{_safe(piece)}</th>'
        + "".join(f'<td class="n w" style="--w: {weight:.2f}">{weight:.0%}</td>' for weight in row)
        + "</tr>\n"
        for piece, row in zip(one.target, one.weights, strict=True)
    )
    return (
        f"<details><summary>Attention ({len(one.target)} by {len(one.source)} pieces)</summary>\n<table>\n"
        f"<thead><tr><td></td>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></details>\n"
    )


def _judged(prediction: SentimentPrediction) -> str:
    stars = "" if prediction.stars is None else f", {prediction.stars} of 5 stars"
    most = max((abs(part.weight) for part in prediction.contributions or ()), default=0.0)
    pieces = "".join(_weighed(text, weight, most) for text, weight in weighed(prediction))
    told = "".join(f'<p class="told">{_safe(s)}</p>\n' for s in (prediction.note, prediction.cut) if s)
    rows = "".join(
        f'<tr><td>{_safe(label)}</td><td class="n">{score:.1%}</td></tr>\n'
        for label, score in prediction.scores.items()
    )
    return (
        f'<p dir="auto" lang="">{pieces}</p>\n'
        f"<p><strong>{_safe(prediction.label)}</strong> {prediction.score:.0%}{stars}{_safe(further(prediction))}</p>\n"
        f"{told}<details><summary>All labels ({len(prediction.scores)})</summary>\n<table>\n<thead><tr>"
        f'<th scope="col">Label</th><th scope="col">Probability</th></tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table></details>\n"
    )


def _weighed(text: str, weight: float, most: float) -> str:
    """A word with its weight in log-odds, on the colour of the side it speaks for, fullest where it has the `most`."""
    if abs(weight) < TELLING:
        return _safe(text)
    side = "for" if weight > 0 else "against"
    return (
        f'<mark class="weighed" style="--tint: var(--{side}); --w: {abs(weight) / most:.2f}">'
        f"{_safe(text)}<b>{weight:+.2f}</b></mark>"
    )


def _head(title: str) -> str:
    style = f"{_STYLE}{_colours('light')}@media (prefers-color-scheme: dark) {{\n{_DARK}\n{_colours('dark')}}}\n"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    )


def _colours(field: str) -> str:
    """The colours of labels and of weights on a `light` or a `dark` page."""
    marks = "".join(f"mark.c{i} {{ background: {getattr(colour, field)} }}\n" for i, colour in enumerate(PALETTE))
    return f":root {{ --for: {getattr(FOR, field)}; --against: {getattr(AGAINST, field)} }}\n{marks}"


def _tagged(prediction: TagPrediction) -> str:
    pieces = "".join(_mark(text, label) for text, label in stretches(prediction.text, prediction.entities))
    return f'<p dir="auto" lang="">{pieces}</p>\n' + (_table(prediction.tokens) if prediction.tokens else "")


def _failed(failure: Failure) -> str:
    return f'<p class="error">Line {failure.line}: {_safe(failure.error)}</p>\n'


def _mark(text: str, label: str) -> str:
    if not label:
        return _safe(text)
    index = PALETTE.index(colour_of(label))
    return f'<mark class="c{index}">{_safe(text)}<b>{_safe(label)}</b></mark>'


def _table(tokens: tuple[Token, ...]) -> str:
    names = [name for name in _HEADINGS if getattr(tokens[0], name) is not None]
    head = "".join(f'<th scope="col">{_HEADINGS[name]}</th>' for name in names)
    rows = "".join(_row(token, names) for token in tokens)
    return (
        f'<details><summary>Tokens ({len(tokens)})</summary>\n<table>\n<thead><tr><th scope="col">Token</th>'
        f"{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></details>\n"
    )


def _row(token: Token, names: list[str]) -> str:
    cells = [f'<td dir="auto" lang="">{_safe(token.text)}</td>']
    for name in names:
        if name == "score":
            score = token.score or 0.0
            cells.append(f'<td class="n{" doubt" if score < CONFIDENCE_BELOW else ""}">{score:.0%}</td>')
        else:
            cells.append(f"<td>{_safe(getattr(token, name) or '')}</td>")
    return f"<tr>{''.join(cells)}</tr>\n"


def _safe(text: str) -> str:
    return escape(visible(text))
