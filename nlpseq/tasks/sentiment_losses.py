"""What a text classifier learns: labels, what teachers say, and not to be misled.

Axes: R windows, W positions of a window, D features of a word, B texts, K labels of a scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlpseq.tasks.adversarial import divergence, nudged, uphill
from nlpseq.tasks.ngrams import Runs
from nlpseq.tasks.sentiment_config import ClassifierConfig
from nlpseq.tasks.sentiment_network import ClassifierNetwork
from nlpseq.tasks.windows import Windowed

NO_LABEL = -1
Losses = dict[str, tuple[Tensor, int]]  # summed (nats), and the number of labels


class Batch(NamedTuple):
    """Texts of one batch: rows of the word table in windows, and the label (B,) of each scheme, or NO_LABEL.

    `soft` has probabilities (B, K) by scheme, zero for texts that nobody judged so; `runs` the runs of words, where any
    are weighed.
    """

    texts: Windowed
    labels: dict[str, Tensor]
    soft: dict[str, Tensor]
    runs: Runs | None


def losses_of(network: ClassifierNetwork, vectors_RWD: Tensor, batch: Batch, settings: ClassifierConfig) -> Losses:
    """The losses of a batch, of which `vectors_RWD` enters the encoder, by name.

    While the network is in training, the settings may have texts read again with vectors that are moved. Runs of words
    have a loss of their own, over the labels that people gave: so the two models err at different texts.
    """
    training = network.training
    if training and (settings.adversarial or settings.virtual_adversarial):
        vectors_RWD.requires_grad_()  # those of one-hot words do not depend on weights
    logits = network.logits(vectors_RWD, batch.texts)
    losses = _of_labels(logits, batch, settings)
    changes: Losses = {}
    if training and settings.virtual_adversarial:
        changes = _of_changes(network, vectors_RWD, logits, batch.texts, settings.virtual_adversarial)
    if training and settings.adversarial and losses:
        loss = torch.stack([total / count for total, count in losses.values()]).sum()
        moved_RWD = vectors_RWD + uphill(vectors_RWD, loss, settings.adversarial)
        moved = _of_labels(network.logits(moved_RWD, batch.texts), batch, settings)
        losses |= {f"{name}, adversarial": part for name, part in moved.items()}
    if batch.runs is not None:
        by_runs = _of_labels(network.by_ngrams(*batch.runs), batch._replace(soft={}), settings)
        losses |= {f"{name}, by n-grams": part for name, part in by_runs.items()}
    return losses | changes


def _of_labels(logits: Mapping[str, Tensor], batch: Batch, settings: ClassifierConfig) -> Losses:
    """For each scheme with labels in the batch, the loss of these, and of what teachers say, if any do."""
    result: Losses = {}
    for scheme, logits_BK in logits.items():
        soft_BK = batch.soft.get(scheme, torch.zeros(logits_BK.shape)).to(logits_BK.device)
        taught_B = soft_BK.sum(1) > 0
        gold_B = batch.labels[scheme].to(logits_BK.device)
        if (gold_B != NO_LABEL).any():
            smoothing = settings.label_smoothing
            loss_B = nn.functional.cross_entropy(
                logits_BK, gold_B, ignore_index=NO_LABEL, reduction="none", label_smoothing=smoothing
            )
            part_B = 1 - settings.teacher_weight * taught_B.float()
            result[scheme] = (part_B * loss_B).sum(), int((gold_B != NO_LABEL).sum())
        if taught_B.any():
            loss = -settings.teacher_weight * (soft_BK * logits_BK.log_softmax(1)).sum()
            result[f"{scheme} of teachers"] = loss, int(taught_B.sum())
    return result


def _of_changes(
    network: ClassifierNetwork, vectors_RWD: Tensor, logits: Mapping[str, Tensor], texts: Windowed, size: float
) -> Losses:
    """How much the answers change where vectors are moved as far as that they change most.

    KL(p(. | v) | p(. | v + r)), r uphill from a place near v (Miyato, Dai & Goodfellow 2017, section 3); no label
    is looked at.
    """
    settled = {scheme: logits_BK.detach() for scheme, logits_BK in logits.items()}

    def changed(there_RWD: Tensor) -> dict[str, Tensor]:
        return {s: divergence(l_BK, settled[s]) for s, l_BK in network.logits(there_RWD, texts).items()}

    near_RWD = nudged(vectors_RWD, size)
    moved_RWD = vectors_RWD + uphill(near_RWD, torch.stack(list(changed(near_RWD).values())).sum(), size)
    count = len(texts.lengths_B)
    return {f"{s}, virtually adversarial": (change, count) for s, change in changed(moved_RWD).items()}
