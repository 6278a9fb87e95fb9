#!/usr/bin/env bash
# The reports of the four systems in docs/results: every system under a clean protocol and under its
# paper's protocol (LEAKS), on degraded media, then one page each. An interrupted command resumes when
# this is run again.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
#   bash benchmarks/reports_results.sh [evaluate|damage|report] [javanese|ravdess] [SYSTEM]: a part
set -euo pipefail
data=${DATA:?folder with javanese-av, ravdess and ravdess-au}
out=${OUT:-runs/reports}
step=${1:-} corpus=${2:-} system=${3:-}

javanese=(--corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av)
eight=(--corpus "$data/ravdess" --channel speech)
six=("${eight[@]}" --emotions happy,sad,angry,fearful,disgust,surprised)
audio=(--modalities audio)
units=(--action-units "$data/ravdess-au/clip_action_units.csv" --modalities audio,action_units)

# evaluate CORPUS SYSTEM PROTOCOL aver's arguments: folder OUT/CORPUS/SYSTEM-PROTOCOL
evaluate() {
  if wanted evaluate "$1" "$2"; then
    aver evaluate "${@:4}" --baselines quick --out "$out/$1/$2-$3"
  fi
}

# damage CORPUS SYSTEM LEVEL...: the clean run on degraded media
damage() {
  if wanted damage "$1" "$2"; then
    aver robustness "$out/$1/$2-clean" --levels "${@:3}"
  fi
}

# report CORPUS SYSTEM RUN...: the page of a system, its paper's protocol and other systems beside
report() {
  if wanted report "$1" "$2"; then
    aver report "$out/$1/$2-clean" "$out/$1/$2-paper" "${@:3}" --no-media --out "$out/$1/pages/$2"
  fi
}

wanted() {
  [[ ${step:-$1} == "$1" && ${corpus:-$2} == "$2" && ${system:-$3} == "$3" ]]
}

# Papers: folds whose test clips choose the epoch (MRPN, temporal aggregation), clips at random
# (spiking networks), and edges between clips of one label (Synch-Graph).
folds() { echo --split speaker-kfold --split-settings "folds=$1" "validation=$2"; }
random() { echo --split random --split-settings "shares=$1"; }

# javanese-av: real videos, eight speakers, six classes.
for name in mrpn temporal-aggregation; do
  evaluate javanese $name clean "${javanese[@]}" --preset $name-compact $(folds 4 nested)
  evaluate javanese $name paper "${javanese[@]}" --preset $name-compact $(folds 4 test)
done
for name in snn-cross-modal synch-graph; do
  evaluate javanese $name clean "${javanese[@]}" --preset $name-compact $(folds 4 nested)
done
evaluate javanese snn-cross-modal paper "${javanese[@]}" --preset snn-cross-modal-compact \
  $(random 80/20)
evaluate javanese synch-graph paper "${javanese[@]}" --preset synch-graph-compact \
  $(random 60/20/20) --leaking

evaluate javanese late-fusion clean "${javanese[@]}" --preset late-fusion $(folds 4 nested)

# RAVDESS speech: 20 actors, no videos: audio, and action units for the systems that read them. The
# classes are those of each paper; temporal aggregation, tested on another corpus, takes all eight.
small=(--preset mrpn-statistics --set hidden=32 dropout=0.7 training.epochs=30 training.learning_rate=1e-3)
evaluate ravdess mrpn clean "${eight[@]}" "${units[@]}" "${small[@]}" $(folds 5 nested)
evaluate ravdess mrpn paper "${eight[@]}" "${units[@]}" "${small[@]}" \
  --split mrpn-actor-pairs --split-settings validation=test
evaluate ravdess temporal-aggregation clean "${eight[@]}" "${audio[@]}" \
  --preset temporal-aggregation-compact $(folds 5 nested)
evaluate ravdess temporal-aggregation paper "${eight[@]}" "${audio[@]}" \
  --preset temporal-aggregation-compact $(folds 5 test)
evaluate ravdess snn-cross-modal clean "${six[@]}" --preset snn-audio-compact $(folds 5 nested)
evaluate ravdess snn-cross-modal paper "${six[@]}" --preset snn-audio-compact $(random 80/20)
evaluate ravdess synch-graph clean "${six[@]}" "${audio[@]}" --preset synch-graph-compact \
  $(folds 5 nested)
evaluate ravdess synch-graph paper "${six[@]}" "${audio[@]}" --preset synch-graph-compact \
  $(random 60/20/20) --leaking

for name in mrpn temporal-aggregation snn-cross-modal synch-graph late-fusion; do
  damage javanese $name lost-modality=audio,video white-noise=10,0 offset=0.5 occlusion=50 low-light=4
done
for name in temporal-aggregation snn-cross-modal synch-graph; do
  damage ravdess $name white-noise=10
done
damage ravdess mrpn white-noise=10 lost-modality=audio,action_units

for name in mrpn temporal-aggregation snn-cross-modal synch-graph; do
  others=()
  for other in mrpn temporal-aggregation snn-cross-modal synch-graph late-fusion; do
    [[ $other == "$name" ]] || others+=("$out/javanese/$other-clean")
  done
  report javanese $name "${others[@]}"
done
report ravdess mrpn "$out/ravdess/temporal-aggregation-clean"
report ravdess temporal-aggregation "$out/ravdess/mrpn-clean"
report ravdess snn-cross-modal "$out/ravdess/synch-graph-clean"
report ravdess synch-graph "$out/ravdess/snn-cross-modal-clean"
