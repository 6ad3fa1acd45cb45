from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from nlpseq.batching import pad
from nlpseq.config import EmbeddingConfig, EncoderConfig
from nlpseq.nn.characters import CharacterCNN, CharacterLSTM
from nlpseq.nn.embedding import WordEmbedding
from nlpseq.nn.recurrent import RecurrentEncoder
from nlpseq.tasks.words import Met, VectorCache, WordTable, word_ids
from nlpseq.text.vocab import UNKNOWN
from nlpseq.text.words import AFFIXES, WordVocabularies

WORDS = {"the": 9, "cat": 3, "sat": 1, "on": 4, "mat": 2, "extraordinarily": 2, "a": 5}
VOCABULARIES = WordVocabularies.from_words(WORDS, min_count=1)
CLOSE = {"atol": 1e-6, "rtol": 1e-5}
characters = pytest.mark.parametrize("kind", [CharacterCNN, CharacterLSTM])


def embedding(**settings: object) -> WordEmbedding:
    torch.manual_seed(0)
    small = {"width": 6, "character_width": 4, "character_features": 8, "affix_width": 5}
    return WordEmbedding(EmbeddingConfig(**{**small, **settings}), VOCABULARIES)


def inputs(sentence: list[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """As the network gets them: forms and which of the distinct words, by position; characters and affixes by word."""
    distinct = sorted(set(sentence))
    forms_U, characters_UC, affixes_UA = word_ids(distinct, VOCABULARIES, 24)
    word_BT = torch.tensor([[distinct.index(word) for word in sentence]])
    return forms_U[word_BT], word_BT, characters_UC, affixes_UA


@characters
def test_the_width_of_the_padding_never_changes_a_word(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = kind(20, 4, 9)
    rows = [[2, 3], [2, 5, 3], [2, 5, 6, 7, 8, 9, 3], [2, *range(4, 20), 3]]
    together = model(pad(rows))
    wider = model(nn.functional.pad(pad(rows), (0, 13)))
    for index, row in enumerate(rows):
        alone = model(torch.tensor([row]))[0]
        torch.testing.assert_close(together[index], alone, **CLOSE)
        torch.testing.assert_close(wider[index], alone, **CLOSE)


@given(
    st.lists(st.lists(st.integers(1, 19), min_size=1, max_size=12), min_size=1, max_size=6),
    st.sampled_from([4, 9]),
    st.sampled_from([1, 64]),
)
def test_a_character_cnn_gives_what_its_convolutions_give_and_learns_as_they_do(
    words: list[list[int]], features: int, few: int
) -> None:
    """Many words are read in parts, by their length."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlpseq.nn.characters.FEW", few)
        _check_a_character_cnn(words, features)


def _check_a_character_cnn(words: list[list[int]], features: int) -> None:
    torch.manual_seed(0)
    model = CharacterCNN(20, 4, features).double()
    characters_UC = pad(words)
    embedded_UEC = model.embedding(characters_UC).transpose(1, 2)
    found_UFC = torch.cat([c(embedded_UEC)[:, :, : characters_UC.shape[1]] for c in model.convolutions], dim=1)
    best_UF = found_UFC.masked_fill((characters_UC == 0).unsqueeze(1), -torch.inf).amax(2).relu()
    slopes_UF = torch.randn_like(best_UF)
    wanted = torch.autograd.grad((best_UF * slopes_UF).sum(), list(model.parameters()))
    torch.testing.assert_close(model(characters_UC), best_UF)
    learnt = torch.autograd.grad((model(characters_UC) * slopes_UF).sum(), list(model.parameters()))
    torch.testing.assert_close(learnt, wanted)
    with torch.inference_mode():
        torch.testing.assert_close(model(characters_UC), best_UF)


@characters
def test_characters_and_their_order_count(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = kind(20, 8, 32)
    ab, ba, abb = model(pad([[2, 4, 5, 3], [2, 5, 4, 3], [2, 4, 5, 5, 3]]))
    assert not torch.allclose(ab, ba)
    assert not torch.allclose(ab, abb)


@characters
def test_padding_characters_learn_nothing(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = kind(20, 4, 9)
    model(pad([[2, 3], [2, 4, 5, 6, 7, 8, 3]])).square().sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient[0].abs().sum() == 0
    assert gradient[4].abs().sum() > 0


@pytest.mark.parametrize("words", ["learnt", "one_hot", "none"])
@pytest.mark.parametrize("kind", ["cnn", "lstm", "none"])
@pytest.mark.parametrize("affix_width", [0, 5])
def test_every_combination_is_as_wide_as_it_says_and_the_same_word_by_word(
    words: str, kind: str, affix_width: int
) -> None:
    if words == kind == "none" and not affix_width:
        return  # nothing is left of a word
    one = embedding(words=words, characters=kind, affix_width=affix_width).eval()
    sentence = ["the", "cat", "never", "sat", "the", ""]
    vectors_BTD = one(*inputs(sentence))
    assert vectors_BTD.shape == (1, len(sentence), one.width)
    by_word = one.of_words(*word_ids(sentence, VOCABULARIES, 24))
    torch.testing.assert_close(vectors_BTD[0], by_word, **CLOSE)
    assert torch.equal(vectors_BTD[0, 0], vectors_BTD[0, 4])


def test_odd_numbers_of_features_fit() -> None:
    for kind in ("cnn", "lstm"):
        one = embedding(characters=kind, character_features=9).eval()
        assert one(*inputs(["cat"])).shape[2] == one.width


def test_one_hot_vectors_are_one_hot_and_stay_so() -> None:
    one = embedding(words="one_hot", characters="none", affix_width=0).eval()
    vectors = one(*inputs(["the", "cat", "never"]))[0]
    assert torch.equal(vectors.sum(1), torch.ones(3))
    assert [int(row.argmax()) for row in vectors] == [*map(VOCABULARIES.form_id, ("the", "cat")), UNKNOWN]
    assert not any(weight.requires_grad for weight in one.parameters())


def test_word_dropout_hides_at_the_rate_that_its_setting_says() -> None:
    """a / (a + n): for a = 3 and the words seen 9, 3 and 1 times, 1/4, 1/2 and 3/4."""
    one = embedding(word_dropout=3.0, characters="none", affix_width=0).train()
    torch.manual_seed(0)
    times = 20_000
    unknown = one.forms.weight[UNKNOWN]
    for word, rate in (("the", 1 / 4), ("cat", 1 / 2), ("sat", 3 / 4)):
        hidden = (one(*inputs([word] * times))[0] == unknown).all(1).float().mean().item()
        # The standard deviation of the mean of 20,000 draws is at most 0.0036; five of them are 0.018.
        assert hidden == pytest.approx(rate, abs=0.018)


def test_word_dropout_hides_positions_not_words_and_leaves_the_rest_of_the_word() -> None:
    torch.manual_seed(0)
    one = embedding(word_dropout=9.0).train()
    vectors = one(*inputs(["the"] * 100))[0]
    assert len(vectors[:, :6].unique(dim=0)) == 2  # the form's vector, and that of the unknown
    assert len(vectors[:, 6:].unique(dim=0)) == 1  # characters and affixes are always seen


@pytest.mark.parametrize("training", [False, True])
def test_no_word_dropout_in_evaluation_or_at_rate_zero(training: bool) -> None:
    one = embedding(word_dropout=0.0 if training else 9.0).train(training)
    vectors = one(*inputs(["the"] * 200))[0]
    assert len(vectors.unique(dim=0)) == 1


def test_padding_has_no_vector() -> None:
    one = embedding()
    assert one.forms.weight[0].abs().sum() == one.affixes.weight[0].abs().sum() == 0
    one(*inputs(["cat"])).sum().backward()
    assert one.forms.weight.grad[0].abs().sum() == 0


# -- the tables beside it


def test_the_word_table_keeps_its_rows() -> None:
    table = WordTable(VOCABULARIES, 24)
    table.add(["cat", "the", "cat"])
    before = [part.clone() for part in (table.forms_R, table.characters_RC, table.affixes_RA)]
    table.add([])
    table.add(["the", "incomprehensibilities-of-it", "mat"])
    assert table.rows == {"cat": 1, "the": 2, "incomprehensibilities-of-it": 3, "mat": 4}
    assert len(table) == 5 == len(table.forms_R) == len(table.characters_RC) == len(table.affixes_RA)
    for old, new in zip(before, (table.forms_R, table.characters_RC, table.affixes_RA), strict=True):
        assert torch.equal(old, new[:3])
    assert table.affixes_RA.shape[1] == len(AFFIXES)
    narrow = table.characters_of(torch.tensor([1, 4]))
    assert narrow.shape == (2, 5)  # three letters and two marks
    assert (table.characters_of(torch.tensor([0]))).shape == (1, 1)


def test_a_few_words_of_a_table_are_read_before_the_others() -> None:
    """As after all ids have been made, padding and a word of no letters included."""
    model, table = embedding().eval(), WordTable(VOCABULARIES, 24)
    table.add(["", "cat", "the", "incomprehensibilities-of-it", "mat"])
    rows_BT, cpu = torch.tensor([[2, 4, 2, 1], [3, 0, 0, 0]]), torch.device("cpu")
    alone_BTD = table.embedded(model, rows_BT, cpu)
    assert len(table._affixes_RA) == 1  # none was made but for the reading itself
    assert len(table.forms_R) == len(table) == len(table._affixes_RA)
    assert torch.equal(alone_BTD, table.embedded(model, rows_BT, cpu))


@pytest.mark.usefixtures("full_precision")
def test_the_memory_of_vectors_changes_nothing_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = embedding().eval()
    cache = remembering(one, monkeypatch)
    asked = [["the", "cat"], ["sat", "the", "zebra"], [], ["on", "mat", "a", "the"], ["q1", "q2", "q3", "q4", "q5"]]
    before: list[tuple[Met, torch.Tensor]] = []
    for _ in range(3):
        for sentence in asked:
            met = cache.meet([sentence])
            wanted = torch.empty(0, one.width)
            if sentence:
                wanted = one.of_words(*word_ids(sentence, VOCABULARIES, 24)).detach()
            before.append((met, wanted))
            assert len(cache._rows) <= max(3, len(sentence))
            for earlier, vectors in before:  # what others still read stays
                torch.testing.assert_close(earlier.remembered_RD[earlier.rows[0]], vectors, **CLOSE)


def remembering(one: WordEmbedding, monkeypatch: pytest.MonkeyPatch) -> VectorCache:
    """A memory of three words, or as many as are met at once."""
    monkeypatch.setattr("nlpseq.tasks.words.FRESH", 2)
    cache = VectorCache(one, RecurrentEncoder(EncoderConfig(), one.width), VOCABULARIES, 24, torch.device("cpu"))
    cache.limit = 3
    return cache


def test_the_memory_grows_once_for_all_the_words_that_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit too, where growing for every few words would copy what there is as often."""
    cache = remembering(embedding().eval(), monkeypatch)
    made = []
    grow = cache._make_room
    monkeypatch.setattr(cache, "_make_room", lambda count: (made.append(count), grow(count)))
    cache.meet([[f"w{number}" for number in range(50)]])
    assert made == [50]


def test_threads_may_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though words are forgotten all the time, each thread gets the vectors of its own words."""
    one = embedding().eval()
    cache = remembering(one, monkeypatch)

    def read(number: int) -> bool:
        words = [f"w{(number * k) % 7}" for k in range(1, 4)]
        met = cache.meet([words])
        own = VectorCache(one, cache.encoder, VOCABULARIES, 24, torch.device("cpu")).meet([words])
        return torch.allclose(met.remembered_RD[met.rows[0]], own.remembered_RD[own.rows[0]], atol=1e-6)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(200)))


@pytest.mark.parametrize("fixed", [True, False])
def test_vectors_that_were_given_stay_only_where_they_are_fixed(fixed: bool) -> None:
    made = embedding(word_dropout=0.0)
    given = {"cat": np.linspace(-1, 1, 6, dtype=np.float32), "mat": np.linspace(1, -2, 6, dtype=np.float32)}
    made.start_from(given, VOCABULARIES, fixed=fixed)
    assert made.forms is not None
    weight, before = made.forms.weight, made.forms.weight.detach().clone()
    optimizer = torch.optim.AdamW([weight], lr=0.1, weight_decay=0.0)
    for _ in range(2):  # the second step has momentum
        optimizer.zero_grad()
        made(*inputs(["the", "cat", "mat"])).square().sum().backward()
        optimizer.step()
    moved = {word for word in WORDS if not torch.equal(*(w[VOCABULARIES.form_id(word)] for w in (weight, before)))}
    assert moved == ({"the"} if fixed else {"the", "cat", "mat"})


def test_a_number_of_its_own_begins_with_the_vector_of_all_such_numbers() -> None:
    words = WordVocabularies.from_words({"7/10": 3, "in": 3}, min_count=1, numbers=1)
    made = WordEmbedding(EmbeddingConfig(width=3, characters="none", affix_width=0), words)
    made.start_from({"0/00": np.array([1, 2, 3], dtype=np.float32)}, words)
    assert isinstance(made.forms, nn.Embedding)
    own, shared = made.forms.weight[words.form_id("7/10")], made.forms.weight[words.form_id("1/11")]
    assert words.form_id("7/10") != words.form_id("1/11")
    assert torch.equal(own, shared)


def test_what_is_no_number_goes_on_to_the_loss() -> None:
    """Where it is told in words; nothing is looked up in a place that is none."""
    cnn = CharacterCNN(5, 4, 8)
    with torch.no_grad():
        cnn.get_parameter("convolutions.0.weight").fill_(torch.nan)
    assert cnn(torch.tensor([[1, 2, 3], [4, 1, 0]])).isnan().any()
