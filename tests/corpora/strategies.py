"""Tagged sentences for hypothesis: any printable words, spaced at random."""

from __future__ import annotations

from hypothesis import strategies as st

from nlpseq.records import TaggedSentence
from nlpseq.text.tags import iob2_of

# No white space and no control characters; surrogates cannot be written as UTF-8.
characters = st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])
words = st.text(characters, min_size=1, max_size=8)
labels = st.sampled_from(["PER", "LOC", "creative-work"])


@st.composite
def ner_tags(draw: st.DrawFn, length: int) -> tuple[str, ...]:
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=6)))
    spans = [(draw(labels), a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return tuple(iob2_of(spans, length))


@st.composite
def sentences(draw: st.DrawFn) -> TaggedSentence:
    tokens = tuple(draw(st.lists(words, min_size=1, max_size=10)))
    text, starts = draw(st.sampled_from(["", " "])), []
    for token in tokens:
        starts.append(len(text))
        text += token + draw(st.sampled_from(["", " ", "  "]))
    # A column of nothing but _ is none, in CoNLL-U: N keeps that from happening.
    upos = tuple(draw(st.sampled_from(["NOUN", "VERB", "X"])) for _ in tokens)
    columns = {"upos": upos}
    if draw(st.booleans()):
        columns["ner"] = draw(ner_tags(len(tokens)))
    sent_id = draw(st.none() | words)
    return TaggedSentence(tokens=tokens, starts=tuple(starts), text=text, columns=columns, sent_id=sent_id)


def offsets_hold(sentence: TaggedSentence) -> bool:
    pairs = zip(sentence.tokens, sentence.starts, strict=True)
    return all(sentence.text[start : start + len(token)] == token for token, start in pairs)
