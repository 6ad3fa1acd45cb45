"""A checkpoint as a component of a spaCy pipeline: `nlp.add_pipe("nlpseq", config={"checkpoint": "tag-en"})`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlpseq.api import load
from nlpseq.errors import UsageError
from nlpseq.records import Failure, Token
from nlpseq.text.tokenizer import sentence_starts


@Language.factory(
    "nlpseq",
    default_config={"checkpoint": "tag-en", "device": "auto"},
    assigns=["token.pos", "token.tag", "token.ent_iob", "token.ent_type", "token.is_sent_start", "doc.ents"],
)
def create_component(nlp: Language, name: str, checkpoint: str, device: str) -> NlpseqComponent:  # noqa: ARG001
    """The component of a checkpoint for tagging. Raises what `nlpseq.load` raises."""
    return NlpseqComponent(checkpoint, device)


class NlpseqComponent:
    """Sets `pos_`, `tag_` and `ents` from a checkpoint, on the tokens that the pipeline's own tokenizer made.

    Sentences are those of the Doc where it has any; else those of `nlpseq tag`, which the Doc is then given. Of `ents`
    set before and those found, the longer of two that overlap is kept, as spaCy's `filter_spans` does.
    """

    def __init__(self, checkpoint: str, device: str = "auto") -> None:
        self.pipeline = load(checkpoint, device=device)
        if self.pipeline.task != "tag":
            raise UsageError(f"The checkpoint {checkpoint} was trained for {self.pipeline.task}, not for tag.")

    def __call__(self, doc: Doc) -> Doc:
        """Tags one Doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Tags Docs in order, `batch_size` at a time."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            sentences = [tokens for doc in batch for tokens in self._sentences(doc)]
            words = [[token.text for token in tokens] for tokens in sentences]
            entities: dict[int, list[Span]] = {}
            for tokens, found in zip(sentences, self.pipeline.pipe(words, batch_size=len(words) or None), strict=True):
                assert not isinstance(found, Failure)
                _write(tokens, found.tokens)
                doc = tokens[0].doc
                offsets = {token.start: index for index, token in enumerate(found.tokens)}
                ends = {token.end: index for index, token in enumerate(found.tokens)}
                for entity in found.entities:
                    first, last = tokens[offsets[entity.start]].i, tokens[ends[entity.end]].i
                    entities.setdefault(id(doc), []).append(Span(doc, first, last + 1, label=entity.label))
            for doc in batch:
                doc.ents = filter_spans([*doc.ents, *entities.get(id(doc), [])])
                yield doc

    def _sentences(self, doc: Doc) -> list[list[Any]]:
        """The tokens of each sentence, white space left out; a Doc without sentences gets its own here."""
        if not doc.has_annotation("SENT_START"):
            _divide(doc, self.pipeline.tokenizer.limit)
        sentences = [[token for token in span if not token.is_space] for span in doc.sents]
        return [tokens for tokens in sentences if tokens]


def _divide(doc: Doc, limit: int) -> None:
    """Sets where sentences begin; white space belongs to the one before it."""
    tokens = [token for token in doc if not token.is_space]
    words, starts = [token.text for token in tokens], [token.idx for token in tokens]
    begins = {0, *(tokens[index].i for index in sentence_starts(doc.text, words, starts, limit)[1:])}
    for token in doc:
        token.is_sent_start = token.i in begins


def _write(tokens: list[Any], found: Iterable[Token]) -> None:
    for token, predicted in zip(tokens, found, strict=True):
        if predicted.upos:
            token.pos_ = predicted.upos
        if predicted.xpos:
            token.tag_ = predicted.xpos
