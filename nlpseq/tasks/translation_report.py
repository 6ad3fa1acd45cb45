"""How well a translator does on pairs: BLEU and chrF with their signatures, by length, by rare words, and the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nlpseq.nn.search import SearchConfig
from nlpseq.records import SentencePair
from nlpseq.tasks.translation import Translator
from nlpseq.text.overlap import USUAL_TOKENIZER, BleuTokenizer, Overlap, bleu, chrf, tokenizer_of
from nlpseq.text.scripts import word_count

LENGTHS = (5, 10, 20, 40)  # upper bounds of the slices by length, in words of the source; the last is open
WHOLE, SPLIT, SHATTERED = "of 1 piece each", "one of 2 or 3 pieces", "one of 4 pieces or more"
RARITIES = (WHOLE, SPLIT, SHATTERED)  # of the rarest word of a source: rare words have no piece of their own


@dataclass
class Slice:
    """Some of the sentences, and their scores."""

    sentences: int
    bleu: Overlap
    chrf: Overlap


@dataclass
class TranslationReport:
    """What `evaluate` tells of a translator. Slices are in order, and none is empty.

    `tokenizer` is what BLEU was counted with, of the slices too. `notes` counts what kept the search from what the
    model would have said; `errors` are (chrF, source, reference, translation), the worst first.
    """

    all: Slice
    references: int
    tokenizer: BleuTokenizer = USUAL_TOKENIZER
    by_length: dict[str, Slice] = field(default_factory=dict)
    by_rarity: dict[str, Slice] = field(default_factory=dict)
    notes: int = 0
    errors: list[tuple[float, str, str, str]] = field(default_factory=list)


def report(
    translator: Translator,
    examples: Sequence[SentencePair],
    *,
    search: SearchConfig | None = None,
    lowercase: bool = False,
    worst: int = 5,
) -> TranslationReport:
    """Translates every source, of one line each, and compares with all its references."""
    found = translator.translate([example.source for example in examples], search)
    translations = [one.translation for one in found]
    tokenizer = tokenizer_of([example.targets for example in examples])

    def scored(indices: Sequence[int]) -> Slice:
        hypotheses = [translations[index] for index in indices]
        references = [examples[index].targets for index in indices]
        return Slice(
            len(indices),
            bleu(hypotheses, references, lowercase=lowercase, tokenizer=tokenizer),
            chrf(hypotheses, references, lowercase=lowercase),
        )

    lengths = [slice_of(word_count(example.source)) for example in examples]
    rarities = [rarity_of(translator, example.source) for example in examples]
    bounds = [slice_of(length) for length in (*LENGTHS, LENGTHS[-1] + 1)]
    return TranslationReport(
        all=scored(range(len(examples))),
        references=sum(len(example.targets) for example in examples),
        tokenizer=tokenizer,
        by_length={name: scored(chosen) for name in bounds if (chosen := _where(lengths, name))},
        by_rarity={name: scored(chosen) for name in RARITIES if (chosen := _where(rarities, name))},
        notes=sum(one.note is not None for one in found),
        errors=_worst(examples, translations, worst, lowercase=lowercase),
    )


def _where(names: Sequence[str], wanted: str) -> list[int]:
    return [index for index, name in enumerate(names) if name == wanted]


def slice_of(length: int) -> str:
    """The name of the slice by length: `1-5`, `6-10` and so on."""
    lows = (1, *(high + 1 for high in LENGTHS))
    return next((f"{low}-{high}" for low, high in zip(lows, LENGTHS, strict=False) if length <= high), f"{lows[-1]}-")


def rarity_of(translator: Translator, source: str) -> str:
    """The slice of a source by the word of it that has the most pieces."""
    most = max((len(ids) for ids in translator.pieces.source.ids_of_many(source.split())), default=1)
    return WHOLE if most <= 1 else SPLIT if most <= 3 else SHATTERED


def _worst(
    examples: Sequence[SentencePair], translations: Sequence[str], count: int, *, lowercase: bool
) -> list[tuple[float, str, str, str]]:
    """The translations that share least with a reference."""
    if not count:
        return []
    rows = [
        (chrf([translation], [example.targets], lowercase=lowercase).percent, example, translation)
        for example, translation in zip(examples, translations, strict=True)
    ]
    rows.sort(key=lambda row: row[0])
    return [(score, example.source, example.targets[0], translation) for score, example, translation in rows[:count]]
