"""Plain text into sentences labelled by taggers together, to train a smaller one on.

    python checkpoints/recipes/label_sentences.py --tagger wide-1 --tagger wide-2 text.txt -o labelled.jsonl

A line of the text is a sentence or a paragraph. The taggers' probabilities are averaged: UPOS and XPOS are the
likeliest labels by that, names the likeliest sequence of them that IOB2 allows. Sentences of less than three words or
more than 120, and those that came before, are left out. Several texts may be given, with as many words of each as
`--words` says.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from nlpseq.checkpoint import find_checkpoint, load_task
from nlpseq.device import find_device
from nlpseq.nn.crf import LinearChainCRF
from nlpseq.tasks.tagging import Tagger
from nlpseq.tasks.teachers import must_share_labels
from nlpseq.text.tags import can_follow
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.text.vocab import Vocabulary

LENGTHS = range(3, 121)  # words of a sentence
AT_ONCE = 20_000  # sentences
LEAST = 1e-6  # a probability of none is taken for this

Words = tuple[str, ...]


def sentences(path: Path, words: int) -> Iterator[Words]:
    """The sentences of a file, until there have been so many words."""
    tokenizer = Tokenizer("en", rules=rules_for("en"))
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            for sentence in tokenizer.sentences(line):
                words -= len(sentence.tokens)
                if words < 0:
                    return
                if len(sentence.tokens) in LENGTHS:
                    yield sentence.tokens


def labels_of(shares_TK: Tensor, column: str, known: Vocabulary) -> list[str]:
    """The labels of one sentence by the probabilities of each."""
    if column != "ner":
        return [known.symbols[k] for k in shares_TK.argmax(1).tolist()]
    inside_BT = torch.ones(1, len(shares_TK), dtype=torch.bool)
    best_BT = allowed(known.symbols).decode(shares_TK.clamp(min=LEAST).log()[None], inside_BT)
    return [known.symbols[k] for k in best_BT[0].tolist()]


@cache
def allowed(tags: tuple[str, ...]) -> LinearChainCRF:
    """What knows nothing but which tag may follow which."""
    follow_KK = torch.tensor([[can_follow(one, tag) for tag in tags] for one in tags])
    return LinearChainCRF(follow_KK, torch.tensor([can_follow(None, tag) for tag in tags]))


def labelled(taggers: Sequence[Tagger], texts: Sequence[Words]) -> Iterator[dict[str, Sequence[str]]]:
    """What the taggers together say of each sentence."""
    for text, *each in zip(texts, *(tagger.probabilities(texts) for tagger in taggers), strict=True):
        found: dict[str, Sequence[str]] = {"tokens": text}
        for column, known in taggers[0].labels.items():
            found[column] = labels_of(torch.stack([one[column] for one in each]).mean(0), column, known)
        yield found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, metavar="TEXT")
    parser.add_argument("--tagger", action="append", required=True, metavar="NAME|FOLDER")
    parser.add_argument("--words", type=int, default=4_000_000, help="of each text, from its beginning")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    taggers: list[Tagger] = []
    for name in given.tagger:
        tagger = load_task(find_checkpoint(name))[0]
        assert isinstance(tagger, Tagger), f"{name} is no tagger"
        tagger.network.to(find_device("auto"))
        must_share_labels(taggers[0].labels if taggers else tagger.labels, tagger.labels, name)
        taggers.append(tagger)
    different = iter(dict.fromkeys(words for text in given.texts for words in sentences(text, given.words)))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with given.output.open("wb") as out:
        while texts := list(islice(different, AT_ONCE)):
            out.writelines(msgspec.json.encode(one) + b"\n" for one in labelled(taggers, texts))
            count += len(texts)
            print(f"{count:,} sentences", flush=True)


if __name__ == "__main__":
    main()
