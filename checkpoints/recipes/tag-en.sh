#!/usr/bin/env bash
# Trains the shipped tagger on two cores in some 40 minutes: word vectors of plain text on both, then the tagger on one.
# Takes the text as a file of one sentence or paragraph a line (gz and xz too), and needs nlpseq as a command, gensim in the
# same environment, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17`, or from NLPSEQ_CORPORA_MIRROR.
# Interrupted, it goes on where it was when it is run again.
#
#     checkpoints/recipes/tag-en.sh english.txt.xz
set -euo pipefail
text=$(realpath "${1:?which text? give a file of plain English}")
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
vectors=runs/tag-en-vectors.txt

if ! test -f $vectors; then
  python $recipes/vectors.py "$text" --width 100 --window 5 --min-count 5 --epochs 3 -o $vectors.part
  mv $vectors.part $vectors
fi
nlpseq train tag --config $recipes/tag-en.toml --seed 1 --threads 1 --card $recipes/tag-en.md -o runs/tag-en --resume
