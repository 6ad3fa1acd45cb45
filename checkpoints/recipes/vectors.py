"""Word vectors of plain text: a start for the embeddings of a model that reads text of the same kind.

    pip install gensim
    python checkpoints/recipes/vectors.py imdb imdb:unlabelled sst -o vectors.txt
    python checkpoints/recipes/vectors.py english.txt.xz --width 100 -o vectors.txt

reads files of plain text, or corpora of texts (their labels are not looked at), and learns skip-gram vectors with
negative sampling (Mikolov et al. 2013) of the words that nlpseq's own tokenizer finds, in the form in which a model
looks them up, each digit a 0: `nlpseq train ... --set embedding.vectors=vectors.txt`. Two threads do not give the same
numbers twice; one does.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gensim.models import Word2Vec

from nlpseq.corpora.plain import read_plain
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.text.words import normal_form

LINE = 5_000  # gensim reads no more than 10,000 words of a line


def lines(sources: list[str], mirror: Path | None) -> Iterator[str]:
    """The words of all texts, a space between them, in lines that gensim can read."""
    tokenizer = Tokenizer("en", rules=rules_for("en"))
    for text in read_plain(sources, "train", mirror=mirror):
        words = [normal_form(word) for word in tokenizer.words(text)[0]]
        yield from (" ".join(words[start : start + LINE]) for start in range(0, len(words), LINE))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="FILE|CORPUS[:SPLIT]")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--window", type=int, default=6)
    parser.add_argument("--min-count", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "words"
        with words.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines(given.sources, given.mirror))
        model = Word2Vec(
            corpus_file=str(words), vector_size=given.width, window=given.window, min_count=given.min_count, sg=1,
            negative=5, sample=1e-4, alpha=0.04, epochs=given.epochs, workers=given.threads, seed=1,
        )  # fmt: skip
    given.output.parent.mkdir(parents=True, exist_ok=True)
    model.wv.save_word2vec_format(str(given.output))
    print(f"{given.output}: {len(model.wv):,} words in {given.width} dimensions, the most frequent first")


if __name__ == "__main__":
    main()
