#!/usr/bin/env bash
# The results of MRPN in docs/results. An interrupted command resumes when this is run again.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
set -euo pipefail
data=${DATA:?folder with javanese-av, ravdess and ravdess-au}
out=${OUT:-runs/results}

javanese=(--corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av)
loso=(--clean-rule leave-one-speaker-out --clean-settings validation_speakers=1)
ravdess=(--corpus "$data/ravdess" --action-units "$data/ravdess-au/clip_action_units.csv")
folds=(--clean-rule speaker-kfold --clean-settings folds=5)

large=(--set refit=false hidden=128 dropout=0.4 training.epochs=40 training.learning_rate=2e-3
  training.batch_size=32)

# RAVDESS, 20 actors: audio, and action units as the visual modality; networks on functionals.
aver reproduce mrpn "${ravdess[@]}" --video action_units --preset mrpn-statistics "${large[@]}" \
  "${folds[@]}" --table ours --protocols clean --seeds 3 --out "$out/ravdess"

# javanese-av, real audio-visual clips, leave one speaker out.
aver reproduce mrpn "${javanese[@]}" "${loso[@]}" \
  --table ours --protocols clean --seeds 3 --out "$out/javanese"

# The effect of a random split, on both.
aver evaluate "${ravdess[@]}" --preset mrpn-statistics "${large[@]}" \
  --modalities action_units,audio \
  --split random --split-settings shares=60/20/20 --seeds 3 --out "$out/ravdess-random"
aver evaluate "${javanese[@]}" --preset mrpn-compact \
  --split random --split-settings shares=60/20/20 --seeds 3 --out "$out/javanese-random"

# Tables 1 to 4 of the paper on javanese-av, under its protocol (LEAKS) and a clean one.
aver reproduce mrpn "${javanese[@]}" "${loso[@]}" --table 1 2 3 4 --figure 5 --out "$out/javanese"
