"""Layers that are read in eight bits, against the same in float32."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nlpseq
from nlpseq.config import Cell
from nlpseq.nn import eight_bit_products
from nlpseq.nn.eight_bit import EightBitEncoder, readable
from nlpseq.nn.eight_bit_products import full_precision, wanted
from nlpseq.records import TagPrediction
from tests import classifiers, taggers
from tests.encoders import WIDTH, WORDS, encoder
from tests.examples import corpus

pytestmark = pytest.mark.skipif(not wanted(), reason="this processor has no fast products of eight-bit numbers")


@pytest.fixture(scope="module", autouse=True)
def without_tiles() -> Iterator[None]:
    """Where this processor has them, it would read in sixteen bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlpseq.nn.fast_reader.has_tiles", lambda: False)
        yield


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_states_are_nearly_those_of_float32(lengths: list[int], layers: int, two_ways: bool, seed: int) -> None:
    whole = encoder(layers, bidirectional=two_ways)
    generator = torch.Generator().manual_seed(seed)
    vectors_UD = torch.randn(WORDS, WIDTH, generator=generator)
    words_BT = torch.randint(WORDS, (len(lengths), max(lengths) + 2), generator=generator)
    lengths_B = torch.tensor(lengths)
    with torch.inference_mode():
        eight_bit = EightBitEncoder(whole)
        found_BTH = eight_bit.read(eight_bit.entered(vectors_UD), words_BT, lengths_B)
        wanted_BTH = whole(vectors_UD[words_BT], lengths_B)
    assert torch.allclose(found_BTH, wanted_BTH, atol=0.03)  # a state has steps of 1/127
    assert (found_BTH - wanted_BTH).abs().mean() < 0.002
    beyond_BT = torch.arange(words_BT.shape[1]) >= lengths_B[:, None]
    assert not found_BTH[beyond_BT].any()


@pytest.mark.parametrize("rows", [12, 3])
def test_heads_say_nearly_the_same_in_eight_bits(rows: int) -> None:
    """Of many rows and of few: a state has steps of 1/127, a weight of 1/127 of the largest of its label."""
    torch.manual_seed(rows)
    lengths_B, words_BT = torch.tensor([5, 1, 7, 3] * 3)[:rows], torch.randint(WORDS, (rows, 8))
    heads = {"one": torch.nn.Linear(40, 5), "other": torch.nn.Linear(40, 3)}
    with torch.no_grad():
        eight_bit = EightBitEncoder(encoder(), heads)
        entered_UG = eight_bit.entered(torch.randn(WORDS, WIDTH))
        found = eight_bit.scores(entered_UG, words_BT, lengths_B)
        states_BTH = eight_bit.read(entered_UG, words_BT, lengths_B)
    true_BT = torch.arange(8) < lengths_B[:, None]
    assert list(found) == list(heads)
    for name, head in heads.items():
        wanted_BTK = torch.nn.functional.linear(states_BTH, head.weight.detach(), head.bias.detach())
        assert found[name].shape == wanted_BTK.shape
        assert torch.allclose(found[name][true_BT], wanted_BTK[true_BT], atol=0.02)
        assert not found[name][~true_BT].any()


def test_heads_say_the_same_of_few_rows_as_of_many() -> None:
    lengths_B, words_BT = torch.tensor([5] * 12), torch.randint(WORDS, (12, 5))
    with torch.inference_mode():
        eight_bit = EightBitEncoder(encoder(), {"it": torch.nn.Linear(40, 5)})
        entered_UG = eight_bit.entered(torch.randn(WORDS, WIDTH))
        many_BTK = eight_bit.scores(entered_UG, words_BT, lengths_B)["it"]
        few_BTK = eight_bit.scores(entered_UG, words_BT[:4], lengths_B[:4])["it"]
    assert (many_BTK[:4] - few_BTK).abs().mean() < 1e-3


def test_what_a_row_gives_does_not_depend_on_the_others() -> None:
    """Nine rows are many, one is few, which is read in another way."""
    lengths_B = torch.tensor([5, 13, 1, 7, 7, 2, 13, 9, 3])
    words_BT = torch.randint(WORDS, (9, 13), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        eight_bit = EightBitEncoder(encoder())
        entered_UG = eight_bit.entered(torch.randn(WORDS, WIDTH))
        together_BTH = eight_bit.read(entered_UG, words_BT, lengths_B)
        for row, length in enumerate(lengths_B.tolist()):
            alone_1TH = eight_bit.read(entered_UG, words_BT[row : row + 1, :length], lengths_B[row : row + 1])
            difference_TH = (alone_1TH[0] - together_BTH[row, :length]).abs()
            assert difference_TH.mean() < 1e-4  # the last digits, and seldom a state that is rounded otherwise
            assert difference_TH.max() < 0.02


def test_weights_of_nothing_and_large_ones_are_read_too() -> None:
    whole = encoder()
    with torch.no_grad():
        for weight in whole.parameters():
            weight.view(-1)[::2] = 0
            weight *= 20
        whole.layers[0].forwards.weight_hh_l0.zero_()  # type: ignore[operator,union-attr]
    vectors_UD, words_BT = torch.randn(WORDS, WIDTH), torch.randint(WORDS, (4, 6))
    with torch.inference_mode():
        eight_bit = EightBitEncoder(whole)
        found_BTH = eight_bit.read(eight_bit.entered(vectors_UD), words_BT, torch.tensor([6, 2, 1, 4]))
    assert found_BTH.isfinite().all()


@pytest.mark.parametrize("cell", ["rnn", "irnn", "gru"])
def test_other_cells_are_read_in_float32(cell: Cell) -> None:
    assert readable(encoder())
    assert not readable(encoder(cell=cell))


def test_words_are_forgotten_and_met_again() -> None:
    """What is remembered of words has the same end as in float32, also where more than it holds are met at once."""
    tagger = taggers.untrained(encoder={"width": 20})
    cache, sentences = tagger.vector_cache(), [[f"w{n * k % 11}" for k in range(1, 8)] for n in range(9)]
    cache.limit = 4
    whole = tagger.predict(sentences)
    assert isinstance(cache.fast, EightBitEncoder)
    assert [tagger.predict([sentence], cache)[0].labels for sentence in sentences] == [one.labels for one in whole]


def test_windows_of_a_classifier_are_read_in_eight_bits() -> None:
    classifier = classifiers.untrained(windows={"size": 8, "overlap": 2}, encoder={"width": 20})
    texts = [
        ["good", "film"] * 15,
        ["bad"],
        ["a", "film", "of", "ten", "words", "and", "more", "than", "one", "window"],
    ]
    found = classifier.logits(texts)
    with full_precision():
        wanted_logits = classifier.logits(texts)
    for scheme, logits_NK in found.items():
        assert not torch.equal(logits_NK, wanted_logits[scheme])
        assert torch.allclose(logits_NK, wanted_logits[scheme], atol=0.05)


@pytest.mark.parametrize("name", ["tag-en", "sentiment-en"])
def test_a_copy_of_a_pipeline_says_the_same(name: str) -> None:
    pipeline = nlpseq.load(name, device="cpu")
    answer = pipeline("A good film from Paris.")
    assert pickle.loads(pickle.dumps(pipeline))("A good film from Paris.") == answer


def test_products_that_are_not_exact_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where sums stop at 16 bits, or this torch takes other arguments."""

    def saturating(self: Any, sums_NG: torch.Tensor, states_ND: torch.Tensor) -> None:
        del self, states_ND
        sums_NG.fill_(32767 / 127 / 127)

    monkeypatch.setattr(eight_bit_products.Product, "add_to", saturating)
    assert not eight_bit_products._exact()

    def refusing(self: Any, weights_GD: torch.Tensor, bias_G: torch.Tensor) -> None:
        del self, weights_GD, bias_G
        raise RuntimeError("unknown operator")

    monkeypatch.setattr(eight_bit_products.Product, "__init__", refusing)
    assert not eight_bit_products._exact()


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with full_precision():
        assert not wanted()
    assert wanted()
    monkeypatch.setenv("NLPSEQ_PRECISION", "float32")
    assert not wanted()


def test_the_shipped_classifier_says_nearly_the_same() -> None:
    lines = [f"{first} {second}" for first in ("A fine film.", "Dull.", "Not bad") for second in ("I slept.", "at all")]
    with full_precision():
        whole = [one.scores for one in nlpseq.load("sentiment-en", device="cpu").pipe(lines)]
    for one, scores in zip(nlpseq.load("sentiment-en", device="cpu").pipe(lines), whole, strict=True):
        assert one.scores == pytest.approx(scores, abs=0.05)


def test_the_shipped_tagger_says_nearly_the_same() -> None:
    """Of its labels on development sentences, one in some five thousand differs: where two are all but as likely."""
    lines = [example.text for example in corpus(60, seed=5)]
    with full_precision():
        whole = [one for one in nlpseq.load("tag-en", device="cpu").pipe(lines) if isinstance(one, TagPrediction)]
    pairs: list[tuple[str | None, str | None]] = []
    for one, wanted_one in zip(nlpseq.load("tag-en", device="cpu").pipe(lines), whole, strict=True):
        assert isinstance(one, TagPrediction)
        for token, other in zip(one.tokens, wanted_one.tokens, strict=True):
            assert token.score == pytest.approx(other.score, abs=0.05)
            pairs += [(token.upos, other.upos), (token.xpos, other.xpos), (token.ner, other.ner)]
    assert len(pairs) > 1000
    assert sum(found != label for found, label in pairs) <= 2
