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


@Language.factory(
    "nlpseq",
    default_config={"checkpoint": "tag-en", "device": "auto"},
    assigns=["token.pos", "token.tag", "token.ent_iob", "token.ent_type", "doc.ents"],
)
def create_component(nlp: Language, name: str, checkpoint: str, device: str) -> NlpseqComponent:  # noqa: ARG001
    """The component of a checkpoint for tagging. Raises what `nlpseq.load` raises."""
    return NlpseqComponent(checkpoint, device)


class NlpseqComponent:
    """Sets `pos_`, `tag_` and `ents` from a checkpoint, on the tokens that the pipeline's own tokenizer made.

    Sentences are those of the Doc where it has any. `ents` set before are kept where they do not overlap.
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
            sentences = [tokens for doc in batch for tokens in _sentences(doc)]
            words = [[token.text for token in tokens] for tokens in sentences]
            entities: dict[int, list[Span]] = {}
            for tokens, found in zip(sentences, self.pipeline.pipe(words, batch_size=len(words)), strict=True):
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


def _sentences(doc: Doc) -> list[list[Any]]:
    """The tokens of each sentence, white space left out."""
    spans = doc.sents if doc.has_annotation("SENT_START") else [doc]
    sentences = [[token for token in span if not token.is_space] for span in spans]
    return [tokens for tokens in sentences if tokens]


def _write(tokens: list[Any], found: Iterable[Token]) -> None:
    for token, predicted in zip(tokens, found, strict=True):
        if predicted.upos:
            token.pos_ = predicted.upos
        if predicted.xpos:
            token.tag_ = predicted.xpos
