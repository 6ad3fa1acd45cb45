#!/usr/bin/env bash
# Trains the shipped tagger. It is small, and learns from three wide ones, which need a GPU (an NVIDIA H100 took nine minutes
# for all that is marked so); the rest is for one core of a CPU:
#
#   1. word vectors of plain text (20 minutes);
#   2. on the GPU, a wide language model that begins with them (4 minutes), three taggers that begin with it (3), and
#      their labels for twelve million words of plain text (2);
#   3. the tagger, from the vectors, by these labels and the labelled corpora (86 minutes).
#
# Takes the text as a file of one sentence or paragraph a line, packed by xz, and needs nlpseq as a command, gensim in the
# same environment, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17 imdb sst`, or from
# NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/tag-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
run=runs/tag-en
mkdir -p runs

if ! test -f $run-vectors.txt; then
  python $recipes/vectors.py "$text" --width 100 --window 5 --min-count 5 --epochs 3 --threads 1 -o $run-vectors.txt.part
  mv $run-vectors.txt.part $run-vectors.txt
fi
in_blocks() { # shuffles blocks of 20 lines
  awk '{printf "%s%s", $0, NR % 20 ? "\036" : "\n"}' | shuf --random-source=<(yes) | tr '\036' '\n'
}

if ! test -f $run-text.txt; then
  xz -dc "$text" | in_blocks > $run-text.txt.part
  mv $run-text.txt.part $run-text.txt
fi
if ! test -f $run-reviews.txt; then
  python $recipes/shuffled.py imdb imdb:unlabelled sst --without imdb:dev sst:dev -o $run-reviews.txt.part
  mv $run-reviews.txt.part $run-reviews.txt
fi
if ! test -f $run-lm-text.txt; then
  cat $run-text.txt $run-reviews.txt | in_blocks > $run-lm-text.txt.part
  mv $run-lm-text.txt.part $run-lm-text.txt
fi

train() { # the folder, the task, and whatever else the training is given
  test -f "$1/manifest.json" && ! test -d "$1/resume" || nlpseq train "$2" -o "$1" --resume "${@:3}"
}

train $run-lm lm --config $recipes/tag-en-lm.toml --device cuda --seed 1 --time-limit 215s --train $run-lm-text.txt \
  --set encoder.width=1024 --set text.softmax_samples=4096 --set training.batch_tokens=16384 \
  --set training.unroll=64 --set training.learning_rate=0.002 --set training.epochs=2

EWT="uner-english-ewt --train uner-english-ewt"
OTHERS="--train btc --train btc:dev --train wnut17@per-loc-org --train wnut17:dev@per-loc-org"
teacher() { # the number, and its corpora
  train $run-wide-"$1" tag --config $recipes/tag-en-teacher.toml --device cuda --seed "$1" --time-limit 220s \
    --set encoder.pretrained=$run-lm --set encoder.dropout=0.5 --set embedding.vectors_limit=100000 \
    --set embedding.eight_bit=false --set training.batch_tokens=3000 --set training.learning_rate=0.0015 \
    --set training.epochs=13 --set training.patience=0 --train $EWT "${@:2}" --train sample-tagging
}
teacher 1 $OTHERS
teacher 2 $OTHERS
teacher 3

if ! test -f $run-labelled.jsonl; then
  python $recipes/label_sentences.py --tagger $run-wide-1 --tagger $run-wide-2 --tagger $run-wide-3 --words 4400000 \
    $run-text.txt -o $run-labelled.part
  python $recipes/label_sentences.py --tagger $run-wide-1 --tagger $run-wide-2 --tagger $run-wide-3 --words 8400000 \
    $run-reviews.txt -o $run-labelled.part-2
  cat $run-labelled.part $run-labelled.part-2 > $run-labelled.jsonl
  rm $run-labelled.part $run-labelled.part-2
fi
train $run tag --config $recipes/tag-en.toml --seed 1 --threads 1 --time-limit 86m --card $recipes/tag-en.md
