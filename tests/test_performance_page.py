"""The page of measurements says what the results say; what is compared is compared the right way round."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def _on_the_path() -> Iterator[None]:
    """The scripts import one another from their folder, as they do when they are run."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def module(name: str) -> Any:
    return importlib.import_module(name)


def a_result(**changes: Any) -> Any:
    results = module("harness.results")
    rows = (
        results.Row("nlpseq, 1 process", {"words/s": results.Measured.of([90.0, 100.0, 120.0])}, True),
        results.Row("nlpseq, 2 processes", {"words/s": results.Measured.of([200.0])}, True),
        results.Row("peer", {"words/s": results.Measured.of([50.0, 40.0, 60.0]), "training, s": 1234.5}),
    )
    table = results.Table("Speed", "What it is about.", rows, changes.get("compared", {"words/s": "more"}))
    return results.make_result("tagging", "python x", {"nlpseq": "0.1.0"}, [table], {"flair": "no wheel"})


def test_the_page_says_what_the_results_say() -> None:
    """Who changes a result runs benchmarks/report.py; figures are not typed by hand."""
    report = module("report")
    page = report.PAGE.read_text(encoding="utf-8")
    assert page == report.filled(page, report.report(report.RESULTS))


def test_every_result_has_a_place_on_the_page() -> None:
    report = module("report")
    assert {path.stem for path in report.RESULTS.glob("*.json")} <= set(report.TITLES)


def test_every_script_of_the_page_is_there_and_every_result_comes_from_one() -> None:
    scripts = {path.stem for path in BENCHMARKS.glob("*.py")}
    assert {name.replace("-", "_") for name in module("report").TITLES} <= scripts


def test_what_was_not_measured_is_not_on_the_page(tmp_path: Path) -> None:
    report = module("report")
    assert report.report(tmp_path) == ""
    module("harness.results").save(a_result(), tmp_path / "tagging.json")
    text = report.report(tmp_path)
    assert text.count("\n## ") + text.startswith("## ") == 1
    page = f"# Title\n{report.BEGIN}\nold figures\n{report.END}\nThe end\n"
    filled = report.filled(page, text)
    assert "old figures" not in filled
    assert filled.endswith(f"{report.END}\nThe end\n")
    assert report.filled(filled, text) == filled


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        module("report").filled("# Title\n", "text")


def test_a_result_reads_back_as_it_was_written(tmp_path: Path) -> None:
    results, result = module("harness.results"), a_result()
    results.save(result, tmp_path / "a.json")
    assert results.read(tmp_path / "a.json") == result


def test_the_best_of_ours_is_held_against_each_of_theirs() -> None:
    lines = module("harness.results").as_markdown(a_result()).splitlines()
    assert "| | words/s | ours, times | training, s |" in lines
    assert "| nlpseq, 1 process | 100 (90.0 to 120) |  |  |" in lines
    assert "| nlpseq, 2 processes | 200 |  |  |" in lines
    assert "| peer | 50.0 (40.0 to 60.0) | 4.00 | 1,234 |" in lines
    assert lines[-1] == "Not measured: flair (no wheel)."


def test_where_less_is_better_the_ratio_is_turned() -> None:
    text = module("harness.results").as_markdown(a_result(compared={"words/s": "less"}))
    assert "| peer | 50.0 (40.0 to 60.0) | 0.50 |" in text  # ours takes 100 at best, twice theirs


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_a_ratio_above_one_says_that_ours_is_better(ours: float, theirs: float) -> None:
    times = module("harness.results").times_better
    assert (times(ours, theirs, "more") > 1) == (ours > theirs)
    assert (times(ours, theirs, "less") > 1) == (ours < theirs)


def test_every_package_that_a_peer_needs_is_pinned() -> None:
    for path in (BENCHMARKS / "requirements").glob("*.txt"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert lines, path.name
        assert all(line.count("==") == 1 for line in lines), path.name
