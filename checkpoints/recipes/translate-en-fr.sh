#!/usr/bin/env bash
# Trains the shipped translator from English to French on one core in some two hours, in two parts. Needs nlpseq
# as a command, and the corpora: by `nlpseq corpora get multi30k tatoeba --unverified`, or from NLPSEQ_CORPORA_MIRROR.
# Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes

if ! test -f runs/translate-en-fr-base/manifest.json || test -d runs/translate-en-fr-base/resume; then
  nlpseq train translate --config $recipes/translate-en-fr-base.toml --seed 1 --threads 1 -o runs/translate-en-fr-base \
    --resume
fi
nlpseq train translate --config $recipes/translate-en-fr.toml --start runs/translate-en-fr-base --seed 1 --threads 1 \
  --card $recipes/translate-en-fr.md -o runs/translate-en-fr --resume
