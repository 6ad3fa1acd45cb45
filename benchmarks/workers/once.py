"""One text, answered by a peer's trained model in a process that does nothing else: python once.py PEER MODEL TEXT.

Nothing is imported but what that takes.
"""

from __future__ import annotations

import sys


def spacy(model: str, text: str) -> object:
    import spacy

    doc = spacy.load(f"{model}/model-best")(text)
    return [(token.text, token.pos_, token.tag_, token.ent_type_) for token in doc]


def crfsuite(model: str, text: str) -> object:
    from crfsuite_tagger import CrfsuiteTagger

    tagger = CrfsuiteTagger()
    tagger.load(model, threads=1)
    return tagger.line(text)


def fasttext(model: str, text: str) -> object:
    from fasttext_sentiment import FastText

    classifier = FastText()
    classifier.load(model, threads=1)
    return classifier.line(text)


def sklearn(model: str, text: str) -> object:
    import joblib

    return joblib.load(f"{model}/model.joblib").predict_proba([text])


if __name__ == "__main__":
    peer, folder, asked = sys.argv[1:]
    print({"spacy": spacy, "crfsuite": crfsuite, "fasttext": fasttext, "sklearn": sklearn}[peer](folder, asked))
