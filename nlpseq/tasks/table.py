"""The tasks by name: the dict to extend with a new one."""

from __future__ import annotations

from nlpseq.tasks.contract import Task
from nlpseq.tasks.language_model import LanguageModel
from nlpseq.tasks.sentiment import Classifier
from nlpseq.tasks.tagging import Tagger
from nlpseq.tasks.translation import Translator

TASKS: dict[str, type[Task]] = {
    "tag": Tagger,
    "sentiment": Classifier,
    "translate": Translator,
    "lm": LanguageModel,
}
