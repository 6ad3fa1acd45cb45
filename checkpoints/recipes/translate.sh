#!/usr/bin/env bash
# Trains a shipped translator on one core in some two hours: first from nothing, then a little longer with everyday phrases.
# Takes its languages, and for en-de a file of pairs, English, a tab and German on a line (gz too); needs nlpseq as a
# command, and the corpora: by `nlpseq corpora get multi30k tatoeba`, or from NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on
# where it was when it is run again.
#
#     checkpoints/recipes/translate.sh en-fr
#     checkpoints/recipes/translate.sh en-de en-de.tsv.gz
set -euo pipefail
pair=${1:?which languages? give en-fr, fr-en or en-de}
pairs=${2:+$(realpath "$2")}
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes

if test "$pair" = en-de && ! test -f runs/en-de-parts/test.jsonl; then
  python $recipes/divide_pairs.py "${pairs:?which pairs? give a file of English and German}" -o runs/en-de-parts
fi
both="--from ${pair%-*} --to ${pair#*-} --threads 1 --resume"
nlpseq train translate --config $recipes/translate-$pair.toml $both --seed 1 -o runs/translate-$pair-base
nlpseq train translate --config $recipes/translate-$pair-phrases.toml --start runs/translate-$pair-base $both --seed 2 \
  --card $recipes/translate-$pair.md -o runs/translate-$pair
