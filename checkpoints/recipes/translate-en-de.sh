#!/usr/bin/env bash
# Trains the shipped translator from English to German on one core in about 80 minutes. Takes a file of pairs, English, a tab
# and German on a line (gz too), and needs nlpseq as a command, and the corpus: by `nlpseq corpora get multi30k`, or from
# NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/translate-en-de.sh en-de.tsv.gz
set -euo pipefail
pairs=$(realpath "${1:?which pairs? give a file of English and German}")
cd "$(dirname "$0")/../.."

if ! test -f runs/en-de-parts/test.jsonl; then
  python checkpoints/recipes/divide_pairs.py "$pairs" -o runs/en-de-parts
fi
nlpseq train translate --config checkpoints/recipes/translate-en-de.toml --from en --to de --seed 1 --threads 1 \
  --card checkpoints/recipes/translate-en-de.md -o runs/translate-en-de --resume
