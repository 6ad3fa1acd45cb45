"""What a renderer is given for each input: the prediction, and what came with the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nlpseq.records import Failure, TagPrediction

Prediction = TagPrediction  # of any task: each new task joins its record here


class Answer(NamedTuple):
    """One input's prediction, or its failure, and the keys of the input that are only passed through."""

    prediction: Prediction | Failure
    extra: Mapping[str, object] = {}
