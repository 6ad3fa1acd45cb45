"""Tag sequences and the spans they spell: the one place where BIO tags become spans and back.

IOB2 (Tjong Kim Sang & Veenstra 1999): `B-X` begins a span of class X, `I-X` continues it, `O` is outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LabelledSpan = tuple[str, int, int]  # label, first token, one past the last token


def split_tag(tag: str) -> tuple[str, str]:
    """`"B-PER"` -> `("B", "PER")`; `"O"` -> `("O", "")`. Raises ValueError for what is no BIO-like tag."""
    if tag == "O":
        return "O", ""
    prefix, dash, label = tag.partition("-")
    if not dash or not label or prefix not in {"B", "I", "E", "S", "L", "U"}:
        raise ValueError(f"{tag!r} is not a tag like O, B-PER or I-PER")
    return prefix, label


def spans_of(tags: Sequence[str]) -> list[LabelledSpan]:
    """Spans of an IOB1, IOB2, IOBES or BILOU sequence, as conlleval counts them.

    A span begins at B, S or U, and wherever the class changes or follows a closed span; it ends at E, L,
    S or U, or where the class changes. So an `I-X` with nothing of class X before it begins a span.
    """
    spans: list[LabelledSpan] = []
    if tags.count("O") == len(tags):
        return spans
    start, current = 0, ""
    for index, tag in enumerate(tags):
        prefix, label = split_tag(tag)
        if current and (label != current or prefix in {"B", "S", "U"}):
            spans.append((current, start, index))
            current = ""
        if label and not current:
            start, current = index, label
        if current and prefix in {"E", "L", "S", "U"}:
            spans.append((current, start, index + 1))
            current = ""
    if current:
        spans.append((current, start, len(tags)))
    return spans


def iob2_of(spans: Iterable[LabelledSpan], length: int) -> list[str]:
    """The IOB2 tags of `length` tokens that spell `spans`. Raises ValueError where spans overlap."""
    tags = ["O"] * length
    for label, start, end in spans:
        if not 0 <= start < end <= length:
            raise ValueError(f"span {label} from {start} to {end} does not lie within {length} tokens")
        if any(tag != "O" for tag in tags[start:end]):
            raise ValueError(f"span {label} from {start} to {end} overlaps another")
        tags[start] = f"B-{label}"
        tags[start + 1 : end] = [f"I-{label}"] * (end - start - 1)
    return tags


def can_follow(previous: str | None, tag: str | None) -> bool:
    """Whether `tag` may follow `previous` in IOB2; None stands for the sentence's start or its end."""
    if tag is None or not tag.startswith("I-"):
        return True
    return previous is not None and previous[1:] == tag[1:]
