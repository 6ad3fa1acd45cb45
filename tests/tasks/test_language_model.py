"""A language model in each of its units; what every task promises is tested in tests/contracts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from nlpseq.checkpoint import FORMAT, Manifest, load_task, round_weights, save
from nlpseq.errors import DataError, UsageError
from nlpseq.tasks import language_model
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.language_report import report
from nlpseq.tasks.language_words import Words
from nlpseq.text.rules import Rules
from nlpseq.text.tokenizer import Tokenizer, rules_for
from nlpseq.training.loop import Run, fit
from tests.languages import counting, small, trained, untrained

UNITS = ("words", "characters", "pieces")
every_unit = pytest.mark.parametrize("unit", UNITS)


@every_unit
def test_it_learns_to_count(unit: str) -> None:
    """Who knows how often each unit comes, and no more, has a perplexity of 5 or above; who counts comes near to 1."""
    scores = trained(unit).score(counting())
    assert scores["perplexity"] < 2.2
    assert scores["probability"] == pytest.approx(100 / scores["perplexity"])
    characters = sum(len(line) + 1 for line in counting())
    units = sum(len(trained(unit).targets(line)) for line in counting())
    assert scores["bits_per_character"] == pytest.approx(math.log2(scores["perplexity"]) * units / characters)


@every_unit
def test_all_units_have_one_probability_together(unit: str) -> None:
    model = untrained(unit)
    vectors_BTD = model.vectors(torch.tensor([[model.units.end, 3]]))
    log_BTV, _ = model.network.log_probabilities(model.network.forwards, vectors_BTD)
    assert log_BTV.shape == (1, 2, len(model.units))
    assert log_BTV.exp().sum(2).tolist()[0] == pytest.approx([1, 1], abs=1e-5)


@every_unit
@pytest.mark.parametrize("softmax", ["tied", "full", "adaptive"])
def test_the_loss_is_that_of_the_probabilities(unit: str, softmax: str) -> None:
    model = untrained(unit, text={"softmax": softmax})
    model.network.eval()
    line = counting()[0]
    losses = model.losses(model.collate([model.encode(line)]))
    (foretold,) = model.foretell([line])
    total, count = losses["forwards"]
    assert count == len(foretold.log_probabilities) == len(model.targets(line))
    assert total.item() == pytest.approx(-sum(foretold.log_probabilities), rel=1e-5)


def test_a_line_read_after_another_is_not_read_as_if_alone() -> None:
    model = trained()
    alone = sum(sum(model.foretell([line])[0].log_probabilities) for line in counting(12))
    together = -math.log(model.score(counting(12))["perplexity"]) * 6 * 12
    assert together > alone + 5  # where counting begins is told by the line before


def test_states_are_carried_from_batch_to_batch_but_not_over_the_beginning() -> None:
    model = untrained()
    model.network.eval()
    items = [model.encode(line) for line in counting()]
    first, second, *_ = model.batches(items, 32, seed=1)
    model.losses(model.collate(first))
    carried = dict(model.carried)
    assert {name.split("/")[0] for name in carried} == {"forwards"}
    assert all(not state.requires_grad for state in carried.values())
    followed = model.losses(model.collate(second))["forwards"][0].item()
    model.carried = {}
    begun = model.losses(model.collate([stretch._replace(begins=True) for stretch in second]))["forwards"][0].item()
    assert followed != begun
    model.carried = {name: torch.full_like(state, 1e9) for name, state in carried.items()}
    again = model.losses(model.collate(first))["forwards"][0].item()
    assert again < 1e6  # what begins does not look at what was before
    assert all(torch.equal(state, carried[name]) for name, state in model.carried.items())


def test_some_streams_forget_and_the_others_do_not() -> None:
    torch.manual_seed(1)
    model = untrained(training={"forget": 0.5})
    first, second, *_ = model.batches([model.encode(line) for line in counting(200)], 512, seed=1)
    model.losses(model.collate(first))
    model.carried = {name: torch.ones_like(state) for name, state in model.carried.items()}
    kept = model._remembered()
    streams = [{int(state[:, stream].any()) for state in kept.values()} for stream in range(len(second))]
    assert all(len(one) == 1 for one in streams)  # all of its states or none
    assert {0, 1} == set.union(*streams)


def test_a_long_line_is_foretold_as_a_short_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model, lines = trained(), [" ".join(counting(8)), counting(1)[0]]
    whole = model.foretell(lines)
    monkeypatch.setattr(language_model, "FORETOLD", 5)
    for one, other in zip(whole, model.foretell(lines), strict=True):
        assert one.likeliest == other.likeliest
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)


def test_scoring_leaves_the_streams_of_the_training_alone() -> None:
    model = untrained()
    items = [model.encode(line) for line in counting()]
    model.losses(model.collate(model.batches(items, 32, seed=1)[0]))
    before = {name: state.clone() for name, state in model.carried.items()}
    model.score(counting(5))
    model.foretell(counting(5))
    assert all(torch.equal(state, before[name]) for name, state in model.carried.items())


def test_the_score_is_that_of_one_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is cut; streams side by side begin anew, which costs little."""
    model, lines = trained(), counting(40)
    scores = []
    for settings in ((1, 1, 1000), (1, 1, 7), (4, 10, 8)):
        monkeypatch.setattr(language_model, "SCORED", settings)
        scores.append(model.score(lines)["perplexity"])
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)
    assert scores[2] == pytest.approx(scores[0], rel=0.2)


def test_a_run_taken_up_in_the_middle_of_its_streams_is_the_uninterrupted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, with dropout of every kind, both directions, and from every report on."""
    monkeypatch.setattr("nlpseq.training.loop.REPORT_SECONDS", 0.0)
    sections: dict[str, Any] = {
        "embedding": {"dropout": 0.2, "word_dropout": 0.2},
        "encoder": {"dropout": 0.2, "weight_dropout": 0.3, "bidirectional": True, "layers": 2},
        "training": {"epochs": 2, "batch_tokens": 96},
    }
    lines = counting(40)

    def begin(seed: int) -> Run:
        model = untrained(seed=seed, **sections)
        return Run(model, model.config.training)

    def going(run: Run) -> Any:
        return fit(run, [run.task.encode(line) for line in lines], lines[:5])

    whole = begin(1)
    states = []
    for _ in going(whole):
        tensors, plain = whole.state()
        states.append(({name: value.clone() for name, value in tensors.items()}, dict(plain)))
    wanted = whole.task.network.state_dict()
    assert len(states) >= 6
    assert any(plain["position"] for _, plain in states)
    for index, (tensors, plain) in enumerate(states):
        run = begin(50 + index)
        run.restore({name: value.clone() for name, value in tensors.items()}, plain)
        for _ in going(run):
            pass
        assert all(torch.equal(weight, wanted[name]) for name, weight in run.task.network.state_dict().items())
    forgetful = begin(3)  # and it is the carried states that matter
    tensors, plain = next((t, p) for t, p in states if p["position"])
    emptied = {name: value * 0 if name.startswith("carried/") else value for name, value in tensors.items()}
    forgetful.restore(emptied, plain)
    for _ in going(forgetful):
        pass
    assert not all(torch.equal(w, wanted[name]) for name, w in forgetful.task.network.state_dict().items())


def test_penalties_on_states() -> None:
    model = untrained(encoder={"activation": 2.0, "slowness": 1.0})
    batch = model.collate([model.encode(counting()[0])])
    model.network.train()
    losses = model.losses(batch)
    states_BTH, _, _ = model.network.forwards(model.vectors(batch.readings[0].inputs_BT))
    wanted = 2 * states_BTH.pow(2).mean() + (states_BTH[:, 1:] - states_BTH[:, :-1]).pow(2).mean()
    total, count = losses["forwards penalty"]
    assert total.item() / count == pytest.approx(wanted.item(), rel=1e-5)
    model.network.eval()
    assert set(model.losses(batch)) == {"forwards"}


def test_hidden_units_are_hidden_all_through_a_batch() -> None:
    model = untrained("characters", embedding={"hidden": 0.5})
    model.network.train()
    ids_BT = torch.arange(3, len(model.units)).repeat(2, 3)
    vectors_BTD = model.vectors(ids_BT)
    gone_BT = (vectors_BTD == 0).all(2)
    assert 0 < gone_BT.sum() < gone_BT.numel()
    width = len(model.units) - 3
    assert torch.equal(gone_BT[:, :width], gone_BT[:, width : 2 * width])
    model.network.eval()
    assert not (model.vectors(ids_BT) == 0).all(2).any()


def test_words_beyond_the_vocabulary_are_read_and_not_written() -> None:
    model = untrained("words", text={"size": 6})
    assert len(model.units) == 6
    assert model.encode("one six one").ids.max() >= 6
    assert model.targets("six")[0] == 1 or model.targets("one")[0] == 1
    one, other = (model.foretell([f"{word} two"])[0].log_probabilities[1] for word in ("fox", "teen"))
    assert one != other  # letters are read, though the words are new
    first = model.units.table.first(5)
    assert len(first) == len(first.forms_R) == 5
    assert list(first.rows.values()) == [1, 2, 3, 4]


def test_no_more_words_are_remembered_than_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpseq.text.word_units.MET_LIMIT", 20)
    model = untrained()
    before = model.foretell(["one two three"])[0].log_probabilities
    for number in range(12):
        model.foretell([" ".join(f"w{number}x{word}" for word in range(5))])
    assert len(model.units.table) < 10 + 20 + 2 * 5
    assert model.foretell(["one two three"])[0].log_probabilities == pytest.approx(before, abs=1e-5)


def test_the_report() -> None:
    model, lines = trained(), [*counting(12), "six six one one"]
    found = report(model, lines, worst=1)
    assert (found.lines, found.units) == (13, 12 * 6 + 5)
    assert found.surprising[0][1] == "six six one one"
    assert found.accuracy > 60
    assert found.unknown == 0
    assert report(model, ["one hippopotamus"]).unknown == pytest.approx(100 / 3)


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(DataError, match="no line"):
        trained().score([])
    with pytest.raises(UsageError, match="--teacher"):
        trained().taught([], [], [])
    assert isinstance(LanguageModel.create(small("characters"), ["ab"]), LanguageModel)


def test_only_frequent_words_lend_their_affixes() -> None:
    """Of a large text most words are seen once; their endings would make up most of the model."""
    lines = ["the walking talking baking cat", "the walking talking baking dog", "qxzx qyzx qwzx"]
    words = Words.seen(lines, Tokenizer("en"), size=100, min_count=2, word_length=24).words
    assert "s3:ing" in words.affixes
    assert "s2:zx" not in words.affixes
    assert "q" not in words.characters


def test_samples_are_drawn_in_training_alone() -> None:
    model = untrained("words", text={"softmax": "tied", "softmax_samples": 1})
    whole = untrained("words", text={"softmax": "tied"})
    whole.network.load_state_dict(model.network.state_dict())
    batch = model.collate([model.encode(counting()[0])])
    model.network.eval()
    whole.network.eval()
    assert model.losses(batch)["forwards"][0].item() == whole.losses(batch)["forwards"][0].item()
    model.network.train()
    assert model.losses(batch)["forwards"][0].item() < whole.losses(batch)["forwards"][0].item()


def test_every_word_that_can_be_written_has_a_vector_of_its_own_to_be_tied_to() -> None:
    lines = ["once upon a time", "a time , a time"]
    model = LanguageModel.create(small("words", text={"softmax": "tied"}, embedding={"min_count": 2}), lines)
    assert isinstance(model.units, Words)
    assert len(set(model.units.forms)) == len(model.units)


def test_words_without_vectors_cannot_be_tied_to() -> None:
    with pytest.raises(UsageError, match=r"text\.softmax"):
        untrained("words", text={"softmax": "tied"}, embedding={"words": "none"})


def test_words_tied_to_their_vectors_come_back_from_a_checkpoint(tmp_path: Path) -> None:
    model = untrained("words", text={"softmax": "tied"})
    round_weights(model.network)
    save(model, tmp_path / "it", Manifest(format=FORMAT, task="lm"), "")
    loaded, _ = load_task(tmp_path / "it")
    assert isinstance(loaded, LanguageModel)
    assert loaded.foretell(counting(3)) == model.foretell(counting(3))


def test_words_come_back_with_the_rules_that_made_them() -> None:
    def rules(model: LanguageModel) -> Rules | None:
        assert isinstance(model.units, Words)
        return model.units.tokenizer.rules

    model = untrained("words")
    plain = model.to_plain()
    assert rules(model) is not None
    assert rules(model) == rules_for("en") == rules(LanguageModel.from_plain(model.config, plain))
    del plain["tokenizer"]
    assert rules(LanguageModel.from_plain(model.config, plain)) is None  # one from before asks spaCy
