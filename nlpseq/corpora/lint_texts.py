"""Faults of corpora of labelled texts: what the readers would stop at, and what spoils a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nlpseq.corpora.raw import Finding, Severity
from nlpseq.corpora.tables import USUAL_FIELDS, Fields
from nlpseq.corpora.texts import WHOLE, TextOptions, read_texts
from nlpseq.errors import DataError, UsageError
from nlpseq.records import LabelledText

TEXT_CODES: Mapping[str, tuple[Severity, str]] = {
    "file-unreadable": (
        "error",
        "The file is missing, damaged, not UTF-8, or a row of it is broken: reading ends here.",
    ),
    "file-empty": ("error", "The file holds no text."),
    "text-empty": ("warning", "A text is empty or of white space only."),
    "text-contradicted": ("warning", "A text comes twice with different labels."),
    "label-missing": ("note", "A text has no label at all."),
    "label-unseen": ("warning", "A label occurs in a later split, but never in the first."),
    "label-alike": ("warning", "A label differs from another of its scheme in case alone; they are learnt as two."),
    "label-alone": ("warning", "All texts of the first split have the same label; there is nothing to learn."),
    "text-leaked": ("warning", "A text of a later split is in an earlier one as well."),
    "text-repeated": ("note", "A text comes twice in one file."),
}


def lint_texts(
    splits: Mapping[str, str | Path],
    *,
    format: str | None = None,
    fields: Fields = USUAL_FIELDS,
    options: Mapping[str, TextOptions] | None = None,
) -> Iterator[Finding]:
    """Yield what is wrong with files of labelled texts, the training split first. Nothing raises DataError.

    Texts and labels are compared between the splits; memory grows by one key for each text. Where a text has
    probabilities, its label is the likeliest; in the first split all others above 0 occur too, since they are learnt.
    """
    seen: dict[int, tuple[str, LabelledText]] = {}  # key of a text -> split, and the first example of it
    known: dict[str, set[str]] = {}  # scheme -> labels of the first split
    for index, (split, path) in enumerate(splits.items()):
        count = 0
        try:
            for example in read_texts(path, format=format, fields=fields, options=(options or {}).get(split, WHOLE)):
                count += 1
                yield from _itself(example)
                yield from _before(example, split, seen)
                yield from _labels(example, known, first=index == 0)
            yield from _alone(path, known) if index == 0 else ()
        except (DataError, UsageError) as error:
            line = error.line or 0 if isinstance(error, DataError) else 0
            what = error.what if isinstance(error, DataError) else str(error).removeprefix(f"{path}: ")
            yield Finding(str(path), line, "error", "file-unreadable", what)
            count = -1
        if not count:
            yield Finding(str(path), 0, "error", "file-empty", "There is no text in the file.")


def _itself(example: LabelledText) -> Iterator[Finding]:
    if not example.text.strip():
        yield _finding(example, "text-empty", "The text is empty.")
    if not example.labels and not example.soft:
        yield _finding(example, "label-missing", "The text has no label.")


def _before(example: LabelledText, split: str, seen: dict[int, tuple[str, LabelledText]]) -> Iterator[Finding]:
    """The text, whatever its white space, somewhere before."""
    where, first = seen.setdefault(hash(" ".join(example.text.split())), (split, example))
    if first is example or not example.text.strip():
        return
    place = f"{first.path}:{first.line or first.text_id} ({where})"
    if where != split:
        yield _finding(example, "text-leaked", f"The same text is in {place}.")
    else:
        yield _finding(example, "text-repeated", f"The same text is at {place}.")
    settled = first.settled()
    other = [s for s, label in example.settled().items() if settled.get(s, label) != label]
    if other:
        yield _finding(example, "text-contradicted", f"{', '.join(other)}: the same text has another at {place}.")


def _labels(example: LabelledText, known: dict[str, set[str]], *, first: bool) -> Iterator[Finding]:
    """Labels that the first split has not, each told once; nothing where the whole scheme is new."""
    learnt = [(s, label) for s, shares in example.soft.items() for label, share in shares.items() if first and share]
    for scheme, label in (*example.settled().items(), *learnt):
        own = known.get(scheme, set())
        alike = [] if label in own else [other for other in own if other.casefold() == label.casefold()]
        if alike:
            yield _finding(example, "label-alike", f"{scheme} {label} differs from {alike[0]} in case alone.")
        if first:
            known.setdefault(scheme, set()).add(label)
        elif scheme in known and label not in known[scheme]:
            known[scheme].add(label)
            yield _finding(example, "label-unseen", f"{scheme} {label} is not in the first split.")


def _alone(path: str | Path, known: Mapping[str, set[str]]) -> Iterator[Finding]:
    for scheme, labels in known.items():
        if len(labels) == 1:
            what = f"All have the {scheme} {next(iter(labels))}."
            yield Finding(str(path), 0, TEXT_CODES["label-alone"][0], "label-alone", what)


def _finding(example: LabelledText, code: str, message: str) -> Finding:
    if example.line is None and example.text_id:
        message = f"{example.text_id}: {message}"
    return Finding(example.path or "", example.line or 0, TEXT_CODES[code][0], code, message)
