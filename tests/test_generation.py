"""The pipeline of a language model, as users hold it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import nlpseq
from nlpseq.api import load_light
from nlpseq.errors import UsageError
from nlpseq.generation import GenerationPipeline
from nlpseq.light.arrays import softmax
from nlpseq.records import Continuation, Failure
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.text.units import RESERVED, Characters
from nlpseq.text.vocab import Vocabulary
from nlpseq.writing.prompt import Prompt
from tests.languages import counting, manifest, pipeline, small, trained, untrained, write_checkpoint

every_unit = pytest.mark.parametrize("unit", ["words", "characters", "pieces"])
PROMPT = "two three"


@every_unit
def test_it_goes_on_counting(unit: str) -> None:
    found = pipeline(unit, temperature=0, max_tokens=2 if unit == "words" else 9)(PROMPT)
    assert found.text.startswith(" four")
    assert found.prompt == PROMPT
    assert not found.text.endswith(" ")


@every_unit
def test_what_is_drawn_has_the_probability_that_it_says(unit: str) -> None:
    """The sum over the units that were written is how a text that holds them is read."""
    model = trained(unit)
    found = pipeline(unit, seed=3, temperature=1.0, top_p=1.0, max_tokens=5)(PROMPT)
    memory, total = Prompt.of(model.units, PROMPT).read_by(model), 0.0
    ids = [*model.units.ids(PROMPT + found.text)[len(model.units.ids(PROMPT)) :], *[model.units.end] * found.ended]
    for unit_id in ids:
        total += float(memory.log_BV[0, unit_id])
        memory = memory.then([unit_id])
    assert found.tokens == len(ids) - found.ended
    assert found.score == pytest.approx(total, abs=1e-4)


@every_unit
def test_a_seed_gives_the_same_text_and_another_one_another(unit: str) -> None:
    settings = {"temperature": 1.5, "top_p": 1.0, "max_tokens": 30}
    texts = [[one.text for one in pipeline(unit, seed=seed, **settings).pipe([PROMPT, PROMPT])] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0][0] != texts[0][1]  # the second of the same is drawn anew
    free = pipeline(unit, **settings)
    assert len({free(PROMPT).text for _ in range(8)}) > 1


@every_unit
def test_it_stops_at_its_end_or_at_the_limit(unit: str) -> None:
    many = [pipeline(unit, seed=seed, temperature=1.0, max_tokens=12)(PROMPT) for seed in range(12)]
    assert all(one.tokens <= 12 for one in many)
    assert all(one.ended or one.tokens == 12 for one in many)
    assert any(one.ended for one in many) or unit == "characters"
    assert all("\n" not in one.text for one in many)


@every_unit
def test_the_parts_of_a_stream_are_the_text(unit: str) -> None:
    lengths = []
    for seed in range(4):
        writer = pipeline(unit, seed=seed, max_tokens=20)
        parts = list(writer.stream(PROMPT))
        assert "".join(parts) == writer(PROMPT).text
        lengths.append(len(parts))
    assert max(lengths) > 1
    second = list(writer.pipe(["x", PROMPT]))[1]
    assert isinstance(second, Continuation)
    assert "".join(writer.stream(PROMPT, 2)) == second.text


@every_unit
def test_a_beam_finds_what_is_likelier_than_greed_does(unit: str) -> None:
    best = pipeline(unit, beam_size=6, max_tokens=6)(PROMPT)
    again = pipeline(unit, beam_size=6, max_tokens=6)(PROMPT)
    assert best == again
    assert len(best.alternatives) >= 1
    assert best.text not in best.alternatives
    assert list(pipeline(unit, beam_size=6, max_tokens=6).stream(PROMPT)) == [best.text]


@every_unit
def test_what_a_beam_and_greed_both_find_has_the_same_figures(unit: str) -> None:
    for count in range(1, 9):
        beam, greedy = (
            pipeline(unit, max_tokens=count, **one)(PROMPT) for one in ({"beam_size": 1}, {"temperature": 0})
        )
        assert (beam.text, beam.tokens) == (greedy.text, greedy.tokens)
        if beam.ended == greedy.ended:  # a search looks whether the end is likeliest behind the last unit, too
            assert beam.score == pytest.approx(greedy.score, abs=1e-4)


def test_any_seed_will_do() -> None:
    for seed in (0, 1759000000000000000, 2**80):
        assert pipeline("words", seed=seed)(PROMPT) == pipeline("words", seed=seed)(PROMPT)


@every_unit
def test_suggestions_are_words_with_probabilities(unit: str) -> None:
    found = pipeline(unit, suggestions=4)(PROMPT)
    assert found.text == ""
    assert found.suggestions is not None
    assert found.suggestions[0].word == "four"
    assert found.suggestions[0].probability > 0.5
    likely = [one.probability for one in found.suggestions]
    assert likely == sorted(likely, reverse=True)
    assert 0 < sum(likely) <= 1 + 1e-6
    words = [one.word for one in found.suggestions]
    assert len(set(words)) == 4
    assert all(word == word.strip() != "" for word in words)


@every_unit
def test_the_probability_of_a_suggestion_is_that_of_reading_it(unit: str) -> None:
    """By the definition: of units that begin a word, times those that follow, times the next beginning another."""
    model = trained(unit)
    units, word = model.units, "four"
    found = {s.word: s.probability for s in pipeline(unit, suggestions=2)(PROMPT).suggestions or ()}
    prompt = Prompt.of(units, PROMPT)
    memory = prompt.read_by(model)
    first_V = np.exp(memory.log_BV[0])
    begins, opening = sorted(units.begins(False)), sorted(units.opening)
    own = units.ids(f"{PROMPT} {word}")[len(prompt.ids) :]
    probability = float(first_V[own[0]] / first_V[begins].sum())
    for before, after in zip(own, [*own[1:], None], strict=True):
        memory = memory.then([before])
        next_V = softmax(memory.log_BV[0])
        probability *= float(next_V[opening].sum() if after is None else next_V[after])
    assert found[word] == pytest.approx(probability, rel=1e-3)


@every_unit
@pytest.mark.parametrize("prompt", ["", "   ", "two three ", "Ünknown \U0001f600 wörds", "\ud800 half", "two\nthree"])
def test_any_prompt_is_continued_and_stays_as_it_was_given(unit: str, prompt: str) -> None:
    writer = pipeline(unit, seed=1, max_tokens=6)
    found = writer(prompt)
    assert found.prompt == prompt
    assert not (prompt[-1:].isspace() and found.text.startswith(" "))
    assert not (prompt == "" and found.text.startswith(" "))
    assert isinstance(pipeline(unit, suggestions=2)(prompt), Continuation)


@pytest.mark.parametrize("unit", ["characters", "pieces"])
@pytest.mark.parametrize("beam", [0, 3])
def test_a_whole_word_is_not_gone_on_with(unit: str, beam: int) -> None:
    """So hot that any unit would come in 30 draws, letters most of all."""
    hot = {"temperature": 50.0, "top_p": 1.0, "max_tokens": 1, "beam_size": beam}
    seeds = range(1 if beam else 30)
    after = [pipeline(unit, seed=seed, **hot)(PROMPT).text for seed in seeds]
    assert all(not text[:1].isalnum() for text in after)
    spaced = [pipeline(unit, seed=seed, **{**hot, "max_tokens": 2})(PROMPT + " ").text for seed in seeds]
    assert not any(text.startswith(" ") for text in spaced)


@pytest.mark.parametrize("beam", [0, 3])
def test_half_a_word_is_gone_on_with(beam: int) -> None:
    assert pipeline("characters", temperature=0, beam_size=beam, max_tokens=4)("one two thr").text.startswith("ee")


def test_a_checkpoint_is_loaded_as_what_it_is(tmp_path: Path) -> None:
    writer = nlpseq.load(write_checkpoint(tmp_path / "it"))
    assert isinstance(writer, GenerationPipeline)
    assert writer.writing_with(temperature=0, max_tokens=1)(PROMPT).text == " four"


def test_inputs_are_taken_one_at_a_time_and_what_is_no_text_fails_in_its_place() -> None:
    taken = 0

    def inputs() -> Iterator[object]:
        nonlocal taken
        for item in (PROMPT, 7, ["two", "three"], ["two", ""]):
            taken += 1
            yield item

    found = []
    for number, one in enumerate(pipeline(temperature=0, max_tokens=1).pipe(inputs()), 1):  # type: ignore[arg-type]
        assert taken == number
        found.append(one)
    assert [type(one) for one in found] == [Continuation, Failure, Continuation, Failure]
    assert [one.line for one in found if isinstance(one, Failure)] == [2, 4]
    assert found[2].prompt == "two three"  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="many texts"):
        pipeline().pipe("two")
    with pytest.raises(UsageError, match="batch_size is 0"):
        pipeline().pipe(["two"], batch_size=0)
    with pytest.raises(TypeError, match="many texts"):
        pipeline()(["one two", "three"])
    with pytest.raises(ValueError, match="Expected a text"):
        pipeline()(7)  # type: ignore[arg-type]


def test_what_cannot_be_streamed_is_told_at_once() -> None:
    """As by the call itself; and suggestions, which have no parts, are not passed over."""
    with pytest.raises(ValueError, match="Expected a text"):
        pipeline().stream(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="many texts"):
        pipeline().stream(["one two", "three"])
    with pytest.raises(UsageError, match="Suggestions"):
        pipeline(suggestions=5).stream(PROMPT)
    writer = pipeline(temperature=0, max_tokens=1)
    assert "".join(writer.stream(["two", "three"])) == writer("two three").text


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="temperature"):
        pipeline(temperature=-1)
    with pytest.raises(UsageError, match="top_p"):
        pipeline(top_p=0.0)
    with pytest.raises(UsageError, match="'top_k'"):
        pipeline(topk=3)
    with pytest.raises(UsageError, match="suggestions"):
        pipeline(suggestions=-1)


def test_drawing_leaves_the_random_numbers_of_others_alone() -> None:
    def numbers(text: str) -> list[float]:
        torch.manual_seed(7)
        np.random.seed(7)
        if text:
            pipeline(seed=1)(text)
        return [*torch.rand(2).tolist(), *np.random.rand(2)]

    assert numbers(counting()[0]) == numbers("")


def test_half_a_word_is_completed_by_a_model_of_words() -> None:
    assert pipeline("words", temperature=0, max_tokens=2)("one two thr").text == "ee four"
    found = pipeline("words", suggestions=3)("one two thr").suggestions or ()
    assert [one.word for one in found] == ["three"]
    assert found[0].probability == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "first", "completes"),
    [
        ("I would like t", "to", "t"),
        ("I am go", "going", "go"),
        ("We shou", "should", "shou"),
        ("I want to go", "", ""),
    ],
)
def test_a_word_that_is_hardly_expected_is_half_of_another(text: str, first: str, completes: str) -> None:
    """Each but the third is a word as it stands."""
    found = nlpseq.load("lm-en").writing_with(suggestions=3)(text).suggestions
    assert {one.completes for one in found} == {completes}
    assert all(one.word.startswith(completes) for one in found)
    assert found[0].word == first or not first


@pytest.mark.parametrize("text", ["one two three", "one two thr ", "one two xyz", "one two thr.", ""])
def test_whole_words_and_what_no_word_begins_with_are_left_as_they_are(text: str) -> None:
    units = trained("words").units
    assert units.begun(text).half == ""
    assert pipeline("words", temperature=0, max_tokens=1)(text).text[:1] in {" ", *"otf", ""}


def test_what_half_a_word_may_become_begins_with_it() -> None:
    units = trained("words").units
    before, half, ids, _ = units.begun("one two t")
    assert (before, half) == ("one two ", "t")
    assert sorted(units.text([one]) for one in ids) == ["three", "two"]
    assert pipeline("words", temperature=0, beam_size=3, max_tokens=2)("one two t").text.startswith("hree")


def test_threads_may_share_a_model_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread reads the words that it has met, though all are forgotten again and again."""
    prompts = [" ".join(f"w{number}x{word}" for word in range(9)) + " one two" for number in range(48)]
    wanted = [continuation.score for continuation in pipeline("words", temperature=0, max_tokens=3).pipe(prompts)]
    monkeypatch.setattr("nlpseq.text.word_units.MET_LIMIT", 10)
    shared = pipeline("words", temperature=0, max_tokens=3)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            assert [found.score for found in pool.map(shared, prompts)] == pytest.approx(wanted, abs=1e-4)


def test_a_continuation_goes_on_though_other_words_are_met_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "two xylophone three"
    wanted = "".join(pipeline("words", temperature=0, max_tokens=5).stream(text))
    monkeypatch.setattr("nlpseq.text.word_units.MET_LIMIT", 1)
    shared = pipeline("words", temperature=0, max_tokens=5)
    parts = shared.stream(text)
    found = next(parts)
    for number in range(5):
        shared(f"w{number} w{number}x w{number}xyz")
    assert found + "".join(parts) == wanted


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_a_model_in_training_writes_as_one_that_is_not(unit: str) -> None:
    model = untrained(unit, embedding={"hidden": 0.5, "dropout": 0.5}, encoder={"dropout": 0.5})
    writer = GenerationPipeline(model, manifest()).writing_with(temperature=0, max_tokens=3)
    wanted = writer(PROMPT)
    for _ in range(3):
        model.network.train()
        assert writer(PROMPT) == wanted


@pytest.mark.parametrize("settings", [{"seed": 1}, {"temperature": 0}, {"beam_size": 2}, {"suggestions": 2}])
@pytest.mark.parametrize("light", [True, False])
def test_states_that_overflow_are_told_of(tmp_path: Path, light: bool, settings: dict[str, int]) -> None:
    model = untrained("characters", encoder={"cell": "irnn"})
    with torch.no_grad():
        model.network.forwards.layers[0].weight_hh_l0.fill_(100)  # type: ignore[union-attr, operator]
    folder = write_checkpoint(tmp_path / "it", model)
    writer = (load_light if light else nlpseq.load)(folder).writing_with(**settings)  # type: ignore[union-attr]
    bad, good = writer.pipe(["one two three " * 20, "o"])
    assert isinstance(bad, Failure)
    assert bad.line == 1
    assert "too large for numbers" in bad.error
    assert isinstance(good, Continuation | Failure)


@pytest.mark.parametrize("light", [True, False])
def test_a_model_of_characters_without_a_space(tmp_path: Path, light: bool) -> None:
    model = LanguageModel(small("characters"), Characters(Vocabulary(list("abc"), reserved=RESERVED)))
    folder = write_checkpoint(tmp_path / "it", model)
    writer = (load_light if light else nlpseq.load)(folder)
    assert writer is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert writer.writing_with(suggestions=3)("abc").suggestions == ()
        found = writer.writing_with(beam_size=3)("abc ")
        assert (found.text, found.tokens, found.ended) == ("", 0, True)
        assert list(writer.writing_with(beam_size=3).stream("abc ")) == [""]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"suggest": 5}, "no setting 'suggest'. Did you mean 'suggestions'"),
        ({"seed": "1"}, "seed is '1'"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"suggestions": "3"}, "suggestions is '3'"),
        ({"temperature": "warm"}, "temperature"),
    ],
)
def test_settings_of_writing_that_are_none(settings: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        pipeline("words", **settings)
