#!/usr/bin/env bash
# Trains the shipped language model on one core in some two and a half hours, in two parts. Takes a file of plain English, a
# sentence or paragraph on a line, packed by xz, of which three tenths are read. Needs nlpseq as a command. Interrupted, it
# goes on where it was when it is run again.
#
#     checkpoints/recipes/lm-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
mkdir -p runs

if ! test -f runs/lm-en-base.txt; then # every fourth block of 200 lines
  xz -dc "$text" | awk 'int(NR / 200) % 4 == 0' > runs/lm-en-base.txt.part
  mv runs/lm-en-base.txt.part runs/lm-en-base.txt
fi
if ! test -f runs/lm-en-rest.txt; then # of the others every fifteenth block of 20 lines, shuffled
  xz -dc "$text" | awk 'int(NR / 200) % 4 != 0' | awk 'int(NR / 20) % 15 == 7' \
    | awk '{printf "%s%s", $0, NR % 20 ? "\036" : "\n"}' | shuf --random-source=<(yes) | tr '\036' '\n' > runs/lm-en-rest.txt.part
  mv runs/lm-en-rest.txt.part runs/lm-en-rest.txt
fi
if ! test -f runs/lm-en-base/manifest.json || test -d runs/lm-en-base/resume; then
  nlpseq train lm --config $recipes/lm-en-base.toml --seed 1 --threads 1 -o runs/lm-en-base --resume
fi
nlpseq train lm --config $recipes/lm-en.toml --start runs/lm-en-base --seed 1 --threads 1 --card $recipes/lm-en.md \
  -o runs/lm-en --resume
