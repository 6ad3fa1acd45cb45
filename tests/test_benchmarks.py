"""Benchmarks that keep what they have made: what was made under other conditions is not taken for it."""

from __future__ import annotations

import importlib
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from nlpseq.records import SentencePair

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module(request.param)


def table(script: Any, capsys: pytest.CaptureFixture[str], results: Path, **options: str) -> list[str]:
    script.table(Namespace(results=results, **options))
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("script", ["reversal"], indirect=True)
def test_the_page_has_the_table_of_the_results(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lines = table(script, capsys, ROOT / "docs" / "reversal.jsonl")
    assert "\n".join(lines) in (ROOT / "docs" / "reversal.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["reversal"], indirect=True)
def test_rows_of_other_budgets_and_seeds_are_compared_with_their_own_kind(
    script: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    row = {"pair": "en-fr", "attention": "none", "cell": "gru", "train_pairs": 20_000, "epochs": 6, "reverse": False}
    rows = [row | {"bleu": 10}, row | {"reverse": True, "bleu": 11}]  # as they were before there were seeds
    rows += [
        row | {"epochs": 3, "bleu": 5},
        row | {"seed": 2, "bleu": 20},
        row | {"seed": 2, "reverse": True, "bleu": 18},
    ]
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert table(script, capsys, results)[2:] == [
        "| en-fr, 6 epochs, seed 1 | none | gru | 10.00 | 11.00 | +1.00 |",
        "| en-fr, 3 epochs, seed 1 | none | gru | 5.00 |  |  |",
        "| en-fr, 6 epochs, seed 2 | none | gru | 20.00 | 18.00 | -2.00 |",
    ]


@pytest.mark.parametrize("script", ["reversal"], indirect=True)
def test_what_was_trained_with_another_seed_is_still_missing(script: Any, tmp_path: Path) -> None:
    given = {"pairs": ["a=b"], "train_pairs": 9, "epochs": 2, "longest": 0, "dev_pairs": 5, "seed": 1}
    results = tmp_path / "results.jsonl"
    first = [row for row, _ in script.missing(Namespace(results=results, **given))]
    results.write_bytes(b"".join(script.msgspec.json.encode(row) + b"\n" for row in first))
    left = [len(list(script.missing(Namespace(results=results, **(given | {"seed": seed}))))) for seed in (1, 2)]
    assert left == [0, len(first)]


@pytest.mark.parametrize("script", ["ablation"], indirect=True)
def test_only_rows_of_the_same_conditions_are_averaged_and_compared(
    script: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def row(start: str, seed: int, score: float, epochs: int = 6) -> dict[str, Any]:
        scores = {"polarity": score, "stars": score}
        return {"task": "sentiment", "start": start, "part": 10, "seed": seed, "epochs": epochs, "examples": 80} | {
            "scores": scores
        }

    rows = [row("none", 1, 70), row("none", 1, 50, 3), row("lm", 1, 72), row("lm", 2, 90), row("other", 3, 80)]
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert table(script, capsys, results, task="sentiment")[2:] == [
        "| none | 10% (80) | 3 | 1 | 50.00 | 50.00 |",
        "| none | 10% (80) | 6 | 1 | 70.00 | 70.00 |",
        "| lm | 10% (80) | 6 | 1, 2 | 81.00 ± 12.73 (+2.00) | 81.00 ± 12.73 (+2.00) |",
        "| other | 10% (80) | 6 | 3 | 80.00 | 80.00 |",
    ]


@pytest.mark.parametrize("script", ["translation"], indirect=True)
def test_data_and_models_of_another_corpus_or_time_are_not_taken(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(specs: list[str], part: str) -> list[SentencePair]:
        return [SentencePair(source=f"{part} of {specs[0]}", targets=("x",))]

    monkeypatch.setattr(script.data, "read_pair_sources", read)

    def kept(corpus: str, minutes: float) -> list[Path]:
        given = Namespace(corpus=corpus, minutes=minutes)
        setting = script.Setting(given, Namespace(work=tmp_path, quick=False))
        return [setting.data / "train.source", *setting.models.values()]

    one, other = kept("multi30k@en-fr", 1), kept("multi30k@de-en", 1)
    assert not set(one) & set(other)
    assert one[0].read_text() != other[0].read_text()
    assert one[0] == kept("multi30k@en-fr", 2)[0]
    assert not set(one[1:]) & set(kept("multi30k@en-fr", 2)[1:])
