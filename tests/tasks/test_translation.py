from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from nlpseq.checkpoint import load_task, round_weights
from nlpseq.errors import DataError
from nlpseq.nn.search import SearchConfig
from nlpseq.records import SentencePair
from nlpseq.tasks import translation_search
from nlpseq.tasks.translation import Translated, Translator
from nlpseq.text.piece_draws import PieceDraws
from nlpseq.text.pieces import BEGIN, END, PieceKind
from nlpseq.training.loop import Run, fit
from tests.letters import pairs
from tests.translators import small, untrained, write_checkpoint

GREEDY = SearchConfig(beam_size=1)


SHAPE: dict[str, Any] = {"vectors": {"width": 48}, "encoder": {"width": 48}, "decoder": {"width": 96}}


@cache
def taught(order: str) -> Translator:
    """A translator that has seen 3,000 of the 190,000 sentences of four to six different letters.

    Of 100 unseen ones all were right after 400 steps of some 45 sentences; these are 500.
    """
    torch.manual_seed(0)
    examples = pairs(3000, seed=1, order=order, longest=6)
    settings = small(**SHAPE, training={"epochs": 5, "learning_rate": 0.008, "average": 0.98, "batch_tokens": 200})
    translator = Translator.create(settings, examples)
    run = Run(translator, settings.training)
    for _ in fit(run, [translator.encode(e) for e in examples], pairs(20, seed=3, order=order, longest=6)):
        pass
    return translator


@pytest.mark.parametrize("order", ["copy", "reverse"])
def test_a_copy_and_a_reversal_are_learnt_for_sentences_never_seen(order: str) -> None:
    held = pairs(100, seed=2, order=order, longest=6)
    found = taught(order).translate([pair.source for pair in held])
    assert [one.translation for one in found] == [pair.targets[0] for pair in held]
    assert all(one.note is None for one in found)


@pytest.mark.parametrize("order", ["copy", "reverse"])
def test_attention_is_in_the_order_of_the_text(order: str) -> None:
    """Of a language that is a table, each letter looks at the one that it comes from, whichever way it was read."""
    assert taught(order).config.source.reverse
    (one,) = taught(order).translate(["a c e g i"], attention=True)
    assert one.attention is not None
    source, target = one.attention.source, one.attention.target
    assert "".join(source) == "▁a▁c▁e▁g▁i</s>"
    assert all(sum(row) == pytest.approx(1, abs=1e-5) for row in one.attention.weights)
    assert {len(row) for row in one.attention.weights} == {len(source)}
    looked = {
        piece.strip("▁").lower(): source[max(range(len(source)), key=row.__getitem__)].strip("▁")
        for piece, row in zip(target, one.attention.weights, strict=True)
        if piece.strip("▁").isalpha()
    }
    assert sum(letter == seen for letter, seen in looked.items()) >= 4  # of five


KINDS = list(product(["none", "bahdanau", "luong"], [False, True]))


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize(("attention", "feeding"), KINDS)
def test_search_says_what_teaching_says(attention: str, feeding: bool) -> None:
    """What a search adds up step by step for each hypothesis, its end included, is what the whole of it is told."""
    translator = untrained(decoder={"attention": attention, "input_feeding": feeding, "layers": 2})
    rows = [translator.source_ids(pair.source) for pair in pairs(6, seed=2)]
    with torch.inference_mode():
        found = translator._search(rows, SearchConfig(beam_size=3), 3)
    hypotheses = [(row, one) for row, own in zip(rows, found, strict=True) for one in own]
    assert len(hypotheses) == 18
    told = translator.told([row for row, _ in hypotheses], [[*one.ids, END] for _, one in hypotheses])
    totals = {index: float(scores_T.sum()) for index, scores_T, _ in told}
    assert [totals[n] for n in range(18)] == pytest.approx([one.total for _, one in hypotheses], abs=1e-3)


@pytest.mark.parametrize(("attention", "feeding"), KINDS)
@pytest.mark.parametrize("beam", [1, 4])
def test_a_sentence_is_translated_in_a_batch_as_alone(attention: str, feeding: bool, beam: int) -> None:
    translator = untrained(decoder={"attention": attention, "input_feeding": feeding})
    sources = [pair.source for pair in pairs(12, seed=2)]
    together = translator.translate(sources, SearchConfig(beam_size=beam))
    for source, one in zip(sources, together, strict=True):
        (alone,) = translator.translate([source], SearchConfig(beam_size=beam))
        assert alone.translation == one.translation
        assert alone.score == pytest.approx(one.score, abs=1e-4)


def test_alternatives_are_different_and_best_first() -> None:
    (one,) = taught("copy").translate(["a b c d"], GREEDY, alternatives=4)
    texts = [alternative.translation for alternative in one.alternatives]
    assert texts[0] == one.translation == "A B C D"
    assert 2 <= len(set(texts)) == len(texts) <= 4
    assert one.alternatives[0].score == one.score > one.alternatives[1].score


def test_a_beam_is_at_least_as_sure_as_greed() -> None:
    """By the sum, without a length penalty, over a hundred sentences; a beam may lose a few of them."""
    translator, sources = untrained(), [pair.source for pair in pairs(100, seed=2)]
    sums = [sum(one.score for one in translator.translate(sources, SearchConfig(beam_size=beam))) for beam in (1, 8)]
    assert sums[1] > sums[0]


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_nothing_is_translated_by_nothing(text: str) -> None:
    (empty, one) = untrained().translate([text, "a b c d"], attention=True)
    assert empty.translation == ""
    assert empty.attention is None
    assert empty.alternatives == ()
    assert one.attention is not None


def test_no_sentence_has_no_translation() -> None:
    assert untrained().translate([]) == []


def test_what_was_kept_from_a_sentence_is_said() -> None:
    translator = untrained()
    long = " ".join("abcdefghij" * 60)
    (one,) = translator.translate([long], SearchConfig(beam_size=1, length_cap=0.01, no_repeat_ngram_size=0))
    assert one.note is not None
    assert "first 200 pieces" in one.note
    assert "cap on length" in one.note


def test_the_source_is_read_backwards_unless_it_is_not_to_be() -> None:
    for reverse in (True, False):
        translator = untrained(source={"reverse": reverse})
        items = [translator.encode(pair) for pair in pairs(5, seed=1)]
        batch = translator.collate(items)
        for row, length, item in zip(batch.sources_BS.tolist(), batch.source_lengths_B, items, strict=True):
            assert row[:length] == (item.source_ids[::-1] if reverse else item.source_ids)
            assert set(row[length:]) <= {0}


def test_reversal_is_kept_in_the_checkpoint(tmp_path: Path) -> None:
    for reverse in (True, False):
        folder = write_checkpoint(tmp_path / str(reverse), untrained(source={"reverse": reverse}))
        assert load_task(folder)[0].config.source.reverse is reverse


def test_pieces_are_joint_or_separate(tmp_path: Path) -> None:
    joint, separate = (untrained(pieces={"joint": joint}) for joint in (True, False))
    assert list(joint.pieces.to_plain()) == ["pieces"]
    assert list(separate.pieces.to_plain()) == ["source", "target"]
    loaded, _ = load_task(write_checkpoint(tmp_path / "it", separate))
    assert loaded.to_plain() == separate.to_plain()
    assert len(joint.network.vectors) == 1
    assert len(separate.network.vectors) == 2


@pytest.mark.parametrize(("tied", "matrices"), [("all", 1), ("target", 2), ("none", 3)])
def test_vectors_are_tied_three_ways_two_or_none(tied: str, matrices: int, tmp_path: Path) -> None:
    translator = untrained(vectors={"tied": tied})
    size = len(translator.pieces.target)
    assert sum(weight.shape == (size, 24) for weight in translator.network.parameters()) == matrices
    round_weights(translator.network)
    loaded, _ = load_task(write_checkpoint(tmp_path / "it", translator))
    assert loaded.translate(["a b c d"]) == translator.translate(["a b c d"])


def test_a_small_corpus_has_few_pieces() -> None:
    translator = untrained(pieces={"size": 8000})
    assert len(translator.pieces.source) < 400  # 260 bytes and reserved ids, 20 letters and what joins them


CHINESE = [chr(0x4E00 + n) for n in range(1200)]  # that many different ones make even a small corpus


def chinese(count: int) -> list[SentencePair]:
    chance = random.Random(1)
    sentences = ["".join(chance.sample(CHINESE, 12)) for _ in range(count)]
    return [SentencePair(source="one two three", targets=(sentence,)) for sentence in sentences]


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("joint", [True, False])
def test_a_small_corpus_without_spaces_has_a_piece_for_each_character(kind: str, joint: bool) -> None:
    """300 sentences are 300 words by their spaces, for which 800 pieces would be many: fewer than characters."""
    settings, examples = small(pieces={"size": None, "kind": kind, "joint": joint}), chinese(300)
    pieces = Translator.create(settings, examples).pieces
    seen = set("".join(example.targets[0] for example in examples))
    assert len(seen) > 1000
    assert {len(pieces.target.ids(character)) for character in seen} <= {1, 2}  # one for the space before it
    assert len(pieces.target) < 1600
    assert joint or len(pieces.source) < 400


def test_a_size_that_is_asked_for_is_given_or_what_is_possible_is_said() -> None:
    examples = chinese(300)
    for size in (1500, 1700):
        settings = small(pieces={"size": size, "kind": "bpe"})
        assert len(Translator.create(settings, examples).pieces.source) == size
    with pytest.raises(DataError, match="No subword model of 1000 pieces") as caught:
        Translator.create(small(pieces={"size": 1000}), examples)
    least = int(re.findall(r"Set pieces\.size .* to (\d+) or more", str(caught.value))[0])
    assert len(Translator.create(small(pieces={"size": least}), examples).pieces.source) == least
    with pytest.raises(DataError, match=f"Set pieces.size .* to {least} or more"):
        Translator.create(small(pieces={"size": least - 1}), examples)


@pytest.mark.parametrize(("kind", "more", "fewer"), [("unigram", 0.1, 0.9), ("bpe", 0.5, 0.1)])
def test_alpha_of_unigram_and_of_bpe_are_opposites_as_the_settings_say(
    kind: PieceKind, more: float, fewer: float
) -> None:
    words = [SentencePair(source=f"the house {n} is old", targets=(f"das Haus {n} ist alt",)) for n in range(40)]
    pieces = Translator.create(small(pieces={"size": 330, "kind": kind}), words).pieces
    draws, chance = {a: PieceDraws(pieces.source, kind, a) for a in (more, fewer)}, random.Random(1)
    drawn = {a: [tuple(draws[a].ids("the house is old", chance)) for _ in range(200)] for a in (more, fewer)}
    usual = tuple(pieces.source.ids("the house is old"))
    assert drawn[more].count(usual) < drawn[fewer].count(usual)
    assert len(set(drawn[more])) > len(set(drawn[fewer]))


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_pieces_that_are_drawn_spell_the_same_and_come_from_the_seed(kind: str) -> None:
    words = [SentencePair(source=f"the house {n} is old", targets=(f"das Haus {n} ist alt",)) for n in range(40)]
    translator = Translator.create(small(pieces={"size": 400, "kind": kind, "sampling": 1.0}), words)
    items = [translator.encode(pair) for pair in words]
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(translator.collate(items))
    assert torch.equal(batches[0].targets_BT, batches[1].targets_BT)
    assert batches[0].targets_BT.tolist() != batches[2].targets_BT.tolist()
    for row, item in zip(batches[0].targets_BT.tolist(), items, strict=True):
        assert translator.pieces.target.text(row) == item.target


def test_resumed_with_drawn_pieces_a_run_ends_alike() -> None:
    """The draws are those of the run's own seed, so they are taken up with it."""
    examples, ends = pairs(20, seed=1), []
    for stop in (False, True):
        torch.manual_seed(0)
        settings = small(pieces={"sampling": 0.5}, training={"epochs": 3, "batch_tokens": 60})
        translator = Translator.create(settings, examples)
        run, items = Run(translator, settings.training), [translator.encode(e) for e in examples]
        if stop:
            reports = fit(run, items, examples)
            while not next(reports).scores:
                pass
            tensors, plain = run.state()
            kept = {name: value.clone() for name, value in tensors.items()}
            translator = Translator.create(settings, examples)
            run = Run(translator, settings.training)
            run.restore(kept, plain)
        for _ in fit(run, items, examples):
            pass
        ends.append(translator.network.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def inputs_seen(translator: Translator, batch: Any, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """The inputs of the decoder in the last of the passes that a loss takes."""
    seen: list[torch.Tensor] = []
    inner = translator.network.taught

    def taught_and_seen(inputs_BT: torch.Tensor, reading: Any) -> Any:
        seen.append(inputs_BT)
        return inner(inputs_BT, reading)

    monkeypatch.setattr(translator.network, "taught", taught_and_seen)
    translator.losses(batch)
    return seen


@pytest.mark.parametrize("forcing", [1.0, 0.5, 0.0])
def test_teacher_forcing_gives_some_inputs_of_its_own(forcing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = untrained(teaching={"teacher_forcing": forcing})
    batch = translator.collate([translator.encode(pair) for pair in pairs(30, seed=1)])
    translator.network.train()
    torch.manual_seed(0)
    *earlier, inputs_BT = inputs_seen(translator, batch, monkeypatch)
    assert len(earlier) == (forcing < 1)
    true_BT = torch.cat((torch.full_like(batch.targets_BT[:, :1], BEGIN), batch.targets_BT[:, :-1]), dim=1)
    assert torch.equal(inputs_BT[:, 0], true_BT[:, 0])
    inside = torch.arange(inputs_BT.shape[1])[None] < batch.target_lengths_B[:, None]
    same = (inputs_BT == true_BT)[inside][1:].float().mean().item()
    # Untrained, it is right by chance alone: one in 300. The first of some eleven pieces is always true.
    assert same == pytest.approx(forcing + (1 - forcing) / 11, abs=0.12)
    translator.network.eval()
    assert len(inputs_seen(translator, batch, monkeypatch)) == 1


def test_teachers_add_what_they_make_of_the_sources() -> None:
    teacher, examples = taught("copy"), pairs(5, seed=4, longest=6)
    pupil = untrained()
    items = [pupil.encode(pair) for pair in examples]
    extended = pupil.taught(items, examples, [teacher])
    assert extended == [*items, *items]  # it makes no mistake
    assert pupil.taught(items, examples, []) == items


@pytest.mark.parametrize("settings", [{"search": {"length_cap": 0.01}}, {"source": {"limit": 8}}])
def test_translations_that_were_cut_short_are_not_learnt(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A letter is a piece; the cap is four beside a hundredth of the source, the limit eight with the end."""
    monkeypatch.setattr(translation_search, "LONGER", 4)
    teacher, pupil = taught("copy"), untrained()
    short = Translator(small(**settings, **SHAPE), teacher.pieces)
    short.network.load_state_dict(teacher.network.state_dict())
    examples = [SentencePair(source=text, targets=("X",)) for text in ("a b c", "a b c d e f g h i")]
    items = [pupil.encode(pair) for pair in examples]
    assert [item.target for item in pupil.taught(items, examples, [short])] == ["X", "X", "A B C"]
    assert "1 of 2 translations of the teachers were cut short" in caplog.text
    caplog.clear()
    assert len(pupil.taught(items, examples, [teacher])) == 4
    assert caplog.text == ""


def test_a_side_over_the_limit_is_cut_and_has_no_end() -> None:
    translator = untrained(source={"limit": 8})
    item = translator.encode(SentencePair(source="a " * 30, targets=("B " * 30,)))
    assert len(item.source_ids) == len(item.target_ids) == 8
    assert END not in item.source_ids + item.target_ids


@pytest.mark.parametrize(
    ("wanted", "models"),
    [
        (
            "我们昨天在城里看了一部很长的电影。",
            ["他在家。", "我们昨天在城里买面包。", "我们今天在城里看了一部很长的电影。"],
        ),
        ("un chat noir", ["une maison", "un chien noir", "un chat noir"]),
    ],
    ids=["no spaces", "three words"],
)
def test_the_best_model_is_found_whatever_the_targets_are(
    wanted: str, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three models, of which the second has half of each sentence right, and the third nearly all of it."""
    translator, scores = untrained(), []
    for said in models:
        found = [Translated(said, 0.0, (), None, None)]
        monkeypatch.setattr(translator, "translate", lambda *_, found=found: found)
        scores.append(translator.score([SentencePair(source="a b", targets=(wanted,))])[Translator.main_score])
    assert 5 + scores[0] < scores[1] < scores[2] - 5


def test_the_development_score_is_of_evenly_drawn_sentences() -> None:
    translator = untrained(teaching={"dev_sentences": 3})
    seen: list[Sequence[str]] = []
    translator.translate = lambda sentences, *_: seen.append(sentences) or Translator.translate(translator, sentences)  # type: ignore[method-assign,assignment,func-returns-value,misc,return-value]
    examples = pairs(9, seed=1)
    translator.score(examples)
    assert seen == [[examples[index].source for index in (0, 3, 6)]]
    with pytest.raises(DataError, match="no pairs"):
        translator.score([])
