"""Layers that are read in bfloat16, against the same in float32."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlpseq.nn.eight_bit import EightBitEncoder
from nlpseq.nn.eight_bit_products import full_precision, wanted
from nlpseq.nn.fast_reader import fast_reader
from nlpseq.nn.sixteen_bit import SixteenBitEncoder, has_tiles
from tests import classifiers, taggers
from tests.encoders import WIDTH, WORDS, encoder

WITH_HEADS = pytest.mark.skipif(not wanted(), reason="this processor has no fast products of eight-bit numbers")
WITH_TILES = pytest.mark.skipif(
    not (wanted() and has_tiles()), reason="this processor does not multiply tiles of bfloat16 numbers"
)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_states_and_ends_are_nearly_those_of_float32(
    lengths: list[int], layers: int, two_ways: bool, seed: int
) -> None:
    whole = encoder(layers, bidirectional=two_ways)
    generator = torch.Generator().manual_seed(seed)
    vectors_UD = torch.randn(WORDS, WIDTH, generator=generator)
    words_BT = torch.randint(WORDS, (len(lengths), max(lengths) + 2), generator=generator)
    lengths_B = torch.tensor(lengths)
    with torch.inference_mode():
        reader = SixteenBitEncoder(whole)
        found_BTH = reader.read(reader.entered(vectors_UD), words_BT, lengths_B)
        same_BTH, ends_BE = reader.with_ends(reader.entered(vectors_UD), words_BT, lengths_B)
        wanted_BTH, wanted_BE = whole.with_ends(vectors_UD[words_BT], lengths_B)
    assert found_BTH.dtype == torch.bfloat16
    assert torch.equal(same_BTH, found_BTH.float())
    found_BTH = found_BTH.float()
    assert torch.allclose(found_BTH, wanted_BTH, atol=0.02)  # inputs and weights are rounded in their ninth bit
    assert (found_BTH - wanted_BTH).abs().mean() < 0.002
    assert torch.allclose(ends_BE, wanted_BE, atol=0.02)
    beyond_BT = torch.arange(words_BT.shape[1]) >= lengths_B[:, None]
    assert not found_BTH[beyond_BT].any()


@pytest.mark.parametrize("layers", [1, 2])
def test_states_stay_near_over_long_texts(layers: int) -> None:
    """Cells are kept in as few bits, step by step; yet states are nearer than in eight bits, with cells in float32."""
    whole = encoder(layers)
    with torch.no_grad():
        for name, weight in whole.named_parameters():
            if "bias_ih" in name:
                weight[20:40] += 1.0  # more is kept
    vectors_UD, words_BT = torch.randn(WORDS, WIDTH), torch.randint(WORDS, (12, 300))
    lengths_B = torch.tensor([300, 299, 150] * 4)
    with torch.inference_mode():
        reader = SixteenBitEncoder(whole)
        found_BTH = reader.read(reader.entered(vectors_UD), words_BT, lengths_B).float()
        wanted_BTH = whole(vectors_UD[words_BT], lengths_B)
    assert (found_BTH - wanted_BTH).abs().mean() < 0.006  # in eight bits 0.002 of one layer, 0.005 of two


@WITH_HEADS
@pytest.mark.parametrize("rows", [40, 3, 1])
def test_heads_say_nearly_the_same_of_the_same_states(rows: int) -> None:
    """A state is rounded to steps of 1/127 for them, a weight to 1/127 of the largest of its label."""
    torch.manual_seed(rows)
    lengths_B, words_BT = torch.tensor([5, 1, 7, 3] * 10)[:rows], torch.randint(WORDS, (rows, 8))
    heads = {"one": torch.nn.Linear(40, 5), "other": torch.nn.Linear(40, 3)}
    with torch.no_grad():
        reader = SixteenBitEncoder(encoder(), heads)
        entered_UD = reader.entered(torch.randn(WORDS, WIDTH))
        found = reader.scores(entered_UD, words_BT, lengths_B)
        states_BTH = reader.read(entered_UD, words_BT, lengths_B).float()
    true_BT = torch.arange(8) < lengths_B[:, None]
    assert list(found) == list(heads)
    for name, head in heads.items():
        wanted_BTK = torch.nn.functional.linear(states_BTH, head.weight.detach(), head.bias.detach())
        assert found[name].shape == wanted_BTK.shape
        assert torch.allclose(found[name][true_BT], wanted_BTK[true_BT], atol=0.03)
        assert not found[name][~true_BT].any()


@WITH_TILES
@given(st.lists(st.integers(1, 60), min_size=2, max_size=70), st.integers(1, 2))
def test_what_a_row_gives_is_the_same_whatever_it_is_read_with(lengths: list[int], threads: int) -> None:
    """To the last bit: the kernel sums each row in the same order."""
    before, lengths_B = torch.get_num_threads(), torch.tensor(lengths)
    words_BT = torch.randint(WORDS, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        reader = SixteenBitEncoder(encoder())
        entered_UD = reader.entered(torch.randn(WORDS, WIDTH, generator=torch.Generator().manual_seed(1)))
        torch.set_num_threads(threads)
        together_BTH = reader.read(entered_UD, words_BT, lengths_B)
        torch.set_num_threads(before)
        for row in range(0, len(lengths), 7):
            length = lengths[row]
            alone_1TH = reader.read(entered_UD, words_BT[row : row + 1, :length], lengths_B[row : row + 1])
            assert torch.equal(alone_1TH[0], together_BTH[row, :length])


@WITH_TILES
def test_who_reads_is_chosen_by_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(fast_reader(encoder()), SixteenBitEncoder)
    assert fast_reader(encoder(cell="gru")) is None
    with full_precision():
        assert fast_reader(encoder()) is None
    monkeypatch.setattr("nlpseq.nn.fast_reader.has_tiles", lambda: False)
    assert isinstance(fast_reader(encoder()), EightBitEncoder)


@WITH_TILES
@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("allowed", "tiles"),
    [("AVX512_CORE_VNNI", False), ("avx512_core_bf16", False), ("AVX512_CORE_AMX", True), ("ALL", True), ("", True)],
)
def test_tiles_that_onednn_may_not_use_are_none(
    name: str, allowed: str, tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, allowed)
    assert has_tiles.__wrapped__() is tiles


@WITH_TILES
def test_words_are_remembered_in_sixteen_bits() -> None:
    tagger = taggers.untrained(encoder={"width": 20})
    cache = tagger.vector_cache()
    assert cache.meet([["a", "b"]]).remembered_RD.dtype == torch.bfloat16
    assert tagger.predict([["a", "b"], ["b"]], cache) == tagger.predict([["a", "b"], ["b"]])


@WITH_TILES
def test_a_classifier_says_the_same_of_a_text_whatever_it_is_read_with() -> None:
    """But for a number that is rounded otherwise; and nearly what it says when all is float32."""
    classifier = classifiers.untrained(windows={"size": 8, "overlap": 2}, encoder={"width": 20})
    texts = [["good", "film", "of", "ten", "words"][: 1 + n % 5] * (1 + n % 7) for n in range(60)]
    together = classifier.logits(texts)
    with full_precision():
        whole = classifier.logits(texts)
    for scheme, logits_NK in together.items():
        assert logits_NK.dtype == torch.float32
        assert torch.allclose(logits_NK, whole[scheme], atol=0.03)
        for number in range(0, 60, 7):
            assert torch.allclose(classifier.logits([texts[number]])[scheme][0], logits_NK[number], atol=2e-3)
