from __future__ import annotations

from typing import Any

import msgspec
import pytest
import torch

from nlpseq.config import build
from nlpseq.errors import DataError, UsageError
from nlpseq.records import TaggedSentence
from nlpseq.tasks import tagging
from nlpseq.tasks.tagging import NO_LABEL, Tagger, TaggingConfig
from nlpseq.tasks.tagging_report import report
from nlpseq.text.tags import can_follow
from nlpseq.text.vocab import UNKNOWN
from tests.examples import corpus, tagged
from tests.taggers import small, untrained


def test_the_columns_of_the_corpus_decide_the_heads() -> None:
    assert list(untrained().labels) == ["upos", "xpos", "ner"]
    assert list(Tagger.create(small(), corpus(5, 1, ("upos",))).labels) == ["upos"]
    assert list(Tagger.create(small(heads={"columns": ["ner", "upos"]}), corpus(5, 1)).labels) == ["ner", "upos"]
    with pytest.raises(DataError, match="ner"):
        Tagger.create(small(heads={"columns": ["ner"]}), corpus(5, 1, ("upos",)))
    with pytest.raises(UsageError, match=r"heads\.columns"):
        small(heads={"columns": ["lemma"]})
    with pytest.raises(DataError):
        Tagger.create(small(), [])


def test_labels_do_not_depend_on_the_order_of_the_corpus() -> None:
    examples = corpus(20, 1)
    one, other = (Tagger.create(small(), part) for part in (examples, examples[::-1]))
    assert one.to_plain() == other.to_plain()


def test_every_span_of_a_class_can_be_spelt() -> None:
    """Where training has a B-X alone, there is an I-X all the same, and the other way round."""
    rows = [("A", "X", "X", "B-PER"), ("b", "X", "X", "B-LOC"), ("c", "X", "X", "I-LOC")]
    assert Tagger.create(small(), [tagged(rows)]).labels["ner"].symbols == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_with_the_crf_tags_are_never_broken(decoder: str) -> None:
    """Random weights, so that without the CRF some of the 200 sentences are."""
    tagger = untrained(heads={"ner": decoder})
    found = [p.labels["ner"] for p in tagger.predict([e.tokens for e in corpus(200, seed=8)])]
    broken = [tags for tags in found if not all(map(can_follow, [None, *tags], [*tags, None]))]
    assert bool(broken) == (decoder == "softmax")


@pytest.mark.parametrize("column", ["upos", "ner"])
@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_probabilities_are_of_the_labels_given(column: str, decoder: str) -> None:
    tagger = untrained(heads={column: decoder})
    for labelled in tagger.predict([e.tokens for e in corpus(20, seed=8)]):
        assert labelled.labels.keys() == labelled.probabilities.keys()
        for name, labels in labelled.labels.items():
            assert len(labels) == len(labelled.probabilities[name])
            assert set(labels) <= set(tagger.labels[name].symbols)
            assert all(0 < p <= 1 + 1e-6 for p in labelled.probabilities[name])


def test_empty_sentences_are_allowed_anywhere() -> None:
    tagger = untrained()
    found = tagger.predict([[], ["Mr", "Paris"], [], ["can"], []])
    assert [len(one.labels["upos"]) for one in found] == [0, 2, 0, 1, 0]
    assert all(one.labels.keys() == tagger.labels.keys() for one in found)
    assert tagger.predict([]) == []
    assert [len(one.labels["ner"]) for one in tagger.predict([[], []])] == [0, 0]


def test_prediction_does_not_depend_on_the_budget_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger, sentences = untrained(), [e.tokens for e in corpus(40, seed=8)]
    wanted = [one.labels for one in tagger.predict(sentences)]
    for tokens in (1, 20, 100):
        monkeypatch.setattr(tagging, "INFERENCE_TOKENS", tokens)
        assert [one.labels for one in tagger.predict(sentences)] == wanted


def test_prediction_leaves_no_dropout_behind_and_draws_nothing() -> None:
    tagger, sentences = untrained(), [e.tokens for e in corpus(5, seed=8)]
    tagger.network.train()
    torch.manual_seed(3)
    one = tagger.predict(sentences)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), drawn)
    assert one == tagger.predict(sentences)


# -- batches and losses


def items(tagger: Tagger, examples: list[TaggedSentence]) -> list[Any]:
    return [tagger.encode(example) for example in examples]


def test_a_batch_holds_each_sentence_and_marks_where_there_is_no_label() -> None:
    examples = [*corpus(3, 1), *corpus(2, 2, ("upos",)), *corpus(2, 3, ("ner",))]
    tagger = Tagger.create(small(), examples)
    config_free = msgspec.structs.replace(tagger.config, lowercase=0.0)
    tagger.config = config_free
    batch = tagger.collate(items(tagger, examples))
    width = max(len(e.tokens) for e in examples)
    assert batch.rows_BT.shape == (7, width)
    assert batch.lengths_B.tolist() == [len(e.tokens) for e in examples]
    for column, labels_BT in batch.labels.items():
        assert labels_BT.shape == (7, width)
        for row, example in enumerate(examples):
            wanted = tagger.labels[column].ids(example.columns[column]) if column in example.columns else []
            assert labels_BT[row].tolist() == wanted + [NO_LABEL] * (width - len(wanted))


def test_each_column_learns_from_the_sentences_that_have_it() -> None:
    """Sentences without a column change neither its loss nor its count."""
    full, bare = corpus(3, 1), corpus(4, 2, ("upos",))
    tagger = Tagger.create(small(), [*full, *bare])
    tagger.network.eval()
    alone = tagger.losses(tagger.collate(items(tagger, full)))
    mixed = tagger.losses(tagger.collate(items(tagger, [*bare[:2], *full, *bare[2:]])))
    for column in ("xpos", "ner"):
        assert mixed[column][1] == alone[column][1]
        assert mixed[column][0].item() == pytest.approx(alone[column][0].item(), rel=1e-5)
    assert mixed["upos"][1] == alone["upos"][1] + sum(len(e.tokens) for e in bare)
    assert tagger.losses(tagger.collate(items(tagger, bare))).keys() == {"upos"}


def test_the_weight_of_ner_multiplies_its_loss_alone() -> None:
    losses = []
    for weight in (1.0, 3.0):
        tagger = untrained(heads={"ner_weight": weight})
        tagger.network.eval()
        losses.append(tagger.losses(tagger.collate(items(tagger, corpus(5, 1)))))
    assert losses[1]["ner"][0].item() == pytest.approx(3 * losses[0]["ner"][0].item(), rel=1e-6)
    assert losses[1]["upos"][0].item() == pytest.approx(losses[0]["upos"][0].item(), rel=1e-6)


@pytest.mark.parametrize(("part", "low", "high"), [(0.0, 0, 0), (0.3, 0.2, 0.4), (1.0, 1, 1)])
def test_some_sentences_are_read_lower_cased(part: float, low: float, high: float) -> None:
    """Of 400 sentences: the standard deviation of a share of 0.3 is 0.023, so 0.1 is more than four of them."""
    torch.manual_seed(0)
    tagger = untrained()
    tagger.config = msgspec.structs.replace(tagger.config, lowercase=part)
    encoded = tagger.encode(tagged([("Mr", "PROPN", "NNP", "B-PER"), ("Paris", "PROPN", "NNP", "I-PER")]))
    assert encoded.rows != encoded.lower_rows
    rows = tagger.collate([encoded] * 400).rows_BT.tolist()
    assert all(row in (encoded.rows, encoded.lower_rows) for row in rows)
    assert low <= sum(row == encoded.lower_rows for row in rows) / 400 <= high


def test_label_smoothing_costs_the_certain() -> None:
    losses = []
    for smoothing in (0.0, 0.2):
        tagger = untrained(heads={"label_smoothing": smoothing})
        tagger.network.eval()
        losses.append(tagger.losses(tagger.collate(items(tagger, corpus(5, 1))))["upos"][0].item())
    assert losses[0] != pytest.approx(losses[1])


@pytest.mark.parametrize("width", [0, 6])
def test_a_further_layer_for_ner_touches_ner_alone(width: int) -> None:
    tagger = untrained(heads={"ner_width": width})
    assert tagger.network.heads["upos"].in_features == 16
    assert tagger.network.heads["ner"].in_features == (2 * width or 16)
    assert len(tagger.predict([["Mr", "Paris"]])[0].labels["ner"]) == 2


# -- scores


class Oracle(Tagger):
    """Predicts what it was told to."""

    answers: list[Any]

    def predict(self, sentences: Any, cache: Any = None) -> Any:  # noqa: ARG002
        return self.answers


def told(examples: list[TaggedSentence], wrong: int) -> Oracle:
    oracle = Oracle.create(small(), examples)
    oracle.answers = []
    for index, example in enumerate(examples):
        labels = {column: list(values) for column, values in example.columns.items()}
        if index < wrong:
            labels["upos"][0], labels["ner"] = "PUNCT", ["O"] * len(example.tokens)
        oracle.answers.append(tagging.Labelled(labels, {}))
    return oracle


def test_scores_are_per_cent_and_their_mean() -> None:
    examples = corpus(20, seed=1)
    perfect = told(examples, wrong=0).score(examples)
    assert perfect == {"upos": 100, "xpos": 100, "ner": 100, "mean": 100}
    scores = told(examples, wrong=5).score(examples)
    tokens = sum(len(e.tokens) for e in examples)
    assert scores["upos"] == pytest.approx(100 * (tokens - 5) / tokens)
    gold = [sum(tag.startswith("B") for tag in e.columns["ner"]) for e in examples]
    right = sum(gold[5:])
    assert scores["ner"] == pytest.approx(200 * right / (right + sum(gold)))
    assert scores["mean"] == pytest.approx((scores["upos"] + scores["xpos"] + scores["ner"]) / 3)


def test_the_report_agrees_with_the_score_and_its_slices_add_up() -> None:
    examples = corpus(30, seed=1)
    oracle = told(examples, wrong=7)
    found, scores = report(oracle, examples, worst=3), oracle.score(examples)
    assert (found.sentences, found.tokens) == (30, sum(len(e.tokens) for e in examples))
    assert found.columns["upos"].all.percent == pytest.approx(scores["upos"])
    assert found.spans is not None
    assert found.spans.all.total.f1 == pytest.approx(scores["ner"])
    for part in found.columns.values():
        assert sum(slice.total for slice in part.by_length.values()) == part.all.total
    assert sum(s.total.gold for s in found.spans.by_length.values()) == found.spans.all.total.gold
    assert found.spans.known[1] + found.spans.rare[1] == found.spans.all.total.gold
    assert found.spans.known[0] + found.spans.rare[0] == found.spans.all.total.right
    assert len(found.errors) == 3
    assert all(wrong > 0 for wrong, _, _ in found.errors)


def test_unseen_words_are_counted_apart() -> None:
    train = corpus(20, seed=1)
    rows = [("Zoltan", "PROPN", "NNP", "B-PER"), ("can", "AUX", "MD", "O")]
    oracle = Oracle.create(small(), train)
    oracle.answers = [tagging.Labelled({"upos": ["NOUN", "AUX"], "ner": ["B-PER", "O"]}, {})]
    found = report(oracle, [tagged(rows)])
    assert (found.columns["upos"].rare.total, found.columns["upos"].rare.right) == (1, 0)
    assert found.spans is not None
    assert (found.spans.rare, found.spans.known) == ([1, 1], [0, 0])


# -- pre-trained vectors

VECTORS = "3 4\nMr 1 2 3 4\nzebra 4 3 2 1\nParis -1 -2 -3 -4\n"


def with_vectors(path: Any, text: str = VECTORS, **embedding: Any) -> TaggingConfig:
    path.write_text(text)
    values = {"width": 4, "min_count": 1, "vectors": str(path), **embedding}
    return build(TaggingConfig, {"embedding": values, "encoder": {"width": 8, "layers": 1}})


def test_pre_trained_vectors_start_the_words_they_name(tmp_path: Any) -> None:
    tagger = Tagger.create(with_vectors(tmp_path / "v.txt"), corpus(20, 1))
    weight = tagger.network.embedding.forms.weight
    found = torch.stack([weight[tagger.words.form_id(word)] for word in ("Mr", "zebra", "Paris")])
    given = torch.tensor([[1.0, 2, 3, 4], [4, 3, 2, 1], [-1, -2, -3, -4]])
    torch.testing.assert_close(found / found[0, 0], given)  # to scale
    assert tagger.words.form_id("zebra") != UNKNOWN  # not in training, known all the same
    assert weight[0].abs().sum() == 0
    assert weight.requires_grad


def test_vectors_of_another_width_say_what_to_set(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match=r"embedding\.width=4"):
        Tagger.create(with_vectors(tmp_path / "v.txt", width=7), corpus(5, 1))


@pytest.mark.parametrize(
    ("text", "where"),
    [("a 1 2 x 4\n", ":1"), ("a 1 2 3 4\nb 1 2\n", ":2"), ("", ""), ("3 4\n", ""), ("a\nb\n", ":1")],
)
def test_a_file_that_holds_no_vectors_is_told_with_its_line(tmp_path: Any, text: str, where: str) -> None:
    with pytest.raises(DataError, match=f"v.txt{where}"):
        Tagger.create(with_vectors(tmp_path / "v.txt", text), corpus(5, 1))


def test_only_the_columns_of_the_examples_are_scored() -> None:
    """A dev file without names must not look like one whose names were all missed."""
    scores = untrained().score(corpus(5, seed=2, columns=("upos",)))
    assert set(scores) == {"upos", "mean"}
    assert scores["mean"] == scores["upos"]
    tagger = Tagger.create(small(), corpus(20, seed=1, columns=("upos",)))
    with pytest.raises(DataError, match="none of the columns"):
        tagger.score(corpus(5, seed=2, columns=("ner",)))


def test_nothing_left_of_a_word_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing of a word is left"):
        untrained(embedding={"words": "none", "characters": "none", "affix_width": 0})
