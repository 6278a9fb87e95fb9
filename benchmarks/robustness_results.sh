#!/usr/bin/env bash
# The curves of robustness in docs/results. An interrupted command resumes when this is run again.
# All systems side by side, and RAVDESS, are in reports_results.sh.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
set -euo pipefail
data=${DATA:?folder with javanese-av}
out=${OUT:-runs/robustness}

# javanese-av, real audio-visual clips, leave one speaker out; a network on functionals.
aver evaluate --corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av \
  --preset mrpn-statistics --set hidden=32 dropout=0.7 training.epochs=30 training.learning_rate=1e-3 \
  --baselines quick --out "$out/javanese"
aver robustness "$out/javanese" --levels white-noise=20,15,10,5,0,-5 babble=20,15,10,5,0,-5 \
  offset=-0.5,0.5 dropped-frames=50,90 blur=1,4 lost-modality=audio,video \
  low-light=1,2,4,6 occlusion=25,50,75
aver report "$out/javanese" --no-media
