#!/usr/bin/env bash
# Trains a language model of English on one core in some two hours. Takes a file of plain English, a sentence or paragraph
# on a line, packed by xz; a quarter of it is read, every fourth block of 200 lines. Needs nlpseq as a command.
# Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/lm-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
mkdir -p runs

if ! test -f runs/lm-en-text.txt; then
  xz -dc "$text" | awk 'int(NR / 200) % 4 == 0' > runs/lm-en-text.txt.part
  mv runs/lm-en-text.txt.part runs/lm-en-text.txt
fi
nlpseq train lm --config checkpoints/recipes/lm-en.toml --seed 1 --threads 1 --card checkpoints/recipes/lm-en.md \
  -o runs/lm-en --resume
