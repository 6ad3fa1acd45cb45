#!/usr/bin/env bash
# Trains the shipped tagger on two cores in some 45 to 50 minutes: two teachers at once, one core each, then the tagger, which
# learns from both. Needs nlpseq as a command, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17`, or
# from NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes

teach() { # seed; a run that is over has a manifest and nothing to resume
  local folder=runs/tag-en-teacher-$1
  if test -f "$folder/manifest.json" && ! test -d "$folder/resume"; then return; fi
  nlpseq train tag --config $recipes/tag-en-teacher.toml --seed "$1" --threads 1 -o "$folder" --resume
}

teach 1 &
first=$!
teach 2 &
second=$!
wait $first
wait $second
nlpseq train tag --config $recipes/tag-en.toml --card $recipes/tag-en.md --threads 1 -o runs/tag-en --resume \
  --teacher runs/tag-en-teacher-1 --teacher runs/tag-en-teacher-2
