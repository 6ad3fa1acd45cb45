"""Prompts continued in a process that does nothing else: python writing.py numpy|torch CHECKPOINT TOKENS PROMPT...

Prints one JSON object: seconds to load, torch having been imported if it is needed, and of each prompt, in their order,
seconds to each token.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

from nlpseq.api import load, load_light
from nlpseq.generation import GenerationPipeline


def times(pipeline: GenerationPipeline, prompt: str) -> list[float]:
    """Seconds between the tokens that continue a prompt, the first counted from the question."""
    found, last = [], perf_counter()
    for _ in pipeline.stream(prompt):
        now = perf_counter()
        found.append(now - last)
        last = now
    return found


def main() -> None:
    kind, checkpoint, tokens, *prompts = sys.argv[1:]
    if kind == "torch":
        import torch  # noqa: F401  its import is not counted
    started = perf_counter()
    pipeline = load(checkpoint, threads=1) if kind == "torch" else load_light(checkpoint)
    loading = perf_counter() - started
    pipeline = pipeline.writing_with(seed=1, max_tokens=int(tokens))
    print(json.dumps({"load": loading, "prompts": [times(pipeline, prompt) for prompt in prompts]}))


if __name__ == "__main__":
    main()
