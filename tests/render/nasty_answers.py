"""Predictions over nasty texts: controls, markup, emoji, right-to-left, lone surrogates, very long tokens."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from nlpseq.records import Span, TagPrediction, Token
from nlpseq.render.answer import Answer

SINGLE_CONTROLS = "\x00\x7f\r\n\t\x0b\x0c\x1c\x85\u2028\u2029\u202e\u2066"
CONTROLS = ["\x1b[31m", "\x1b]0;title\x07", "\x9b31m", *SINGLE_CONTROLS]
MARKUP = ["[red]", "[/]", "[bold", "<b>", "</script>", "&amp;", '"', "\\", "\\t", ":smile:", *"_#|="]
FAMILY = "👩\u200d👩\u200d👧"  # one emoji of three, joined
SCRIPTS = ["😀", FAMILY, "e\u0301", "نجيب", "עברית", "\u200f", "漢字", " ", "  ", "\u00a0", "x" * 5000]
NASTY = [*CONTROLS, *MARKUP, *SCRIPTS]
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=12).map("".join)
labels = st.sampled_from(["PER", "ORG", "WORK_OF_ART", "a b", "x|y", "[red]", "\x1b[31m"])
scores = st.floats(0, 1)


@st.composite
def predictions(draw: st.DrawFn, text: st.SearchStrategy[str] = texts) -> TagPrediction:
    """Tokens anywhere in the text, in order and not empty; each perhaps an entity of its own."""
    whole = draw(text)
    cuts = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=10)))
    pairs = [pair for pair in pairwise(cuts) if draw(st.booleans())]
    upos, ner = draw(st.booleans()), draw(st.booleans())
    tokens, spans = [], []
    for start, end in pairs:
        label = draw(labels) if ner and draw(st.booleans()) else ""
        tag = (f"B-{label}" if label else "O") if ner else None
        tokens.append(Token(whole[start:end], start, end, draw(labels) if upos else None, None, tag, draw(scores)))
        if label:
            spans.append(Span(whole[start:end], label, start, end, draw(scores)))
    sentences = sorted(draw(st.sets(st.integers(0, max(0, len(tokens) - 1)), max_size=3)) | {0})
    return TagPrediction(whole, tuple(tokens), tuple(spans), tuple(sentences))


answers = st.lists(predictions().map(Answer), max_size=3)


def sample(text: str = "Sumesh worked at Cisco, yesterday.") -> TagPrediction:
    """The sentence of the README, more or less, with two entities."""
    words = [("Sumesh", "B-PER"), ("worked", "O"), ("at", "O"), ("Cisco", "B-ORG"), (",", "O")]
    tokens = [Token(w, text.index(w), text.index(w) + len(w), "X", "Y", ner, 0.98765) for w, ner in words]
    spans = [Span(t.text, t.ner[2:], t.start, t.end, 0.9) for t in tokens if t.ner and t.ner != "O"]
    return TagPrediction(text, tuple(tokens), tuple(spans))
