"""What a model must have in common with those that it learns from: the labels, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nlpseq.errors import UsageError, some
from nlpseq.text.vocab import Vocabulary

Labels = Mapping[str, Vocabulary]  # by column, or scheme


def must_share_labels(own: Labels, teacher: Labels, name: object = "A teacher") -> None:
    """Raises UsageError where a teacher, of that name, has other labels: in which columns, and which."""
    differing = "; ".join(_differences(own, teacher))
    if differing:
        raise UsageError(
            f"{name}: has other labels than the training examples: {differing}. Teach with a checkpoint that was "
            "trained on the same ones."
        )


def _differences(own: Labels, teacher: Labels) -> Iterator[str]:
    for column in dict.fromkeys((*own, *teacher)):
        if column not in teacher:
            yield f"{column} is of the examples alone"
        elif column not in own:
            yield f"{column} is of the teacher alone"
        else:
            yield from _in_column(column, own[column].symbols, teacher[column].symbols)


def _in_column(column: str, own: tuple[str, ...], teacher: tuple[str, ...]) -> Iterator[str]:
    alone = {"the examples": sorted(set(own) - set(teacher)), "the teacher": sorted(set(teacher) - set(own))}
    told = [f"{some(labels, 4)} of {whose} alone" for whose, labels in alone.items() if labels]
    if told or own != teacher:
        yield f"{column} has {', and '.join(told) or 'the same ones in another order'}"
