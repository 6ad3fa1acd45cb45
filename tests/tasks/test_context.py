"""The states of a language model as features of words, and the taggers and classifiers that read them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nlpseq.api import load, load_light
from nlpseq.checkpoint import load_task, round_weights, save
from nlpseq.errors import TrustError
from nlpseq.inspection import attention_of, gates_of, memory_of
from nlpseq.layers_alone import layers_alone
from nlpseq.manifest import MANIFEST
from nlpseq.tasks import context as module
from nlpseq.tasks.context import FEATURES, ContextFeatures
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.pretrained import lent, start_from
from nlpseq.tasks.tagging import Tagger
from nlpseq.tasks.words import VectorCache
from nlpseq.training.loop import Run, fit
from tests import classifiers, taggers
from tests.examples import corpus, tagged
from tests.languages import NUMBERS, counting, small
from tests.light.test_loading import sign
from tests.opinions import opinions

CLOSE = {"rtol": 0.0, "atol": 1e-6}  # float32, and sums in another order
SENTENCES = [
    ["Mr", "Paris", "can", "sing", "."],
    ["the"],
    ["two", "", "three", "zweiundzwanzig", "four", "!", "five"],  # one has no letters, another no piece of its own
]
KINDS = [(unit, both) for unit in ("pieces", "characters") for both in (False, True)]
every_kind = pytest.mark.parametrize(("unit", "both"), KINDS)


def model(unit: str = "pieces", both: bool = True, **encoder: Any) -> LanguageModel:
    """Two layers, random, of a text that has the words of the examples."""
    lines = [*counting(), *(example.text for example in corpus(30, seed=1)), *(e.text for e in opinions(30, seed=1))]
    torch.manual_seed(4)
    shape = {"layers": 2, "bidirectional": both, "dropout": 0.5, "weight_dropout": 0.5, **encoder}
    return LanguageModel.create(small(unit, text={"size": 330}, encoder=shape, embedding={"hidden": 0.5}), lines)


def tagger(unit: str = "pieces", both: bool = True, **sections: Any) -> Any:
    return start_from(taggers.untrained(**sections), model(unit, both))


def classifier(unit: str = "pieces", both: bool = True, **sections: Any) -> Any:
    return start_from(classifiers.untrained(**sections), model(unit, both))


def read_by_hand(source: LanguageModel, stack: Any, ids: list[int]) -> torch.Tensor:
    """The last layer's state (W) after an end and these units, all of it read by the language model itself."""
    source.network.eval()
    with torch.no_grad():
        states_1NW, _, _ = stack(source.vectors(torch.tensor([[source.units.end, *ids]])))
    return states_1NW[0, -1]


# -- features


@every_kind
def test_states_are_those_of_the_language_model_in_the_whole_line(unit: str, both: bool) -> None:
    """Of the text up to a word's end, and from the text's end to its beginning, as the language model cuts them."""
    source = model(unit, both)
    found_BTH = lent(source).states(SENTENCES)
    units = source.units
    for row, words in enumerate(SENTENCES):
        whole = units.ids(" ".join(words))
        for place in range(len(words)):
            before = units.ids(" ".join(words[: place + 1]))
            if not words[place] and unit == "characters":
                assert before[-1] == units.ids(" ")[0]  # what has been read when a word without letters ends
            assert whole[: len(before)] == before
            wanted = [read_by_hand(source, source.network.forwards, before)]
            if both:
                begun = len(
                    units.ids(" ".join([*words[:place], ""]) if unit == "characters" else " ".join(words[:place]))
                )
                wanted.append(read_by_hand(source, source.network.backwards, whole[begun:][::-1]))
            torch.testing.assert_close(found_BTH[row, place], torch.cat(wanted), **CLOSE)


@given(
    st.lists(
        st.text(st.characters(categories=("L", "N", "P", "S"), max_codepoint=0x2FFF), min_size=1, max_size=12),
        min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=60)
def test_words_are_cut_as_in_their_line(words: list[str]) -> None:
    for context in (PIECES, CHARACTERS):
        line = module._line([context._ids(word) for word in words], context._gap)
        assert line.ids == context.units.ids(" ".join(words))


PIECES, CHARACTERS = lent(model("pieces")), lent(model("characters"))


@every_kind
def test_a_sentence_has_the_same_features_in_any_batch(unit: str, both: bool) -> None:
    context: ContextFeatures = lent(model(unit, both))
    together_BTF = context(SENTENCES)
    assert together_BTF.shape == (3, 7, FEATURES)  # however wide the language model is
    for row, words in enumerate(SENTENCES):
        torch.testing.assert_close(together_BTF[row, : len(words)], context([words])[0], **CLOSE)


def test_what_stands_beside_a_word_changes_its_features() -> None:
    """Before it in one direction, behind it in the other alone."""
    states_BTH = lent(model()).states([["two", "can", "fall"], ["the", "can", "fall"], ["two", "can", "sing"]])
    ahead, back = states_BTH[:, 1].chunk(2, dim=1)
    assert torch.equal(ahead[0], ahead[2])
    assert not torch.allclose(ahead[0], ahead[1], **CLOSE)
    assert torch.equal(back[0], back[1])
    assert not torch.allclose(back[0], back[2], **CLOSE)


def test_a_word_is_cut_once_and_not_all_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 4)
    context, cut = lent(model("characters")), []
    own = context.units.ids
    monkeypatch.setattr(context.units, "ids", lambda word: (cut.append(word), own(word))[1])
    wanted = context([["a", "b", "a", "c"]])
    assert cut == ["a", "b", "c"]
    for number in range(9):
        context([[f"w{number}"]])
        assert len(context._known) <= 4
    assert torch.equal(context([["a", "b", "a", "c"]]), wanted)


def test_a_giant_word_is_read_by_its_two_ends() -> None:
    assert len(CHARACTERS._ids("ab" * 100_000)) == module.WORD_CHARACTERS
    assert torch.equal(CHARACTERS([["two" * 60]]), CHARACTERS([["two" * 90]]))


# -- learning


def test_what_was_known_of_words_stays() -> None:
    """Vectors from a file, and that they are fixed, which a hook on the weights sees to."""
    before = taggers.untrained()
    started = start_from(before, model())
    assert started.network.embedding is before.network.embedding
    assert started.words is before.words
    assert started.network.encoder.layers[0].forwards.input_size == before.network.embedding.width + FEATURES


def run(task: Any, examples: list[Any], **changes: Any) -> Run:
    training = msgspec.structs.replace(task.config.training, **{"epochs": 2, "batch_tokens": 60, **changes})
    whole = Run(task, training)
    for _ in fit(whole, [task.encode(example) for example in examples], examples):
        pass
    return whole


def frozen(task: Any) -> dict[str, torch.Tensor]:
    kept = task.network.context.state_dict().items()
    return {name: weight.clone() for name, weight in kept if not name.startswith("projection")}


@pytest.mark.parametrize("changes", [{}, {"unfreeze": 1, "layer_decay": 0.5, "weight_decay": 0.5, "average": 0.9}])
@pytest.mark.parametrize("make", [tagger, classifier])
def test_the_language_model_stays_as_it_is_and_the_rest_learns(make: Any, changes: dict[str, Any]) -> None:
    task = make()
    examples = corpus(20, seed=1) if make is tagger else opinions(20, seed=1)
    before = frozen(task)
    assert before.keys() > {"embedding.forms.weight", "backwards.layers.1.weight_hh_l0"}
    projection = task.network.context.projection.weight.detach().clone()
    whole = run(task, examples, learning_rate=0.02, **changes)
    after = frozen(task)
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    assert not torch.equal(task.network.context.projection.weight, projection)
    averaged = whole.average.live if whole.average else []
    learnt = {id(weight) for weight in (*whole._weights(), *averaged)}
    of_context = task.network.context.named_parameters()
    assert {name for name, weight in of_context if id(weight) in learnt} == {"projection.weight", "projection.bias"}


def test_it_is_read_without_dropout_in_training_too() -> None:
    """Nor may `train` of the network around it change that; hidden units and dropout would give other states."""
    task = tagger()
    wanted = task.network.context(SENTENCES)
    task.network.train()
    assert task.network.training
    assert not any(part.training for part in task.network.context.modules())
    assert torch.equal(task.network.context(SENTENCES), wanted)


@pytest.mark.parametrize("make", [tagger, classifier])
def test_what_can_be_learnt_gets_a_gradient(make: Any) -> None:
    task = make()
    examples = corpus(10, seed=1) if make is tagger else opinions(10, seed=1)
    task.network.train()
    losses = task.losses(task.collate([task.encode(example) for example in examples]))
    torch.stack([total for total, _ in losses.values()]).sum().backward()
    for name, weight in task.network.named_parameters():
        assert weight.requires_grad == (not name.startswith("context.") or "projection" in name), name
        assert (weight.grad is not None and bool(weight.grad.abs().sum() > 0)) == weight.requires_grad, name


def test_what_is_learnt_of_the_features_can_be_had_from_them_alone() -> None:
    """A label that the word behind alone decides, for an encoder that reads forwards: the language model reads back.

    Each pair of words is there once. Who does not see the second can do no better than say "t" of all first ones, the
    commonest of the six: two of six are right, and every second one, which makes two thirds.
    """
    pairs = [(one, other) for one in NUMBERS for other in NUMBERS]
    examples = [tagged([(one, "X", other[0], "O"), (other, "X", "t", "O")], ("xpos",)) for one, other in pairs]
    embedding = {"dropout": 0.0, "word_dropout": 0.0}
    config = taggers.small(encoder={"bidirectional": False, "dropout": 0.0}, embedding=embedding)
    scores = []
    for both in (True, False):
        torch.manual_seed(0)
        task = start_from(Tagger.create(config, examples), model("characters", both))
        run(task, examples, epochs=60, batch_tokens=24, learning_rate=0.02, average=0.9, patience=0)
        scores.append(task.score(examples)["xpos"])
    assert scores[0] > 90
    assert scores[1] <= 66.7


@pytest.mark.parametrize(("lowercase", "replace"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_features_are_of_the_words_that_are_read(lowercase: float, replace: float) -> None:
    """Of lower-cased words, and of other names, where those stand in a sentence."""
    task = tagger(augment={"replace_mentions": replace})
    task.config = msgspec.structs.replace(task.config, lowercase=lowercase)
    examples = corpus(6, seed=1)
    seen: list[list[str]] = []
    own = task.network.context.states
    task.network.context.states = lambda sentences: (seen.extend(sentences), own(sentences))[1]
    batch = task.collate([task.encode(example) for example in examples])
    task.losses(batch)
    assert [task.table.rows[word] for words in seen for word in words] == batch.rows_BT[batch.rows_BT > 0].tolist()
    given = [[word.lower() if lowercase else word for word in example.tokens] for example in examples]
    assert (seen == given) == (not replace)
    assert not replace or task.mentions is not None


def test_moved_vectors_of_a_classifier_are_those_that_enter_its_encoder() -> None:
    task = classifier(classifier={"dropout": 0.0, "adversarial": 0.05, "virtual_adversarial": 0.05, "ngrams": 0})
    task.network.train()
    batch = task.collate([task.encode(example) for example in opinions(12, seed=4)])
    losses = {name: float(total.detach()) / count for name, (total, count) in task.losses(batch).items()}
    clean = {name for name in losses if "adversarial" not in name}
    assert sum(losses[f"{name}, adversarial"] for name in clean) > sum(losses[name] for name in clean)
    assert all(losses[f"{name}, virtually adversarial"] > 0 for name in clean)


def test_a_teacher_may_have_features_and_a_learner_too() -> None:
    examples = corpus(6, seed=1)
    teacher, learner = tagger(), tagger("characters", False)
    items = learner.taught([learner.encode(example) for example in examples], examples, [teacher])
    losses = learner.losses(learner.collate(items))
    assert {"upos of teachers", "ner of teachers"} <= losses.keys()
    assert all(total.isfinite() for total, _ in losses.values())


# -- predicting


@every_kind
def test_a_tagger_says_the_same_in_a_batch_as_alone(unit: str, both: bool) -> None:
    task = tagger(unit, both)
    together = task.predict(SENTENCES)
    for words, one in zip(SENTENCES, together, strict=True):
        alone = task.predict([words])[0]
        assert alone.labels == one.labels
        for column, values in alone.probabilities.items():
            assert one.probabilities[column] == pytest.approx(values, rel=1e-5, abs=1e-5)


def test_windows_of_a_classifier_are_lines_of_their_own() -> None:
    """Text and loss are read by the same windows."""
    task = classifier(windows={"size": 8, "overlap": 2}, classifier={"ngrams": 0})
    task.network.eval()
    examples = [example for example in opinions(30, seed=3) if len(task.tokens(example.text)) > 8][:4]
    logits = task.logits([task.tokens(example.text) for example in examples])
    batch = task.collate([task.encode(example) for example in examples])
    assert len(batch.texts.widths_R) > len(examples)
    vectors_RWD = task.table.read(task.network, batch.texts.rows_RW, batch.texts.widths_R, task.device)
    for scheme, wanted_BK in task.network.logits(vectors_RWD, batch.texts).items():
        torch.testing.assert_close(logits[scheme], wanted_BK.detach(), rtol=0, atol=1e-5)


def test_predictions_do_depend_on_the_language_model() -> None:
    """Else the tests above would hold for features that nobody reads."""
    task = tagger()
    before = task.probabilities([SENTENCES[0]])[0]["upos"]
    with torch.no_grad():
        task.network.context.embedding.forms.weight.neg_()
    assert not torch.allclose(task.probabilities([SENTENCES[0]])[0]["upos"], before, atol=1e-3)


def test_words_that_are_forgotten_and_met_again_have_their_own_features() -> None:
    task = tagger()
    sentences = [[f"w{n * k % 11}" for k in range(1, 8)] for n in range(9)]
    whole, cache = task.predict(sentences), task.vector_cache()
    assert cache.fast is None
    cache.limit = 4
    for sentence, wanted in zip(sentences, whole, strict=True):
        found = task.predict([sentence], cache)[0]
        assert found.labels == wanted.labels
        assert found.probabilities["upos"] == pytest.approx(wanted.probabilities["upos"], abs=1e-5)


def test_a_copy_of_the_memory_has_the_context() -> None:
    task = tagger()
    task.network.eval()
    cache: VectorCache = pickle.loads(pickle.dumps(task.vector_cache()))
    assert task.predict(SENTENCES, cache) == task.predict(SENTENCES)
    assert copy.deepcopy(task).predict(SENTENCES) == task.predict(SENTENCES)


# -- checkpoint


@every_kind
def test_it_reloads_to_identical_answers(unit: str, both: bool, tmp_path: Path) -> None:
    """Without the language model's folder, which never was there; and what is loaded stays frozen."""
    task = tagger(unit, both)
    round_weights(task.network)
    save(task, tmp_path / "it", taggers.manifest(), "")
    loaded: Any = load_task(tmp_path / "it")[0]
    assert loaded.predict(SENTENCES) == task.predict(SENTENCES)
    assert loaded.network.context.shape == task.network.context.shape
    for (name, one), (_, other) in zip(task.network.named_parameters(), loaded.network.named_parameters(), strict=True):
        assert one.requires_grad == other.requires_grad, name
    again = type(loaded).from_plain(loaded.config, loaded.to_plain())  # as --start does
    again.network.load_state_dict(loaded.network.state_dict())
    assert again.predict(SENTENCES) == task.predict(SENTENCES)


def test_a_classifier_too_and_numpy_leaves_both_to_torch(tmp_path: Path) -> None:
    for name, task, manifest in (
        ("tag", tagger(), taggers.manifest()),
        ("sentiment", classifier(), classifiers.manifest()),
    ):
        round_weights(task.network)
        save(task, tmp_path / name, manifest, "")
        assert load_light(tmp_path / name) is None
        loaded = load(tmp_path / name, device="cpu")
        assert loaded.task == name
        assert loaded("Mr Paris can sing.").text == "Mr Paris can sing."
    assert load_light(taggers.write_checkpoint(tmp_path / "plain")) is not None  # of the same kind, without features


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("context.json", b'"pieces"', b'"words"'),
        ("context.json", b'"lstm"', b'"gru"'),
        ("context.json", b"[16,12]", b"[16,13]"),
        ("context.json", b"[16,12]", b"[16,60000]"),  # must not be allocated to find that it does not fit
        ("context.json", b"true", b"false"),
        ("context.json", b"true", b'true,"more":1'),
        ("context_pieces.model", b"", b"no model"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, old: bytes, new: bytes, tmp_path: Path) -> None:
    folder = taggers.write_checkpoint(tmp_path / "it", tagger())
    content = (folder / "text" / name).read_bytes()
    assert old in content
    (folder / "text" / name).write_bytes(content.replace(old, new) if old else new)
    with pytest.raises(TrustError, match="SHA-256"):
        load_task(folder)
    sign(folder)
    with pytest.raises(TrustError, match=r"does not fit its config|cannot be read"):
        load_task(folder)


@pytest.mark.parametrize("name", ["context.json", "context_pieces.model"])
def test_a_missing_part_is_refused(name: str, tmp_path: Path) -> None:
    folder = taggers.write_checkpoint(tmp_path / "it", tagger())
    (folder / "text" / name).unlink()
    with pytest.raises(TrustError, match="is missing"):
        load_task(folder)
    manifest = (folder / MANIFEST).read_text().splitlines(keepends=True)
    (folder / MANIFEST).write_text("".join(line for line in manifest if f'"text/{name}"' not in line))
    sign(folder)
    with pytest.raises(TrustError, match=r"does not fit its config|cannot be read"):
        load_task(folder)
    with pytest.raises(TrustError):
        load(folder, device="cpu")


# -- looking inside


def test_what_is_looked_at_is_the_task_itself() -> None:
    task, judge = tagger(), classifier(classifier={"pooling": ["attention"]})
    layers = {gate.layer for gate in gates_of(task, "Mr Paris can sing.")}
    assert layers == {"encoder.layers.0.forwards", "encoder.layers.0.backwards"}
    memories = memory_of(task, ["Mr Paris can sing."])
    assert {memory.layer for memory in memories} == layers
    assert all(memory.gradients[0] > 0 for memory in memories)
    assert attention_of(judge, "the film was good").source == ("the", "film", "was", "good")
    for one in (task, judge):
        alone = layers_alone(one, ["Mr Paris can sing."])
        assert alone is not None
        assert alone.words == 5
