"""`nlpseq inspect`: params, gradients, gates, attention of a trained model."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpseq.cli import options
from nlpseq.cli.once import OnceCommand
from nlpseq.errors import DataError, UsageError

if TYPE_CHECKING:
    from nlpseq.inspection import Gate, Memory

app = typer.Typer(
    name="inspect",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look inside a trained model: its weights, its gates, how far back it remembers, where it looks.",
)

DISTANCES = (1, 2, 4, 8, 16, 32, 64)
MOST_TEXTS = 50

Checkpoint = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A shipped checkpoint's name, or a folder.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What the model is to read, in quotes.")]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines, on a terminal too.")]


@app.command("params", cls=OnceCommand)
def params(checkpoint: Checkpoint, json: Json = False) -> None:
    """Show every weight: its shape, and what its values are like.

    Example: nlpseq inspect params tag-en
    """
    from nlpseq.cli.tables import show
    from nlpseq.inspection import weights

    found = list(weights(_loaded(checkpoint)))
    if _as_json(found, json):
        return
    rows = [
        (
            w.name,
            " x ".join(map(str, w.shape)),
            f"{w.values:,}",
            *(f"{v:.3f}" for v in (w.mean, w.deviation, w.largest)),
        )
        for w in found
    ]
    total = f"{sum(w.values for w in found):,}"
    show(("weight", "shape", "values", "mean", "deviation", "largest"), [*rows, ("all", "", total, "", "", "")])


@app.command("gradients", cls=OnceCommand, short_help="Show how far back each layer remembers.")
def gradients(
    context: typer.Context,
    checkpoint: Checkpoint,
    texts: options.Texts = None,
    source: options.Input = None,
    input_format: options.InputFormatOption = options.InputFormat.auto,
    text_key: options.TextKey = None,
    most: Annotated[
        int, typer.Option("--texts", metavar="N", min=1, help="How many texts are read, at most.")
    ] = MOST_TEXTS,
    furthest: Annotated[
        int, typer.Option("--furthest", metavar="K", min=1, help="The longest distance that is looked at.")
    ] = 100,
    json: Json = False,
) -> None:
    """Show how far back each layer remembers: the gradient of its last state, by the distance of the input.

    At distance k it is the norm of dh_T / dx_(T-k), shown as a part of that at distance 0, a mean over texts. Where
    gradients vanish, nothing is left after a few steps. Without texts, some of the sample corpus are read. A translator
    reads each text as one sentence; of a long text, a classifier reads the first window alone.

    Example: nlpseq inspect gradients tag-en -i my-lines.txt
    """
    from nlpseq.cli.explicit import must_not_be_given
    from nlpseq.cli.inputs import OF_A_FILE, first_texts
    from nlpseq.cli.tables import show
    from nlpseq.inspection import memory_of
    from nlpseq.speed import sample_texts

    if texts and source is not None:
        raise UsageError("TEXT and -i were both given. Give the inputs one way.")
    if source is None:
        must_not_be_given(context, OF_A_FILE, "no file was given with -i that could be read so")
    given = texts if source is None else first_texts(source, input_format.value, text_key, most)
    if source is not None and not any(text.strip() for text in given or ()):
        raise DataError("There is no text to be read.", source)
    wanted = given or sample_texts(checkpoint)
    found = memory_of(_loaded(checkpoint), wanted[:most], furthest=furthest)
    if not _as_json(found, json):
        distances = [k for k in DISTANCES if k < max(len(memory.gradients) for memory in found)]
        headers = ("layer", "cell", "reads", "texts", "half at", "1% at", *(f"k={k}" for k in distances))
        show(headers, [_remembered(memory, distances) for memory in found])


@app.command("gates", cls=OnceCommand, short_help="Show how far the gates of each layer open over a text.")
def gates(checkpoint: Checkpoint, text: Text, json: Json = False) -> None:
    """Show how far the gates of each layer open over a text, on average over its units.

    `forget` of an lstm and `update` of a gru keep the old state. A gate is closed below 0.1, open above 0.9.

    Example: nlpseq inspect gates sentiment-en "Not bad at all."
    """
    from nlpseq.cli.tables import show
    from nlpseq.inspection import gates_of

    found = list(gates_of(_loaded(checkpoint), text))
    if _as_json(found, json):
        return
    sentences: dict[int, list[Gate]] = {}
    for gate in found:
        sentences.setdefault(gate.sentence, []).append(gate)
    for here in sentences.values():
        rows = [
            (gate.layer, _reads(gate), gate.gate, f"{gate.mean:.2f}", f"{gate.closed:.0%}", f"{gate.open:.0%}")
            for gate in here
        ]
        show(("layer", "reads", "gate", "mean", "closed", "open"), rows)
        for tokens in dict.fromkeys(gate.tokens for gate in here):
            _draw(tokens, [gate for gate in here if gate.tokens == tokens])


@app.command("attention", cls=OnceCommand, short_help="Show where a translator looks, or what a classifier weighs.")
def attention(checkpoint: Checkpoint, text: Text, json: Json = False) -> None:
    """Show where a translator looks for each piece it writes, or which words a classifier weighs.

    Example: nlpseq inspect attention translate-en-fr "Do you want to sing with me?"
    """
    from nlpseq.inspection import attention_of

    found = attention_of(_loaded(checkpoint), text)
    if not _as_json([found], json):
        from nlpseq.render.heatmap import heat_map
        from nlpseq.render.terminal import console_for

        console = console_for(sys.stdout)
        for line in heat_map(found, console.width):
            console.print(line)


def _loaded(checkpoint: str) -> Any:
    from nlpseq.checkpoint import find_checkpoint, load_task

    return load_task(find_checkpoint(checkpoint))[0]


def _as_json(found: Iterable[object], wanted: bool) -> bool:
    """Whether what was found is for programs; if so it is written, a line each."""
    import msgspec

    if sys.stdout.isatty() and not wanted:
        return False
    for one in found:
        typer.echo(msgspec.json.encode(one).decode())
    return True


def _reads(read: Gate | Memory) -> str:
    return "←" if read.backwards else "→"


def _remembered(memory: Memory, distances: Iterable[int]) -> tuple[str, ...]:
    first = memory.gradients[0]
    shares = (
        f"{100 * memory.gradients[k] / first:.1f}%" if first and k < len(memory.gradients) else "" for k in distances
    )
    never = f"> {len(memory.gradients) - 1}"
    marks = (never if k is None else str(k) for k in (memory.half, memory.hundredth))
    return (memory.layer, memory.cell, _reads(memory), str(memory.texts), *marks, *shares)


def _named(gate: Gate) -> str:
    """Short, for a line of a map: the part of the network, the number of its layer, the gate."""
    part, *others = gate.layer.split(".")
    number = next((other for other in others if other.isdigit()), "")
    return f"{part[:3]}{number} {_reads(gate)} {gate.gate}"


def _draw(tokens: tuple[str, ...], gates: Sequence[Gate]) -> None:
    from nlpseq.records import Attention
    from nlpseq.render.heatmap import heat_map
    from nlpseq.render.terminal import console_for

    console = console_for(sys.stdout)
    drawn = Attention(tokens, tuple(map(_named, gates)), tuple(gate.by_token for gate in gates))
    for line in ("", *heat_map(drawn, console.width), ""):
        console.print(line)
