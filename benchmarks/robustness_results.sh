#!/usr/bin/env bash
# The curves of robustness that docs/results quotes. Each command goes on where an interrupted one
# stopped, so this may be run again at any time. All systems side by side, and RAVDESS, are
# in reports_results.sh.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  where run folders go
set -euo pipefail
data=${DATA:?folder that holds javanese-av}
out=${OUT:-runs/robustness}

# javanese-av, real audio-visual clips, leave one speaker out; a network on statistics.
aver evaluate --corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av \
  --preset mrpn-statistics --baselines quick --out "$out/javanese"
aver robustness "$out/javanese" --levels white-noise=20,15,10,5,0,-5 babble=20,15,10,5,0,-5 \
  offset=-0.5,0.5 dropped-frames=50,90 blur=1,4 lost-modality=audio,video \
  low-light=1,2,4,6 occlusion=25,50,75
aver report "$out/javanese" --no-media
