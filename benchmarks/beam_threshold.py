"""What hypotheses are worth that are far behind the best of their sentence: BLEU by `search.beam_threshold`.

    python benchmarks/beam_threshold.py translate-en-fr tatoeba@en-fr multi30k@en-fr

For each development part, its first sentences translated with a beam of five and each threshold: cased BLEU, and how
many translations are other ones than without a threshold.
"""

from __future__ import annotations

import argparse

import msgspec

import nlpseq
from nlpseq.config import SearchConfig
from nlpseq.corpora.sources import Reading, read_sources
from nlpseq.tasks.translation import Translator
from nlpseq.text.overlap import bleu

THRESHOLDS = (0.0, 5.0, 4.0, 3.0, 2.5, 2.0)


def arguments() -> argparse.Namespace:
    result = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("checkpoint")
    result.add_argument("corpora", nargs="+")
    result.add_argument("--sentences", type=int, default=2000, help="of each part, at most")
    return result.parse_args()


def translations(translator: Translator, sources: list[str], search: SearchConfig, threshold: float) -> list[str]:
    own = msgspec.structs.replace(search, beam_size=5, beam_threshold=threshold)
    return [one.translation for one in translator.translate(sources, own)]


def main() -> None:
    given = arguments()
    translator: Translator = nlpseq.load(given.checkpoint).translator
    for corpus in given.corpora:
        examples = read_sources("translate", [corpus], "dev", Reading())[: given.sentences]
        sources, references = [one.source for one in examples], [one.targets for one in examples]
        whole: list[str] = []
        for threshold in THRESHOLDS:
            found = translations(translator, sources, translator.config.search, threshold)
            whole = whole or found
            changed = sum(one != other for one, other in zip(found, whole, strict=True)) / len(found)
            score = bleu(found, references).percent
            print(
                f"{corpus}  threshold {threshold or 'none'}  BLEU {score:.2f}  changed {100 * changed:.2f}%", flush=True
            )


if __name__ == "__main__":
    main()
