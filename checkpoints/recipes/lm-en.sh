#!/usr/bin/env bash
# Trains the shipped language model on one core in some 90 minutes, the reading of the text counted. Takes a file of plain
# English, a sentence or paragraph on a line, packed by xz. Needs nlpseq as a command. Interrupted, it goes on where it was
# when it is run again.
#
#     checkpoints/recipes/lm-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
mkdir -p runs

# All of it, in blocks of 20 lines, shuffled, without the lines in which something was left out between quotation marks or
# brackets.
if ! test -f runs/lm-en-text.txt; then
  xz -dc "$text" | awk '{printf "%s%s", $0, NR % 20 ? "\036" : "\n"}' | shuf --random-source=<(yes) | tr '\036' '\n' \
    | grep -v -e '""' -e '" "' -e '()' -e '( )' > runs/lm-en-text.txt.part
  mv runs/lm-en-text.txt.part runs/lm-en-text.txt
fi
nlpseq train lm --config checkpoints/recipes/lm-en.toml --seed 1 --threads 1 --time-limit 86m \
  --card checkpoints/recipes/lm-en.md -o runs/lm-en --resume
