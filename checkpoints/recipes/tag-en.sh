#!/usr/bin/env bash
# Trains the shipped tagger on one core in some four hours: word vectors of plain text (20 minutes), a language model that
# begins with them (75 and 65), three taggers to teach, of which one begins with the vectors and two with the first part of
# the language model (60), and the tagger, which begins with the whole of it (20). Takes the text as a file of one sentence or paragraph a line, packed by xz, and needs nlpseq as a
# command, gensim in the same environment, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17`, or from
# NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/tag-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
vectors=runs/tag-en-vectors.txt
mkdir -p runs

if ! test -f $vectors; then
  python $recipes/vectors.py "$text" --width 100 --window 5 --min-count 5 --epochs 3 --threads 1 -o $vectors.part
  mv $vectors.part $vectors
fi
if ! test -f runs/tag-en-text.txt; then # all of it, in blocks of 20 lines, shuffled
  xz -dc "$text" | awk '{printf "%s%s", $0, NR % 20 ? "\036" : "\n"}' | shuf --random-source=<(yes) | tr '\036' '\n' \
    > runs/tag-en-text.txt.part
  mv runs/tag-en-text.txt.part runs/tag-en-text.txt
fi

finished() { test -f "$1/manifest.json" && ! test -d "$1/resume"; }

train() { # the folder, the task, and whatever else the training is given
  finished "$1" || nlpseq train "$2" -o "$1" --resume --threads 1 "${@:3}"
}

train runs/tag-en-lm-1 lm --config $recipes/tag-en-lm.toml --seed 1 --time-limit 66m
awk '(NR % 9398) > 3900' runs/tag-en-text.txt > runs/tag-en-text-2.txt # what it has not read in that time, nearly
train runs/tag-en-lm lm --start runs/tag-en-lm-1 --config $recipes/tag-en-lm-2.toml --seed 2 --time-limit 55m
FROM_VECTORS="--set encoder.pretrained=none --set embedding.eight_bit=false --set embedding.vectors=$vectors"
train runs/tag-en-1 tag --config $recipes/tag-en.toml --seed 1 $FROM_VECTORS --set embedding.vectors_limit=100000
train runs/tag-en-2 tag --config $recipes/tag-en.toml --seed 1 --set encoder.pretrained=runs/tag-en-lm-1 --teacher runs/tag-en-1
train runs/tag-en-3 tag --config $recipes/tag-en.toml --seed 2 --set encoder.pretrained=runs/tag-en-lm-1 \
  --set training.epochs=14 --teacher runs/tag-en-1 --teacher runs/tag-en-2
train runs/tag-en tag --config $recipes/tag-en.toml --seed 3 --set training.epochs=14 --teacher runs/tag-en-1 \
  --teacher runs/tag-en-2 --teacher runs/tag-en-3 --card $recipes/tag-en.md
