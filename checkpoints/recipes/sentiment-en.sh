#!/usr/bin/env bash
# Trains the shipped judge of opinions on one core in about an hour: word vectors of the reviews (labelled or not), then the
# classifier in two parts. Needs nlpseq as a command, gensim in the same environment, and the corpora: by `nlpseq corpora
# get sst imdb`, or from NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
vectors=runs/sentiment-en-vectors.txt

if ! test -f $vectors; then
  python $recipes/vectors.py imdb imdb:unlabelled sst -o $vectors.part
  mv $vectors.part $vectors
fi
if ! test -f runs/sentiment-en-base/manifest.json || test -d runs/sentiment-en-base/resume; then
  nlpseq train sentiment --config $recipes/sentiment-en-base.toml --seed 1 --threads 1 -o runs/sentiment-en-base --resume
fi
nlpseq train sentiment --config $recipes/sentiment-en.toml --start runs/sentiment-en-base --seed 1 --threads 1 \
  --card $recipes/sentiment-en.md -o runs/sentiment-en --resume
