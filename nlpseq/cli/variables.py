"""The NLPSEQ_* variables that mean something, and a word about those that do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

PREFIX = "NLPSEQ_"
KNOWN = frozenset(
    {
        "NLPSEQ_BATCH_SIZE", "NLPSEQ_BENCH_CACHE", "NLPSEQ_CACHE", "NLPSEQ_CHECKPOINT", "NLPSEQ_CORPORA_MIRROR",
        "NLPSEQ_DEBUG", "NLPSEQ_DEVICE", "NLPSEQ_PRECISION", "NLPSEQ_THREADS",
    }
)  # fmt: skip


def unknown(variables: Iterable[str]) -> list[str]:
    """A sentence for each NLPSEQ_* variable that has no effect; the settings of trainings are known too."""
    odd = sorted(name for name in variables if name.startswith(PREFIX) and name not in KNOWN)
    if not odd:
        return []
    known = KNOWN | _settings()
    return [_sentence(name, known) for name in odd if name not in known]


def _settings() -> set[str]:
    from nlpseq.description import describe
    from nlpseq.tasks.language_config import LanguageModelConfig
    from nlpseq.tasks.sentiment_config import SentimentConfig
    from nlpseq.tasks.tagging_config import TaggingConfig
    from nlpseq.tasks.translation_config import TranslationConfig

    configs = (TaggingConfig, SentimentConfig, TranslationConfig, LanguageModelConfig)
    names = (name for config in configs for name, _, _ in describe(config))
    return {f"NLPSEQ_{name.upper().replace('.', '__')}" for name in names}


def _sentence(name: str, known: Collection[str]) -> str:
    bare = sorted(other.removeprefix(PREFIX) for other in known)
    near = get_close_matches(name.removeprefix(PREFIX), bare, n=1)  # with what all share, any would be near
    if near:
        hint = f"Did you mean {PREFIX}{near[0]}?"
    else:
        hint = f"Known: {', '.join(sorted(KNOWN))}, and {PREFIX}SECTION__SETTING."
    return f"Note: the variable {name} has no effect. {hint}"
