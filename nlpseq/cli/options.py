"""Every option that several commands share, declared once: flag, then variable, then default."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How tagged texts are written."""

    auto = "auto"
    rich = "rich"
    text = "text"
    jsonl = "jsonl"
    tsv = "tsv"
    conllu = "conllu"
    html = "html"


class TextFormat(StrEnum):
    """How judged and translated texts are written."""

    auto = "auto"
    rich = "rich"
    text = "text"
    jsonl = "jsonl"
    tsv = "tsv"
    html = "html"


class LineFormat(StrEnum):
    """How continued texts are written."""

    auto = "auto"
    rich = "rich"
    text = "text"
    jsonl = "jsonl"


class InputFormat(StrEnum):
    """How inputs are read."""

    auto = "auto"
    lines = "lines"
    tokens = "tokens"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    conllu = "conllu"


class DeviceName(StrEnum):
    """Where a model runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT", show_default=False, help="Texts, each one input, in quotes."),
]
Input = Annotated[
    str | None,
    typer.Option("-i", "--input", metavar="FILE", help="Read inputs from FILE (gz, xz and zip too); - is stdin."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write to FILE, which appears only when complete; its suffix chooses the format (.txt: text).",
    ),
]
_FORMAT = typer.Option("-f", "--format", help="auto: rich on a terminal; for programs in a pipe.")
OutputFormat = Annotated[Format, _FORMAT]
OutputTextFormat = Annotated[TextFormat, _FORMAT]
OutputLineFormat = Annotated[LineFormat, _FORMAT]
Checkpoint = Annotated[
    str,
    typer.Option(
        "-c", "--checkpoint", metavar="NAME|FOLDER", envvar="NLPSEQ_CHECKPOINT",
        help="A shipped checkpoint's name, or a folder.",
    ),
]  # fmt: skip
Device = Annotated[
    DeviceName,
    typer.Option("--device", envvar="NLPSEQ_DEVICE", help="Where the model runs."),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        envvar="NLPSEQ_THREADS",
        help="CPU cores to use; by default all, for a training those that are free.",
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        metavar="N",
        min=1,
        envvar="NLPSEQ_BATCH_SIZE",
        help="Inputs read and predicted together.",
    ),
]
BeamSize = Annotated[
    int | None,
    typer.Option("--beam-size", metavar="N", min=1, help="Hypotheses that a search keeps; 1 is fastest (greedy)."),
]
InputFormatOption = Annotated[
    InputFormat,
    typer.Option(
        "--input-format",
        help="auto: by the name of the file (.jsonl, .ndjson, .conllu), jsonl with --text-key (csv or tsv, if the file "
        "is named so), else lines; lines: one text per line; tokens: the same, already tokenised with spaces; "
        "jsonl: objects with a text or tokens; csv, tsv: tables with headings; conllu: tokenised sentences.",
    ),
]
TextKey = Annotated[
    str | None,
    typer.Option(
        "--text-key",
        metavar="KEY",
        help='The key of the text in JSON Lines, or its column in a table; "text" if not given.',
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Stop at the first input that fails (else the rest is done, exit code 3)."),
]
TextColumn = Annotated[
    str | None,
    typer.Option("--text-column", metavar="NAME", help="The column of the texts, in CSV, TSV or JSON Lines."),
]
LabelColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--label-column", metavar="NAME[=SCHEME]",
        help="A column of labels; its scheme is polarity, stars, or its own name. May be repeated.",
    ),
]  # fmt: skip
SourceColumn = Annotated[
    str | None,
    typer.Option(
        "--source-column",
        metavar="NAME|N",
        help="Of pairs in CSV, TSV or JSON Lines: heading, number or key of the sources.",
    ),
]
TargetColumn = Annotated[
    str | None,
    typer.Option("--target-column", metavar="NAME|N", help="The same, of their translations."),
]
FromLanguage = Annotated[
    str | None, typer.Option("--from", metavar="CODE", help="The language that is translated: en, fr, de.")
]
ToLanguage = Annotated[
    str | None, typer.Option("--to", metavar="CODE", help="The language that it is translated into.")
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror", metavar="FOLDER", envvar="NLPSEQ_CORPORA_MIRROR",
        help="Take corpora from FOLDER/CORPUS/FILE instead of the network.",
    ),
]  # fmt: skip
