"""Searches in eight bits, against the same in float32."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import product

import pytest
import torch

import nlpseq
from nlpseq.nn import sixteen_bit
from nlpseq.nn.eight_bit_products import full_precision, wanted
from nlpseq.tasks.translation import Translator
from nlpseq.tasks.translation_network import TranslationNetwork
from nlpseq.tasks.translation_reading import FewBitNetwork, Readers
from tests.letters import pairs
from tests.translators import decided, untrained

pytestmark = pytest.mark.skipif(not wanted(), reason="this processor has no fast products of eight-bit numbers")
KINDS = list(product(["none", "luong"], [False, True], [1, 2]))
TILES = sixteen_bit.has_tiles()


@pytest.fixture(scope="module", autouse=True, params=[False, True], ids=["encoder in eight", "encoder in sixteen"])
def tiles(request: pytest.FixtureRequest) -> Iterator[None]:
    """How the encoder is read."""
    if request.param and not TILES:
        pytest.skip("this processor does not multiply tiles of bfloat16 numbers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlpseq.nn.fast_reader.has_tiles", lambda: request.param)
        yield


def first_scores(translator: Translator, sources: list[str], *, eight_bit: bool) -> torch.Tensor:
    """log p (B, V, 2) of the first piece, and of the second behind the likeliest first one."""
    network: TranslationNetwork | FewBitNetwork = translator.network.eval()
    if eight_bit:
        network = FewBitNetwork(translator.network)
    rows = [translator.source_ids(source) for source in sources]
    batch = translator.batch(rows, [[3]] * len(rows))
    with torch.inference_mode():
        state = network.growing(network.read(batch.sources_BS, batch.source_lengths_B))
        one, state = network.step(torch.full((len(rows), 1), 2), state)
        two, _ = network.step(torch.full((len(rows), 1), 7), state)
        scores = [network.scores(features_BQF[:, 0]).log_softmax(1) for features_BQF in (one, two)]
    return torch.stack(scores, dim=2)


@pytest.mark.parametrize(("attention", "feeding", "layers"), KINDS)
@pytest.mark.parametrize("count", [1, 40])
def test_scores_are_nearly_those_of_float32(attention: str, feeding: bool, layers: int, count: int) -> None:
    decoder = {"attention": attention, "input_feeding": feeding, "layers": layers}
    translator = decided(untrained(decoder=decoder, encoder={"layers": layers}))
    sources = [pair.source for pair in pairs(count, seed=2)]
    found, whole = (first_scores(translator, sources, eight_bit=one) for one in (True, False))
    assert (found - whole).abs().mean() < 0.05 * whole.std()
    assert (found - whole).abs().max() < 0.3 * whole.std()


SENTENCES = (
    "Do you want to sing with me?",
    "I have two brothers and a sister.",
    "A man in a red shirt is riding a bicycle down the street.",
    "The train to the city leaves at eight o'clock.",
    "She was reading a book when the phone rang.",
    "Where can I buy a ticket?",
    "It is raining today, so we stay at home.",
    "Two dogs are playing in the snow.",
    "He does not know what he wants.",
    "My mother makes the best soup in the world.",
)


@pytest.mark.parametrize("beam", [1, 5])
def test_the_shipped_translator_says_nearly_the_same(beam: int) -> None:
    pipeline = nlpseq.load("translate-en-fr", device="cpu").searching(beam_size=beam)
    found = list(pipeline.pipe(SENTENCES))
    with full_precision():
        whole = list(pipeline.pipe(SENTENCES))
    same = [(one, other) for one, other in zip(found, whole, strict=True) if one.translation == other.translation]
    assert len(same) >= 8
    assert all(one.score == pytest.approx(other.score, abs=0.05) for one, other in same)


@pytest.mark.parametrize("change", [{"decoder": {"attention": "bahdanau"}}, {"encoder": {"cell": "gru"}}])
def test_what_cannot_be_read_so_is_read_as_it_is(change: dict[str, dict[str, str]]) -> None:
    translator = untrained(**change)
    assert Readers().of(translator.network) is translator.network


def test_it_is_made_once_and_anew_when_the_weights_change() -> None:
    translator, readers = untrained(), Readers()
    first = readers.of(translator.network)
    assert isinstance(first, FewBitNetwork)
    assert readers.of(translator.network) is first
    with torch.no_grad():
        translator.network.output_bias.add_(1)
    second = readers.of(translator.network)
    assert second is not first
    readers.forget()
    assert readers.of(translator.network) is not second


def test_a_step_of_training_is_seen() -> None:
    """Fused optimisers change weights without counting it."""
    translator = untrained()
    sources = [pair.source for pair in pairs(5, seed=2)]
    before = translator.translate(sources)
    items = [translator.encode(pair) for pair in pairs(20, seed=1)]
    optimizer = torch.optim.AdamW(translator.network.parameters(), lr=0.05, fused=True)
    ((loss, _),) = translator.losses(translator.collate(items)).values()
    loss.backward()
    optimizer.step()
    after = translator.translate(sources)
    assert [one.score for one in before] != [one.score for one in after]
    translator._readers.forget()
    assert translator.translate(sources) == after


def test_a_copy_begins_with_nothing_and_says_the_same() -> None:
    translator = untrained()
    sources = [pair.source for pair in pairs(5, seed=2)]
    found = translator.translate(sources)
    copy = pickle.loads(pickle.dumps(translator))
    assert copy.translate(sources) == found
