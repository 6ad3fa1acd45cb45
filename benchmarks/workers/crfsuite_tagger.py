"""python-crfsuite as a worker: one linear chain for UPOS and one for names, on the usual features of a word.

Word, affixes, shape, and the same of its neighbours; both chains read the same features, which are made once.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pycrfsuite
from serving import lines_of, objects_of, serve

COLUMNS = ("upos", "ner")
WORD = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]+")


class CrfsuiteTagger:
    """Two chains."""

    def train(self, train: str, folder: str, iterations: int) -> dict[str, float]:
        """Trains by L-BFGS with the penalties of the library's own tutorial."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        rows, spent = objects_of(train), {}
        for column in COLUMNS:
            started = time.perf_counter()
            trainer = pycrfsuite.Trainer(verbose=False)
            trainer.set_params({"c1": 0.1, "c2": 0.01, "max_iterations": iterations, "feature.possible_states": False})
            for row in rows:
                trainer.append(features(row["tokens"]), row[column])
            trainer.train(str(Path(folder) / column))
            spent[column] = time.perf_counter() - started
        return {"seconds": sum(spent.values())}

    def load(self, folder: str, threads: int) -> None:
        del threads  # it has one
        self.chains = {column: pycrfsuite.Tagger() for column in COLUMNS}
        for column, chain in self.chains.items():
            chain.open(str(Path(folder) / column))

    def work(self, texts: str) -> int:
        """Raw text to JSON Lines; the bytes written."""
        return sum(len(self.line(text).encode()) for text in lines_of(texts))

    def predict(self, dev: str) -> list[dict[str, list[str]]]:
        """The columns of sentences that are tokenised."""
        return [self._columns(row["tokens"]) for row in objects_of(dev)]

    def _columns(self, words: Sequence[str]) -> dict[str, list[str]]:
        items = pycrfsuite.ItemSequence(features(words))
        return {column: chain.tag(items) for column, chain in self.chains.items()}

    def line(self, text: str) -> str:
        found = list(WORD.finditer(text))
        columns = self._columns([match.group() for match in found])
        rows = zip(found, columns["upos"], columns["ner"], strict=True)
        tokens: list[dict[str, Any]] = [
            {"text": match.group(), "start": match.start(), "end": match.end(), "upos": upos, "ner": ner}
            for match, upos, ner in rows
        ]
        return json.dumps({"text": text, "tokens": tokens}, ensure_ascii=False) + "\n"


def features(words: Sequence[str]) -> list[list[str]]:
    """The features of each word of a sentence."""
    own = [_of_word(word) for word in words]
    result = []
    for index, mine in enumerate(own):
        before = [f"-1:{feature}" for feature in own[index - 1][:4]] if index else ["BOS"]
        after = [f"+1:{feature}" for feature in own[index + 1][:4]] if index + 1 < len(own) else ["EOS"]
        result.append(["bias", *mine, *before, *after])
    return result


def _of_word(word: str) -> list[str]:
    lower = word.lower()
    return [
        f"lower={lower}", f"shape={shape(word)}", f"title={word.istitle()}", f"upper={word.isupper()}",
        f"digit={word.isdigit()}", *(f"suffix={lower[-n:]}" for n in (1, 2, 3, 4)),
        *(f"prefix={lower[:n]}" for n in (1, 2, 3)),
    ]  # fmt: skip


def shape(word: str) -> str:
    """`Xx-d` for `New-4`: classes of letters, runs shortened."""
    classes = "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word)
    return re.sub(r"(.)\1+", r"\1", classes)


if __name__ == "__main__":
    serve(CrfsuiteTagger())
