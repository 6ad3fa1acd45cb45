"""`nlpseq corpora`: list, info, get, lint, convert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlpseq.cli import options
from nlpseq.cli.once import OnceCommand

if TYPE_CHECKING:
    from nlpseq.corpora.pairs import PairFields
    from nlpseq.corpora.raw import Finding
    from nlpseq.corpora.tables import Fields

app = typer.Typer(
    name="corpora",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Corpora by name: see them, get them; and your own: check and convert them.",
)

Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="NAMES", help="What the columns are, as token,xpos,ner; _ is passed over."),
]
ReadFormat = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="conllu, columns or jsonl; of labelled texts trees, reviews, csv, tsv or jsonl; "
        "of pairs lines, csv, tsv or jsonl; else it is detected.",
    ),
]
TaggedFormat = Annotated[
    str | None, typer.Option("--from", metavar="FORMAT", help="conllu, columns or jsonl; else it is detected.")
]


@app.command("list", cls=OnceCommand)
def list_corpora() -> None:
    """List the corpora that are known by name."""
    from nlpseq.cli.tables import show
    from nlpseq.corpora.download import whereabouts
    from nlpseq.corpora.registry import registry

    rows = [
        (
            name,
            corpus.task,
            ",".join(corpus.languages),
            ",".join(corpus.columns),
            corpus.licence,
            whereabouts(name),
        )
        for name, corpus in registry().items()
    ]
    show(("name", "task", "languages", "columns", "licence", "here"), rows)


@app.command(cls=OnceCommand)
def info(name: Annotated[str, typer.Argument(metavar="NAME", help="A corpus of the list.")]) -> None:
    """Show what is known of a corpus: its files, licence and citation."""
    from nlpseq.cli.tables import show
    from nlpseq.corpora.parallel import directions
    from nlpseq.corpora.registry import find_corpus

    corpus = find_corpus(name)
    maps = [(f"label map {key}", ", ".join(f"{a}={b}" for a, b in m.items())) for key, m in corpus.label_maps.items()]
    rows = [
        ("name", name),
        ("title", corpus.title),
        ("task", corpus.task),
        ("languages", ", ".join(corpus.languages)),
        ("directions", ", ".join(map(str, directions(name))) if corpus.task == "translate" else ""),
        ("columns", ", ".join(corpus.columns)),
        ("licence", corpus.licence),
        ("citation", corpus.citation),
        ("homepage", corpus.homepage),
        ("joined onto", corpus.join or ""),
        ("note", corpus.note),
        *maps,
        *(
            (what.format(key), value)
            for key, f in corpus.splits.items()
            for what, value in (("split {}", f.address or f.file or ""), ("{} SHA-256", f.sha256 or ""))
        ),
    ]
    show(("key", "value"), [row for row in rows if row[1]])


@app.command(cls=OnceCommand, short_help="Get corpora: download and verify their files.")
def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Corpora of the list.")],
    mirror: options.Mirror = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", metavar="SPLIT", help="Only this split; give it again for another."),
    ] = None,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Take files of unknown SHA-256 too, and record it for later."),
    ] = False,
) -> None:
    """Get corpora: download their files, verify them, and keep them in the cache.

    Without --split, every split whose SHA-256 is known. What cannot be trusted is not kept (exit code 4).

    Example: nlpseq corpora get uner-english-ewt wnut17
    """
    from nlpseq.cli.tables import TransferBar, show, tell
    from nlpseq.corpora.download import fetch
    from nlpseq.corpora.registry import files_wanted

    wanted = []
    for name in names:
        files = files_wanted(name, split, unverified=unverified)
        if not files:
            tell(f"{name}: the SHA-256 of none of its files is known. --unverified takes them as they come.")
        wanted += files
    rows = []
    for name, part in dict.fromkeys(wanted):
        with TransferBar(f"{name} {part}") as progress:
            path = fetch(name, part, mirror, unverified=unverified, progress=progress)
        rows.append((name, part, str(path)))
    show(("name", "split", "file"), rows)


# What an option of `lint` is for, and what is said where something else is checked.
_KIND_OF = {"columns": "tagged", **dict.fromkeys(("text_column", "label_column"), "texts")}
_KIND_OF |= dict.fromkeys(("source_column", "target_column"), "pairs")
_IS_OF = {
    "tagged": "of tagged files",
    "texts": "of tables of labelled texts, which are checked with --texts",
    "pairs": "of tables of pairs, which are checked with --pairs",
}


@app.command(cls=OnceCommand, short_help="Check tagged files, labelled texts or pairs.")
def lint(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...|NAME", help="Files, the training split first; or one corpus."),
    ],
    mirror: options.Mirror = None,
    columns: Columns = None,
    format: ReadFormat = None,
    texts: Annotated[bool, typer.Option("--texts", help="The files are labelled texts, not tagged sentences.")] = False,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumns = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="The files are sentences with translations; parallel files by twos.")
    ] = False,
    source_column: options.SourceColumn = None,
    target_column: options.TargetColumn = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Show all findings on a terminal, not just the first 20 of a kind.")
    ] = False,
) -> None:
    """Check tagged files, labelled texts or pairs, and report all that is wrong: tags, columns, leaks between splits.

    Of a corpus for translation a direction may be named: NAME@en-fr. Exit code 1 if there are errors.
    """
    from nlpseq.cli.explicit import must_not_be_given
    from nlpseq.cli.tables import show_places, tell
    from nlpseq.corpora.pairs import PairFields
    from nlpseq.corpora.tables import Fields

    if texts and pairs:
        raise typer.BadParameter("labelled texts and pairs are checked one at a time.", param_hint="--texts --pairs")
    own = _is_parallel(files)
    if own or _is_named(files):
        must_not_be_given(context, {*_KIND_OF, "format"}, f"{files[0]} is read as the registry says")
    kind = "pairs" if pairs or own else "texts" if texts else "tagged"
    for name, only in _KIND_OF.items():
        if kind != only:
            must_not_be_given(context, {name}, _IS_OF[only])
    if kind == "pairs":
        found = _pair_findings(files, own, mirror, format, PairFields(source_column, target_column))
    else:
        fields = Fields(text_column, tuple(label_column or ()))
        found = _findings(files, mirror, columns, format, texts, fields)
    counts = {"error": 0, "warning": 0, "note": 0}

    def rows() -> Iterator[tuple[str, ...]]:
        for finding in found:
            counts[finding.severity] += 1
            where = f"{finding.path}:{finding.line}" if finding.line else finding.path  # 0: of the whole file
            yield where, finding.severity, finding.code, finding.message

    show_places(("where", "severity", "code", "message"), rows(), whole=whole)
    tell(", ".join(f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items()))
    if counts["error"]:
        raise typer.Exit(1)


def _is_named(files: list[str]) -> bool:
    """Whether one corpus is named."""
    from nlpseq.corpora.registry import registry

    return len(files) == 1 and files[0] in registry() and not Path(files[0]).exists()


def _is_parallel(files: list[str]) -> bool:
    """Whether one corpus for translation is named."""
    from nlpseq.corpora.registry import registry

    corpus = registry().get(files[0].partition("@")[0])
    return len(files) == 1 and corpus is not None and corpus.task == "translate" and not Path(files[0]).exists()


def _pair_findings(
    files: list[str], named: bool, mirror: Path | None, format: str | None, fields: PairFields
) -> Iterator[Finding]:
    """What is wrong with files of pairs, or with the splits of one parallel corpus by name."""
    from nlpseq.corpora.lint_pairs import lint_pairs
    from nlpseq.corpora.pairs import grouped, raw_pairs
    from nlpseq.corpora.parallel import all_files, chosen_direction, open_pairs

    if named:
        name, _, given = files[0].partition("@")
        direction = chosen_direction(name, given or None)
        splits = all_files(name, direction, mirror)
        return lint_pairs(splits, lambda split, _: open_pairs(name, split, direction, mirror))
    groups = {" ".join(group): group for group in _once(grouped(files))}
    return lint_pairs(groups, lambda _, paths: raw_pairs(paths, format=format, fields=fields))


def _once(groups: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The same, each the files of a split. Raises UsageError where two splits are the same."""
    from nlpseq.errors import UsageError

    for index, group in enumerate(groups):
        if group in groups[:index]:
            raise UsageError(f"{' '.join(group)}: is named twice: all of it would be in two splits. Name it once.")
    return groups


def _findings(
    files: list[str], mirror: Path | None, columns: str | None, format: str | None, texts: bool, fields: Fields
) -> Iterator[Finding]:
    """What is wrong with the files, or with the splits of one corpus by name."""
    from nlpseq.corpora.download import files_here
    from nlpseq.corpora.lint import lint as lint_tagged
    from nlpseq.corpora.lint_texts import lint_texts
    from nlpseq.corpora.registry import find_corpus, registry
    from nlpseq.errors import UsageError

    for name in files:  # a word that is neither is most likely a corpus, mistyped
        if not Path(name).exists() and name not in registry() and "." not in name:
            find_corpus(name)
    if len(files) > 1 and any(name in registry() and not Path(name).exists() for name in files):
        raise UsageError("Corpora by name are checked one at a time.")
    named = registry()[files[0]] if _is_named(files) else None
    if named and named.task == "lm":
        raise UsageError(f"{files[0]} is plain text, in which there are no labels to be checked.")
    splits = files_here(files[0], mirror) if named else {name: Path(name) for (name,) in _once([(f,) for f in files])}
    reader = named.reader if named else format
    if texts or (named and named.task == "sentiment"):
        apart = {split: path for split, path in splits.items() if not named or split in {"train", "dev", "test"}}
        wanted = {split: file.options for split, file in named.splits.items()} if named else {}
        return lint_texts(apart, format=reader, fields=fields, options=wanted)
    return lint_tagged(splits, format=reader, columns=columns.split(",") if columns else None)


@app.command(cls=OnceCommand, short_help="Convert a tagged file to another format.")
def convert(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A tagged file; .gz, .xz, .zip and A.zip#B too.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="conllu, jsonl or iob2.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE, once complete.")
    ] = None,
    format: TaggedFormat = None,
    columns: Columns = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="OLD=NEW", help="Rename an entity label; to O drops it. Again for more."),
    ] = None,
    snap: Annotated[bool, typer.Option("--snap", help="Let a span grow to the tokens that it touches.")] = False,
) -> None:
    """Convert a tagged file; stderr says what the new format cannot hold.

    From conllu to conllu labels are renamed, and all else stays as it is.

    Example: nlpseq corpora convert entities.jsonl --to conllu -o entities.conllu
    """
    from nlpseq.cli.streams import output as open_output
    from nlpseq.cli.tables import tell
    from nlpseq.corpora import convert as conversion
    from nlpseq.corpora.labels import parse_label_map
    from nlpseq.corpora.reading import format_of, read_tagging
    from nlpseq.text.tokenizer import Tokenizer

    label_map = parse_label_map(label or ())
    names = columns.split(",") if columns else None
    conversion.must_be_target(to)
    own = format_of(source, format, names)
    if snap and own != "jsonl":
        raise typer.BadParameter(f"{own} has no spans; only jsonl has.", param_hint="--snap")
    if output:
        conversion.must_not_lose(source, output, format=own, to=to)
    sentences = read_tagging(
        source,
        format=own,
        columns=names,
        tokenize=Tokenizer().words,
        snap=snap,
    )
    with open_output(output) as out:
        report = conversion.convert_file(source, sentences, out, format=own, to=to, label_map=label_map)
    for name, count in report.dropped.items():
        tell(f"{to} holds no {name}: dropped from {count} of {report.sentences} sentences.")
    if report.unmet:
        tell(f"Note: no entity is labelled {' or '.join(report.unmet)}, which --label was to rename.")
