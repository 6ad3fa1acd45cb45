"""From sources that were read to translations: the search over the network's steps."""

from __future__ import annotations

from torch import Tensor

from nlpseq.config import SearchConfig
from nlpseq.nn.search import Hypothesis, beam_search
from nlpseq.nn.softmax import log_sums
from nlpseq.tasks.translation_answers import LONGER
from nlpseq.tasks.translation_network import TranslationNetwork
from nlpseq.tasks.translation_reading import FewBitNetwork
from nlpseq.text.pieces import BEGIN, END, PIECE_PADDING, PIECE_UNKNOWN


def searched(
    network: TranslationNetwork | FewBitNetwork,
    sources_BS: Tensor,
    lengths_B: Tensor,
    search: SearchConfig,
    wanted: int,
) -> list[list[Hypothesis]]:
    """The best hypotheses of each source, best first."""
    reading = network.read(sources_BS, lengths_B)
    return beam_search(
        network.step,
        lambda features_RF: _with_sums(network.scores(features_RF)),
        network.growing(reading),
        (lengths_B * search.length_cap).long() + LONGER,
        begin=BEGIN,
        end=END,
        config=search,
        never=(PIECE_PADDING, PIECE_UNKNOWN),
        wanted=wanted,
    )


def _with_sums(scores_RV: Tensor) -> tuple[Tensor, Tensor]:
    return scores_RV, log_sums(scores_RV)
