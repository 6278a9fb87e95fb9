#!/usr/bin/env bash
# The results of the spiking recognizers and of Synch-Graph in docs/results. An interrupted command of
# `aver` resumes when this is run again.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
set -euo pipefail
data=${DATA:?folder with javanese-av and ravdess}
out=${OUT:-runs/results}
here=$(dirname "$0")

javanese=(--corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av)
four=(--clean-rule speaker-kfold --clean-settings folds=4)
ravdess=(--corpus "$data/ravdess" --emotions happy,sad,angry,fearful,disgust,surprised)

# The spiking network on audio on RAVDESS, five clean folds and three seeds, without and with speaker
# adaptation.
for seed in 0 1 2; do
  for fold in 0 1 2 3 4; do
    python "$here/snn_cross_modal.py" --corpus "$data/ravdess" --fold $fold --seed $seed
    python "$here/snn_cross_modal.py" --corpus "$data/ravdess" --fold $fold --seed $seed --adapt
  done
done
python "$here/snn_cross_modal.py" --summary

# The effect of a random split (LEAKS: training and test share speakers).
aver evaluate "${ravdess[@]}" --preset snn-audio-compact \
  --split random --split-settings shares=80/20 --out "$out/snn-random"

# Audio, video, enhancement and early fusion on real audio-visual clips; incongruent clips.
aver reproduce snn-cross-modal "${javanese[@]}" "${four[@]}" --table both --figure incongruent \
  --protocols clean --seeds 3 --out "$out/snn-javanese"

# The same on the synthetic corpus, 24 speakers.
aver corpus synthesize "$out/synthetic-clips" --set speakers=24 takes=1 sentences=1
aver reproduce snn-cross-modal --corpus "$out/synthetic-clips" "${four[@]}" --table both \
  --protocols clean --seeds 3 --out "$out/snn-synthetic"

# Figure 3 in the paper's sizes: validation clips of one fold. Over all folds:
# aver reproduce snn-cross-modal --figure 3.
for preset in snn-audio-paper snn-audio-mel-paper; do
  for window in 5 10 20 40; do
    for features in 10 20 40 60; do
      python "$here/snn_cross_modal.py" --corpus "$data/ravdess" --fold 0 --validation \
        --preset $preset --set "layer.window=[0,$window]" "layer.stride=[0,$window]" \
        layer.features=$features
    done
  done
done

# Label edges on noise; the network and hyperparameters of the paper, leaking and clean.
python "$here/synch_graph_noise.py"
aver reproduce synch-graph "${javanese[@]}" "${four[@]}" --preset paper --table 1 --figure 4 6 \
  --out "$out/synch-graph-paper"

# What labels from test clips add, which public scripts do and the paper does not.
aver reproduce snn-cross-modal "${ravdess[@]}" --table labels --out "$out/snn-labels"

# The graph against other read-outs.
aver reproduce synch-graph "${javanese[@]}" "${four[@]}" --table graph --protocols clean \
  --seeds 3 --out "$out/synch-graph-javanese"

aver reproduce synch-graph "${ravdess[@]}" --channel speech --clean-rule speaker-kfold \
  --clean-settings folds=5 --set "modalities=[audio]" --table graph --protocols clean \
  --out "$out/synch-graph-ravdess"

# The ablation (Table 3), and accuracy against the window of synchrony.
aver reproduce synch-graph "${javanese[@]}" "${four[@]}" --table 3 windows --protocols clean \
  --out "$out/synch-graph-javanese"

# Seconds; run nothing else meanwhile.
python "$here/snn_fold_seconds.py" "${javanese[@]}" --preset snn-cross-modal-compact --folds 4
python "$here/snn_beside_brian.py" --corpus "$data/ravdess"
