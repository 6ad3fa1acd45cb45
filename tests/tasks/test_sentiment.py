from __future__ import annotations

import pytest
import torch

from nlpseq.errors import DataError
from nlpseq.records import LabelledText
from nlpseq.tasks.calibration import USUAL_SHARE
from nlpseq.tasks.judging import NEUTRAL, contributions
from nlpseq.tasks.ngrams import runs_of
from nlpseq.tasks.sentiment import Classifier
from nlpseq.tasks.sentiment_report import report, slice_of
from nlpseq.text.tokenizer import Sentence
from tests.classifiers import pipeline, small, trained, untrained
from tests.opinions import opinions


def labelled(text: str, **labels: str) -> LabelledText:
    return LabelledText(text=text, labels=labels)


def test_the_schemes_of_the_corpus_decide_the_heads() -> None:
    assert {s: v.symbols for s, v in untrained().labels.items()} == {
        "polarity": ("negative", "positive"), "stars": ("1", "2", "4", "5")
    }  # fmt: skip
    own = [labelled("a", topic="x", stars="1"), labelled("b", topic="y", stars="2")]
    classifier = Classifier.create(small(), own)
    assert list(classifier.labels) == ["topic", "stars"]
    assert classifier.main_scheme == "topic"
    assert Classifier.create(small(), [labelled("a", stars="1"), labelled("b", stars="2")]).main_scheme == "stars"


@pytest.mark.parametrize("scheme", ["keys", "items", "a.b", "training", "", "ünï"])
def test_a_scheme_may_have_any_name(scheme: str) -> None:
    classifier = Classifier.create(small(), [LabelledText(text=t, labels={scheme: t}) for t in "ab"])
    assert classifier.predict([["a"]])[0].keys() == {scheme}


@pytest.mark.parametrize(
    ("examples", "message"),
    [([], "has a label"), ([labelled("a")], "has a label"), ([labelled("a", label="x")], "nothing to learn")],
)
def test_without_a_choice_there_is_nothing_to_learn(examples: list[LabelledText], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Classifier.create(small(), examples)


def test_labels_do_not_depend_on_the_order_of_the_corpus() -> None:
    one, other = (Classifier.create(small(), part) for part in (opinions(20, 1), opinions(20, 1)[::-1]))
    assert one.to_plain() == other.to_plain()


def test_examples_without_a_label_of_a_scheme_do_not_enter_its_loss() -> None:
    classifier = untrained()
    classifier.network.eval()
    both = [labelled("good film", polarity="positive", stars="5"), labelled("bad film", stars="1")]
    losses = classifier.losses(classifier.collate([classifier.encode(e) for e in both]))
    alone = classifier.losses(classifier.collate([classifier.encode(both[0])]))
    assert (losses["polarity"][1], losses["stars"][1]) == (1, 2)
    assert losses["polarity"][0].item() == pytest.approx(alone["polarity"][0].item(), rel=1e-5)
    empty = labelled(" ", polarity="positive")
    assert classifier.losses(classifier.collate([classifier.encode(empty)])) == {}


def test_probabilities_in_place_of_labels_are_learnt() -> None:
    """As of a teacher; where the whole probability is one label's, as that label without smoothing."""
    classifier = untrained(classifier={"label_smoothing": 0.0, "teacher_weight": 1.0})
    classifier.network.eval()

    def loss(example: LabelledText) -> dict[str, tuple[torch.Tensor, int]]:
        return classifier.losses(classifier.collate([classifier.encode(example)]))

    def soft(positive: float) -> LabelledText:
        return LabelledText(text="good film", soft={"polarity": {"positive": positive, "negative": 1 - positive}})

    (good, _), (bad, _) = (loss(labelled("good film", polarity=p))["polarity"] for p in ("positive", "negative"))
    (sure,), (half,) = loss(soft(1.0)).values(), loss(soft(0.25)).values()
    assert (sure[1], sure[0].item()) == (1, pytest.approx(good.item(), rel=1e-5))
    assert half[0].item() == pytest.approx(0.25 * good.item() + 0.75 * bad.item(), rel=1e-5)
    assert Classifier.create(small(), [soft(0.5)]).labels["polarity"].symbols == ("negative", "positive")


def test_teachers_leave_probabilities_of_the_data_as_they_are() -> None:
    student = untrained(1)
    example = LabelledText(text="good film", soft={"polarity": {"positive": 0.75, "negative": 0.25}})
    (item,) = student.taught([student.encode(example)], [example], [untrained(2)])
    assert item.soft["polarity"].tolist() == [0.25, 0.75]
    assert item.soft["stars"].sum().item() == pytest.approx(1)


def test_where_there_are_probabilities_the_likeliest_label_counts_as_right() -> None:
    classifier, examples = trained(), opinions(40, 2)
    soft = [
        LabelledText(text=e.text, soft={s: {label: 0.6, "other": 0.4} for s, label in e.labels.items()})
        for e in examples
    ]
    assert classifier.score(soft) == classifier.score(examples)
    assert report(classifier, soft).schemes["polarity"].all.percent == classifier.score(examples)["polarity"]


def test_what_has_no_label_cannot_be_scored() -> None:
    with pytest.raises(DataError, match=r"\(polarity, stars\)\. .* say --label-column topic=polarity"):
        untrained().score([labelled("x", topic="y")])


def test_a_long_text_is_read_to_its_end() -> None:
    """With windows of 8 the last word of 60 still has its say, and every window's."""
    classifier = untrained(windows={"size": 8, "overlap": 2}, classifier={"pooling": ["max", "mean"], "dropout": 0.0})
    words = ["the"] * 60
    base = classifier.logits([words])["polarity"]
    for place in (0, 7, 8, 30, 59):
        other = classifier.logits([[*words[:place], "awful", *words[place + 1 :]]])["polarity"]
        assert not torch.allclose(base, other, atol=1e-4), place


def test_windows_change_nothing_where_texts_fit() -> None:
    texts = [e.text.split() for e in opinions(30, 3)]
    narrow = untrained(windows={"size": 40, "overlap": 4})
    wide = untrained(windows={"size": 4000, "overlap": 4})
    assert torch.equal(narrow.logits(texts)["stars"], wide.logits(texts)["stars"])


def test_what_is_not_read_is_told() -> None:
    judge = pipeline(untrained(windows={"text_limit": 10, "size": 8}))
    assert judge("so good " * 5).cut is None
    cut = judge("so good " * 6)
    assert cut.cut is not None
    assert cut.cut.startswith("Of 12 words 10 were read")
    assert len(judge.explaining()("so good " * 6).contributions or ()) == 10


def test_calibration_changes_probabilities_and_no_label() -> None:
    classifier = untrained(classifier={"ngrams": 0})
    examples = opinions(100, seed=5)
    texts = [classifier.tokens(e.text) for e in examples]
    before, scores = classifier.predict(texts), classifier.score(examples)
    sure = classifier.probabilities(texts)["stars"].amax(1).mean()
    classifier.calibrate(examples)
    assert set(classifier.temperatures) == {"polarity", "stars"}
    assert classifier.temperatures["stars"] > 1.5  # random weights times five: wrong, and sure of it
    assert classifier.probabilities(texts)["stars"].amax(1).mean() < sure
    assert (classifier.predict(texts), classifier.score(examples)) == (before, scores)
    assert Classifier.from_plain(classifier.config, classifier.to_plain()).temperatures == classifier.temperatures


def test_how_much_runs_of_words_count_is_fitted() -> None:
    """Polarity is told by single words, so that the linear model beats random weights times five, and is heeded; of
    99 examples nothing is fitted.
    """
    classifier = untrained()
    examples = opinions(100, seed=5)
    few = classifier.score(examples)["polarity"]
    classifier.calibrate(examples[:99])
    assert set(classifier.shares.values()) == {USUAL_SHARE}
    classifier.calibrate(examples)
    assert classifier.shares["polarity"] > USUAL_SHARE
    assert classifier.score(examples)["polarity"] > few
    again = Classifier.from_plain(classifier.config, classifier.to_plain())
    assert again.shares == classifier.shares


def test_runs_of_words_teach_beside_the_states() -> None:
    """Their score, times the share, is added to that of the states; what teaches them teaches nothing else."""
    classifier, texts = untrained(), [e.text.split() for e in opinions(9, 3)]
    classifier.shares = {"polarity": 0.0, "stars": 0.7}
    states = untrained(classifier={"ngrams": 0}).logits(texts)
    runs = classifier.network.by_ngrams(*runs_of(classifier.ngrams, classifier.network.ngrams, texts))  # type: ignore[arg-type]
    found = classifier.logits(texts)
    assert torch.allclose(found["polarity"], states["polarity"], atol=1e-5)
    assert torch.allclose(found["stars"], states["stars"] + 0.7 * runs["stars"], atol=1e-5)
    assert float(runs["stars"].detach().abs().min()) > 0
    batch = classifier.collate([classifier.encode(example) for example in opinions(12, 4)])
    classifier.network.train()
    sum(total for name, (total, _) in classifier.losses(batch).items() if "n-grams" in name).backward()  # type: ignore[union-attr]
    learning = {name for name, weight in classifier.network.named_parameters() if weight.grad is not None}
    assert learning == {"ngrams.weight"}


def test_going_on_from_a_classifier_without_runs_of_words_begins_to_weigh_them() -> None:
    plain = untrained(classifier={"ngrams": 0}).to_plain()
    classifier = Classifier.from_plain(small(), plain)
    assert classifier.network.ngrams is None
    classifier.go_on(opinions(30, seed=1))
    assert classifier.network.ngrams is not None
    before = classifier.network.ngrams
    classifier.go_on(opinions(30, seed=2))
    assert classifier.network.ngrams is before
    assert untrained().network.ngrams.known_V.equal(before.known_V)  # type: ignore[union-attr]


def test_of_many_labels_fewer_runs_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of seven labels, with room for 70 weights; and so that a text that is there three times counts once."""
    monkeypatch.setattr("nlpseq.tasks.ngrams.MOST_WEIGHTS", 70)
    few = untrained().network.ngrams
    assert few is not None
    assert few.runs == 70 // few.labels
    examples = [labelled("seen once", polarity="positive")] * 3 + [labelled("no", polarity="negative")]
    assert Classifier.create(small(), examples).network.ngrams is None


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "x", None])
def test_a_share_that_is_none_is_refused(value: object) -> None:
    plain = untrained().to_plain()
    plain["ngrams"]["shares"]["polarity"] = value
    with pytest.raises((ValueError, TypeError)):
        Classifier.from_plain(small(), plain)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "x", None])
def test_a_temperature_that_is_none_is_refused(value: object) -> None:
    plain = {**untrained().to_plain(), "temperatures": {"polarity": value, "stars": 1.0}}
    with pytest.raises((ValueError, TypeError)):
        Classifier.from_plain(small(), plain)


def test_it_learns_negation_and_intensity() -> None:
    """What the synthetic corpus teaches: logistic regression over its bags of words gets 58."""
    scores = trained().score(opinions(100, seed=9))
    assert scores["polarity"] >= 98  # the run of this seed ends at 100
    assert scores["stars"] >= 95
    judge = pipeline(trained())
    for text, label, stars in [
        ("the film was not good .", "negative", 2),
        ("the film was not awful .", "positive", 4),
        ("the film was good .", "positive", 4),
        ("the film was very good .", "positive", 5),
    ]:
        found = judge(text)
        assert (found.label, found.stars) == (label, stars)


def test_further_schemes_are_answered_beside_the_first() -> None:
    rows = [("a fine film", "good", "film"), ("a bad film", "bad", "film"), ("fine soup", "good", "food")] * 4
    examples = [LabelledText(text=text, labels={"mood": mood, "topic": topic}) for text, mood, topic in rows]
    classifier = Classifier.create(small(), examples)
    (found,) = pipeline(classifier).pipe(["a fine film"])
    assert set(found.scores) == {"good", "bad"}
    assert {scheme: set(scores) for scheme, scores in found.others.items()} == {"topic": {"film", "food"}}
    assert sum(found.others["topic"].values()) == pytest.approx(1, abs=1e-5)
    assert not pipeline(untrained())("a fine film").others


def test_contributions_are_what_the_log_odds_lose_without_the_word() -> None:
    classifier = trained()
    judge = pipeline(classifier)
    text = "the meal was not good ."
    found = judge.explaining()(text)
    assert found.contributions is not None
    assert [text[c.start : c.end] for c in found.contributions] == [c.text for c in found.contributions] == text.split()

    def odds(words: list[str]) -> float:
        score = classifier.probabilities([words])["polarity"].double()[0, 0]  # of "negative"
        return float(torch.logit(score))

    words = text.split()
    for index, one in enumerate(found.contributions):
        without = [*words[:index], *words[index + 1 :]]
        assert one.weight == pytest.approx(odds(words) - odds(without), abs=1e-3)
    assert max(found.contributions, key=lambda c: c.weight).text == "not"
    assert judge(text).contributions is None


def test_a_long_text_is_explained_by_runs_of_words() -> None:
    classifier = untrained()
    words = tuple(f"w{n}" for n in range(450))
    starts = tuple(range(0, 450 * 6, 6))
    text = "".join(word.ljust(6) for word in words)
    parts = contributions(classifier, text, Sentence(words, starts), "positive", classifier.vector_cache())
    assert len(parts) == 200
    assert [w for part in parts for w in part.text.split()] == list(words)


def test_nothing_is_judged_where_there_is_nothing() -> None:
    judge = pipeline()
    for text in ("", "  \n\t ", (), "!!!", "...", "👍", "12:30", ("?", "!")):
        found = judge(text)
        assert (found.label, found.score, found.stars) == (NEUTRAL, 0.5, None)
        assert set(found.scores.values()) == {0.5}
        assert found.note == "There is nothing to judge: the text has no words."
    assert judge("x").note is None
    assert judge("好！").note is None


def test_numbers_and_signs_are_judged_where_the_model_has_learnt_them() -> None:
    examples = [labelled("👍 10/10 :-)", label="x"), labelled("👎 !", label="y")] * 2
    judge = pipeline(Classifier.create(small(), examples))
    assert [judge(text).note is None for text in ("👍", "10/10", "20/20", ":-)")] == [True] * 4  # 0 is any digit
    assert [judge(text).note is None for text in ("👌", "3", "!", "!!!")] == [False] * 4


def test_teachers_are_learnt_from() -> None:
    student, teacher = untrained(1), untrained(2)
    examples = [*opinions(6, 3), labelled("nobody said what of this one")]
    items = student.taught([student.encode(e) for e in examples], examples, [teacher, untrained(3)])
    assert all(set(item.soft) == {"polarity", "stars"} for item in items)
    losses = student.losses(student.collate(items))
    assert losses["polarity of teachers"][1] == 7
    assert losses["polarity"][1] == 6


def test_the_report_counts() -> None:
    examples = [*opinions(40, 9), labelled("no label here")]
    result = report(trained(), examples, worst=3)
    assert result.texts == 41
    assert result.schemes["polarity"].all.total == 40
    assert result.schemes["polarity"].all.percent == trained().score(examples)["polarity"]
    assert sum(c.gold for c in result.schemes["stars"].classes.values()) == 40
    assert sum(a.total for a in result.schemes["stars"].by_length.values()) == 40
    wrong = report(untrained(), examples, worst=3)
    assert [e[0] for e in wrong.errors] == sorted((e[0] for e in wrong.errors), reverse=True)
    assert [slice_of(n) for n in (1, 10, 11, 200, 201)] == ["1-10", "1-10", "11-20", "41-200", "201-"]
