#!/usr/bin/env bash
# Trains the shipped judge of opinions on one core in some eight hours: word vectors of the reviews (labelled or not), a
# language model of them, a classifier from both, labels for the reviews without any, a classifier that goes on with
# these, one that goes on with probabilities in their place, one that tells numbers apart, one that has learnt what
# grades mean, one with newer probabilities, and from it three: two whose weights are averaged, and one that weighs runs
# of words. Needs nlpseq as a command, gensim and scikit-learn in the same environment, and the corpora: by
# `nlpseq corpora get sst imdb`, or from NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
run=runs/sentiment-en

made() { test -f "$1/manifest.json" && ! test -d "$1/resume"; }
train() { made "$run$2" || nlpseq train "$1" --config "$recipes/sentiment-en$2.toml" --seed 1 --threads 1 -o "$run$2" --resume "${@:3}"; }

if ! test -f $run-text.txt; then
  python $recipes/shuffled.py imdb imdb:unlabelled sst --without imdb:dev sst:dev -o $run-text.txt.part
  mv $run-text.txt.part $run-text.txt
fi
if ! test -f $run-vectors.txt; then
  python $recipes/vectors.py $run-text.txt --threads 1 -o $run-vectors.txt.part
  mv $run-vectors.txt.part $run-vectors.txt
fi
train lm -lm
train sentiment -base
if ! test -f $run-labelled.jsonl; then
  python $recipes/label_texts.py --train imdb@polarity --texts imdb:unlabelled --judge $run-base -o $run-labelled.jsonl.part
  mv $run-labelled.jsonl.part $run-labelled.jsonl
fi
train sentiment -sure --start $run-base
judged() {  # probabilities for the reviews without labels, by some of these and a linear model
  if ! test -f "$run-soft$1.jsonl"; then
    python $recipes/label_texts.py --train imdb@polarity --texts imdb:unlabelled --judge "${@:2}" --soft -o $run-soft.part
    mv $run-soft.part "$run-soft$1.jsonl"
  fi
}
judged "" $run-sure
train sentiment -soft --start $run-sure --seed 2
judged -2 $run-soft
train sentiment -numbers --start $run-soft --seed 2
judged -3 $run-numbers
if ! test -f $run-graded.jsonl; then
  python $recipes/graded_texts.py --texts imdb:unlabelled --without imdb:dev -o $run-graded.part
  mv $run-graded.part $run-graded.jsonl
fi
train sentiment -graded --start $run-numbers --seed 3 --time-limit 47m
judged -4 $run-graded
train sentiment -again --start $run-graded --seed 4 --time-limit 33m
train sentiment -later --start $run-again --seed 5 --time-limit 13m
judged -5 $run-graded $run-again $run-later
train sentiment -newer --start $run-again --seed 6 --time-limit 64m
train sentiment -runs --start $run-again --seed 7
python $recipes/averaged.py $run-later $run-newer --ngrams $run-runs --dev sst imdb@polarity \
  --card $recipes/sentiment-en.md --command checkpoints/recipes/sentiment-en.sh -o $run
