#!/usr/bin/env bash
# The curves of robustness that docs/results quotes. Each command goes on where an interrupted one
# stopped, so this may be run again at any time. The four systems side by side are in
# reports_results.sh.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  where run folders go
set -euo pipefail
data=${DATA:?folder that holds javanese-av, ravdess and ravdess-au}
out=${OUT:-runs/robustness}

# javanese-av, real audio-visual clips, leave one speaker out; a network on statistics.
aver evaluate --corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av \
  --preset mrpn-statistics --baselines quick --out "$out/javanese"
aver robustness "$out/javanese" --levels white-noise=20,15,10,5,0,-5 babble=20,15,10,5,0,-5 \
  offset=-0.5,0.5 dropped-frames=50,90 blur=1,4 lost-modality=sound,video \
  low-light=1,2,4,6 occlusion=25,50,75
aver report "$out/javanese" --no-media

# RAVDESS, 20 actors: sound, and action units as the visual modality.
aver evaluate --corpus "$data/ravdess" --units "$data/ravdess-au/clip_action_units.csv" \
  --channel speech --preset mrpn-statistics --modalities sound,units --split speaker-kfold \
  --split-settings folds=5 --baselines quick --out "$out/ravdess"
aver robustness "$out/ravdess" --levels white-noise=10 lost-modality=sound,units
aver report "$out/ravdess" --no-media
