"""What crosses from one floor to another: examples in, predictions out, progress on the way.

All are immutable values without behaviour that needs a library. Offsets are code points into the
very text that was given, `end` exclusive: `text[start:end] == token.text`, always.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec


class TaggedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One tokenised sentence with any number of label columns: an example for tagging.

    Invariants: `tokens`, `starts` and every value of `columns` have the same length; a label is
    never empty; the `ner` column, where there is one, is valid IOB2. `text[starts[i]:][:len(tokens[i])]
    == tokens[i]` for every i.
    """

    tokens: tuple[str, ...]
    starts: tuple[int, ...]
    text: str
    columns: Mapping[str, tuple[str, ...]] = {}  # "upos", "xpos", "ner", "lemma", "feats"
    sent_id: str | None = None
    path: str | None = None
    line: int | None = None  # of the first token, from 1


class TokenizedText(msgspec.Struct, frozen=True):
    """A text as it was given, and its tokens: an input that is not to be tokenised again.

    Invariants: `starts` is as long as `tokens`; no token is empty; each begins where the one before it ends, or
    later; `text[starts[i]:][:len(tokens[i])] == tokens[i]` for every i.
    """

    text: str
    tokens: tuple[str, ...]
    starts: tuple[int, ...]


class Token(msgspec.Struct, frozen=True, omit_defaults=False, gc=False):
    """A token with what was predicted for it; a label is None where the checkpoint has no such head.

    `ner` is an IOB2 tag; `score` is the smallest of the marginal probabilities of the labels shown.
    """

    text: str
    start: int
    end: int
    upos: str | None = None
    xpos: str | None = None
    ner: str | None = None
    score: float | None = None


class Span(msgspec.Struct, frozen=True, gc=False):
    """A labelled stretch of text. `score` is the smallest marginal probability of its tags, 0 to 1."""

    text: str
    label: str
    start: int
    end: int
    score: float | None = None


class TagPrediction(msgspec.Struct, frozen=True):
    """What `tag` says of one text. `sentences` holds the index of each sentence's first token; given tokens are one."""

    text: str
    tokens: tuple[Token, ...]
    entities: tuple[Span, ...] = ()
    sentences: tuple[int, ...] = (0,)


class LabelledText(msgspec.Struct, frozen=True, kw_only=True):
    """A text with any number of labels: an example for classification.

    `labels` has one label for each scheme that the text was judged by, such as {"polarity": "positive", "stars": "4"};
    a scheme that is absent is one by which it was not judged. A label is never empty; `stars` are "1" to "5". `soft`
    has, in place of a label, what a judge gave to each: {"polarity": {"positive": 0.9, "negative": 0.1}}, in sum 1.
    """

    text: str
    labels: Mapping[str, str] = {}
    soft: Mapping[str, Mapping[str, float]] = {}
    text_id: str | None = None
    path: str | None = None
    line: int | None = None  # where the text begins, from 1

    def settled(self) -> dict[str, str]:
        """One label for each scheme: where probabilities were given, the likeliest, of equal ones the first."""
        return {s: max(shares, key=shares.__getitem__) for s, shares in self.soft.items()} | dict(self.labels)

    def judged_by(self, schemes: Collection[str]) -> LabelledText:
        """The same with the labels of these schemes alone."""
        labels = {scheme: label for scheme, label in self.labels.items() if scheme in schemes}
        soft = {scheme: shares for scheme, shares in self.soft.items() if scheme in schemes}
        return msgspec.structs.replace(self, labels=labels, soft=soft)


class Contribution(msgspec.Struct, frozen=True, gc=False):
    """How much a stretch of text speaks for the label of its prediction: log-odds in nats, below 0 where against it."""

    text: str
    start: int
    end: int
    weight: float


class SentimentPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What `sentiment` says of one text.

    `scores` has the probability of every label and sums to 1, `score` is that of `label`; `stars` (1 to 5) is None
    where the checkpoint has learnt none. `others` has the probabilities of each further scheme, by its name.
    `contributions` is None where it was not asked for. `note` says that there was nothing to judge, `cut` what of the
    text was not read, and why.
    """

    text: str
    label: str
    score: float
    scores: Mapping[str, float]
    stars: int | None = None
    others: Mapping[str, Mapping[str, float]] = {}
    contributions: tuple[Contribution, ...] | None = None
    note: str | None = None
    cut: str | None = None


class SentencePair(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence and its translations: an example for translation.

    There is at least one target; more where there are several references. No side is empty. `line` is that of the
    first target.
    """

    source: str
    targets: tuple[str, ...]
    path: str | None = None
    line: int | None = None  # from 1


class Alternative(msgspec.Struct, frozen=True, gc=False):
    """A translation among several. `score` is the mean log-probability (nats) of a target piece, end included."""

    translation: str
    score: float


class Attention(msgspec.Struct, frozen=True):
    """Where the decoder looked: for each of T target pieces, a weight for each of S source pieces.

    `source` is in the order of the text, whichever way it was read. Each of the T rows of `weights` has S values of
    0 or more that sum to 1.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]


class TranslationPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What `translate` says of one text.

    `score` is as that of an Alternative; of a text of several sentences, the mean of theirs, and 0 where there was
    nothing to translate. `alternatives` begin with the translation itself; there are none where they were not asked
    for. `attention` has one value a sentence that was translated, and is None where it was not asked for. `note` says
    why a sentence is not what the model would have said: the cap on its length, or the guard against loops.
    """

    source: str
    translation: str
    score: float
    alternatives: tuple[Alternative, ...] = ()
    attention: tuple[Attention, ...] | None = None
    note: str | None = None


class Suggestion(msgspec.Struct, frozen=True):
    """A word that may come next, and its probability, given that a word does; or that the text ends in a part of, which
    it `completes`.
    """

    word: str
    probability: float
    completes: str = ""


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """How a language model goes on: `prompt + text` is the whole. `ended` says that the model saw its end there.

    `score` is the log-probability (nats) of what was written. `alternatives` are further continuations, where they were
    searched for. With `suggestions` of the next word, which are None where they were not asked for, `text` is empty.
    """

    prompt: str
    text: str = ""
    tokens: int = 0
    ended: bool = False
    score: float = 0.0
    alternatives: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] | None = None


class Failure(msgspec.Struct, frozen=True):
    """Stands in the place of a prediction that could not be made: `error` says why, `line` counts inputs from 1.

    A `pipe` gives one for an input that is no text, and goes on; tell it from a prediction by `isinstance`.
    """

    error: str
    line: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a training run: yielded by `fit()` after every evaluation, and between them.

    `loss` is per label (nats), averaged since the last report; `scores` are dev scores in per cent, present
    only after an evaluation; `seconds` counts over all resumed parts of the run.
    """

    step: int
    epoch: float
    loss: float
    items_per_second: float
    seconds: float
    learning_rate: float
    gradient_norm: float
    scores: Mapping[str, float] | None = None
    best: bool = False
    seconds_left: float | None = None


class Source(msgspec.Struct, frozen=True):
    """Something that a model was trained or scored on; the licence is None where it is a file of the user's."""

    name: str
    licence: str | None = None
