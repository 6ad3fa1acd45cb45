#!/usr/bin/env bash
# Trains the shipped judge of opinions: word vectors of the reviews (labelled or not), then the classifier. Needs nlpseq as
# a command, gensim in the same environment, and the corpora: by `nlpseq corpora get sst imdb`, or from
# NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
vectors=runs/sentiment-en-vectors.txt

if ! test -f $vectors; then
  python $recipes/vectors.py imdb imdb:unlabelled sst -o $vectors.part
  mv $vectors.part $vectors
fi
nlpseq train sentiment --config $recipes/sentiment-en.toml --card $recipes/sentiment-en.md --seed 1 --threads 1 \
  --time-limit 33m -o runs/sentiment-en --resume
