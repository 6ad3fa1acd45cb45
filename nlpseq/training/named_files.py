"""The files that settings name: what a run depends on beside its settings and its examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nlpseq.config import EmbeddingConfig, Section
from nlpseq.tasks import tagging_config, translation_config
from nlpseq.tasks.mentions import named_file


def named_files(config: Section) -> Iterator[Path]:
    """Every file of vectors or names below `config` that there is, in the order of the settings."""
    return (path for path in _named(config) if path.is_file())


def _named(section: Section) -> Iterator[Path]:
    match section:
        case EmbeddingConfig(vectors=str(vectors)):
            yield Path(vectors)
        case tagging_config.AugmentConfig(names=names):
            yield from (
                named_file(one) for patterns in names.values() for pattern in patterns for one in pattern.split()
            )
        case translation_config.AugmentConfig(names=lists):
            yield from map(named_file, lists)
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _named(value)
