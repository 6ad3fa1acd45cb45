"""The component inside a spaCy pipeline says what the pipeline alone says."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from nlpseq.api import load
from nlpseq.errors import UsageError
from nlpseq.records import TagPrediction
from nlpseq.spacy_component import (
    NlpseqComponent,
)  # which registers it; an installed nlpseq is found by its entry point
from tests import classifiers
from tests.taggers import write_checkpoint

TEXTS = ["Mr Jordan can sing in Paris City .", "", "   ", "the  dog\ncan sleep .", "Mr Paris can fall ."]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("spacy") / "tagger")


@pytest.fixture(scope="module")
def nlp(checkpoint: Path) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("nlpseq", config={"checkpoint": str(checkpoint)})
    return nlp


def test_labels_and_entities_are_those_of_the_pipeline(nlp: Language, checkpoint: Path) -> None:
    for text in TEXTS:
        doc = nlp(text)
        words = [token for token in doc if not token.is_space]
        alone = load(checkpoint)([token.text for token in words])
        assert isinstance(alone, TagPrediction)
        assert [token.pos_ for token in words] == [token.upos for token in alone.tokens]
        assert [token.tag_ for token in words] == [token.xpos for token in alone.tokens]
        spans = [(" ".join(t.text for t in e if not t.is_space), e.label_) for e in doc.ents]
        assert spans == [(entity.text, entity.label) for entity in alone.entities]


def test_a_stream_keeps_its_order_and_texts(nlp: Language) -> None:
    docs = list(nlp.pipe(TEXTS * 3, batch_size=4))
    assert [doc.text for doc in docs] == TEXTS * 3
    assert [[t.pos_ for t in doc] for doc in docs] == [[t.pos_ for t in nlp(text)] for text in TEXTS * 3]


def test_sentences_of_the_doc_are_respected(checkpoint: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("nlpseq", config={"checkpoint": str(checkpoint)})
    doc = nlp("Mr Jordan can sing . the dog can sleep .")
    halves = [load(checkpoint)([token.text for token in sentence]) for sentence in doc.sents]
    assert len(halves) == 2
    assert [token.pos_ for token in doc] == [token.upos for half in halves for token in half.tokens]


def test_a_doc_without_sentences_gets_those_of_the_command(nlp: Language, checkpoint: Path) -> None:
    text = " Mr Jordan can sing.  The dog can sleep .\n\nnot far"
    words = load(checkpoint)(text)
    doc = nlp(text)
    firsts = [next(token for token in sentence if not token.is_space).idx for sentence in doc.sents]
    assert firsts == [words.tokens[index].start for index in words.sentences]
    assert len(firsts) == 3
    assert next(doc.sents).text == " Mr Jordan can sing.  "
    assert list(nlp("").sents) == []
    assert len(list(nlp("   ").sents)) == 1


def test_entities_set_before_are_kept(checkpoint: Path) -> None:
    class Before:
        def __call__(self, doc: Doc) -> Doc:
            doc.ents = [Span(doc, 0, len(doc), label="WHOLE")]
            return doc

    Language.factory("nlpseq-test-before", func=lambda nlp, name: Before())  # noqa: ARG005
    nlp = spacy.blank("en")
    nlp.add_pipe("nlpseq-test-before")
    nlp.add_pipe("nlpseq", config={"checkpoint": str(checkpoint)})
    assert [entity.label_ for entity in nlp("Mr Jordan can sing .").ents] == ["WHOLE"]


def test_a_checkpoint_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="was trained for sentiment, not for tag"):
        NlpseqComponent(str(classifiers.write_checkpoint(tmp_path / "judge")))
