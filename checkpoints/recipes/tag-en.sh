#!/usr/bin/env bash
# Trains the shipped tagger on two cores in some 40 minutes: two teachers at once, one core each, then the tagger, which
# learns from both. Needs nlpseq as a command, and the corpora: by `nlpseq corpora get uner-english-ewt btc wnut17`, or
# from NLPSEQ_CORPORA_MIRROR. Interrupted, it goes on where it was when it is run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
recipes=checkpoints/recipes
for seed in 1 2; do
  test -f "runs/tag-en-teacher-$seed/manifest.json" -a ! -d "runs/tag-en-teacher-$seed/resume" ||
    nlpseq train tag --config $recipes/tag-en-teacher.toml --seed $seed --threads 1 -o runs/tag-en-teacher-$seed --resume &
done
wait
nlpseq train tag --config $recipes/tag-en.toml --card $recipes/tag-en.md --threads 1 -o runs/tag-en --resume \
  --teacher runs/tag-en-teacher-1 --teacher runs/tag-en-teacher-2
