"""The mean of the weights of classifiers that went on from the same one, with the runs of words of another.

    python checkpoints/recipes/averaged.py A B --ngrams C --dev sst imdb@polarity --card card.md -o FOLDER

States that lie so close together can be averaged, and are often better than each (Wortsman et al. 2022). Their words
and labels have to be the same; the settings are those of the first. How much the runs of words count, and the
temperatures, are fitted anew on the development parts.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec
import torch

from nlpseq.checkpoint import find_checkpoint, load_task, round_weights, save
from nlpseq.corpora.sources import Reading, read_sources
from nlpseq.model_card import model_card

NGRAMS = "ngrams."


def without_ngrams(task: Any) -> dict[str, torch.Tensor]:
    """The weights of the recurrent model."""
    return {name: weight for name, weight in task.network.state_dict().items() if not name.startswith(NGRAMS)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", metavar="FOLDER")
    parser.add_argument("--ngrams", required=True, metavar="FOLDER")
    parser.add_argument("--dev", required=True, nargs="+", metavar="CORPUS")
    parser.add_argument("--card", type=Path, metavar="FILE")
    parser.add_argument("--command", default="", help="what the model card is to say that it was trained by")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    task, manifest = load_task(find_checkpoint(given.ngrams))
    parts = [load_task(find_checkpoint(name))[0] for name in given.checkpoints]
    for name, part in zip(given.checkpoints, parts, strict=True):
        if part.words.to_plain() != task.words.to_plain() or part.to_plain()["labels"] != task.to_plain()["labels"]:
            raise SystemExit(f"{name}: has other words or labels than {given.ngrams}.")
    own = task.config.classifier
    weighed = msgspec.structs.replace(parts[0].config.classifier, ngrams=own.ngrams, ngram_limit=own.ngram_limit)
    task.config = msgspec.structs.replace(parts[0].config, classifier=weighed)
    weights = [without_ngrams(part) for part in parts]
    mean = {name: torch.stack([one[name] for one in weights]).mean(0) for name in weights[0]}
    task.network.load_state_dict({**task.network.state_dict(), **mean})
    round_weights(task.network)
    dev = read_sources("sentiment", given.dev, "dev", Reading())
    task.calibrate(dev)
    scores = {name: round(score, 2) for name, score in task.score(dev).items()}
    manifest.scores.update(scores)
    notes = given.card.read_text(encoding="utf-8") if given.card else ""
    card = model_card(given.output.name, manifest, task, command=given.command, notes=notes)
    save(task, given.output, manifest, card)
    print(f"{given.output}: " + ", ".join(f"{name} {score:.2f}" for name, score in scores.items()))


if __name__ == "__main__":
    main()
