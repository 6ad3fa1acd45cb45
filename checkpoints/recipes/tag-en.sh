#!/usr/bin/env bash
# Trains the shipped tagger on one core in some five and a half hours: word vectors of plain text (20 minutes), a language
# model that begins with them, in three parts (66, 55 and 55), four taggers to teach, of which one begins with the vectors
# and the others with the first two parts of the language model (80), and the tagger, which begins with the whole of it
# (25). Takes the text as a file of one sentence or paragraph a line, packed by xz, and needs nlpseq as a command, gensim in
# the same environment, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17`, or from
# NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/tag-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
vectors=runs/tag-en-vectors.txt
mkdir -p runs

in_blocks() { # shuffles blocks of 20 lines
  awk '{printf "%s%s", $0, NR % 20 ? "\036" : "\n"}' | shuf --random-source=<(yes) | tr '\036' '\n'
}

if ! test -f $vectors; then
  python $recipes/vectors.py "$text" --width 100 --window 5 --min-count 5 --epochs 3 --threads 1 -o $vectors.part
  mv $vectors.part $vectors
fi
if ! test -f runs/tag-en-text.txt; then
  xz -dc "$text" | in_blocks > runs/tag-en-text.txt.part
  mv runs/tag-en-text.txt.part runs/tag-en-text.txt
fi

finished() { test -f "$1/manifest.json" && ! test -d "$1/resume"; }

train() { # the folder, the task, and whatever else the training is given
  finished "$1" || nlpseq train "$2" -o "$1" --resume --threads 1 "${@:3}"
}

# Each part of the language model reads 15 million words: of the whole text, of what is left, and of what is left and the
# beginning mixed.
train runs/tag-en-lm-1 lm --config $recipes/tag-en-lm.toml --seed 1 --time-limit 66m
awk '(NR % 9398) > 3900' runs/tag-en-text.txt > runs/tag-en-text-2.txt
train runs/tag-en-lm-2 lm --start runs/tag-en-lm-1 --config $recipes/tag-en-lm-2.toml --seed 2 --time-limit 55m
{ awk '(NR % 9398) <= 3900' runs/tag-en-text.txt; awk '(NR % 5497) > 3690' runs/tag-en-text-2.txt; } | in_blocks \
  > runs/tag-en-text-3.txt
train runs/tag-en-lm lm --start runs/tag-en-lm-2 --config $recipes/tag-en-lm-2.toml --train runs/tag-en-text-3.txt \
  --seed 3 --time-limit 55m

tagger() { # the folder, the seed, the epochs, the language model, and the numbers of its teachers
  local teachers=()
  for number in "${@:5}"; do teachers+=(--teacher "runs/tag-en-$number"); done
  train "$1" tag --config $recipes/tag-en.toml --seed "$2" --set training.epochs="$3" --set encoder.pretrained="$4" \
    "${teachers[@]}" --card $recipes/tag-en.md
}
train runs/tag-en-1 tag --config $recipes/tag-en.toml --seed 1 --set encoder.pretrained=none --set embedding.eight_bit=false \
  --set embedding.vectors=$vectors --set embedding.vectors_limit=100000 --set training.epochs=12
tagger runs/tag-en-2 1 12 runs/tag-en-lm-1 1
tagger runs/tag-en-3 2 14 runs/tag-en-lm-1 1 2
tagger runs/tag-en-4 3 14 runs/tag-en-lm-2 1 2 3
tagger runs/tag-en 5 14 runs/tag-en-lm 1 2 3 4
