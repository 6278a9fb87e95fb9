#!/usr/bin/env bash
# The results of temporal aggregation in docs/results. An interrupted command resumes when this is run
# again.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
#   PARTS some of: table synthetic independent segments offsets faces predict
set -euo pipefail
data=${DATA:?folder with javanese-av and ravdess}
out=${OUT:-runs/temporal-aggregation}
parts=${PARTS:-table synthetic independent segments offsets faces predict}
workers=(--workers "${WORKERS:-1}")

javanese=(--corpus "$data/javanese-av" --reader manifest --corpus-settings config=javanese-av)
loso=(--clean-rule leave-one-speaker-out --clean-settings validation_speakers=1)
ours=(--protocols clean "${workers[@]}")

for part in $parts; do
  case $part in
    table) # javanese-av, leave one speaker out: halves, late fusion, MRPN on the same folds.
      aver reproduce temporal-aggregation "${javanese[@]}" "${loso[@]}" "${ours[@]}" \
        --table I --seeds 3 --out "$out/javanese" ;;
    faces) # The same with pretrained faces.
      aver reproduce temporal-aggregation "${javanese[@]}" "${loso[@]}" "${ours[@]}" \
        --preset temporal-aggregation-faces --table I --seeds 3 --out "$out/javanese-faces" ;;
    segments) # Figure 5 on javanese-av, four folds of speakers.
      aver reproduce temporal-aggregation "${javanese[@]}" "${ours[@]}" --seeds 3 \
        --clean-rule speaker-kfold --clean-settings folds=4 --figure 5 --out "$out/javanese" ;;
    synthetic) # Figure 5 if the emotion is visible for one random 0.6 s of about 4 s.
      test -f "$out/moment/clips.csv" || aver corpus synthesize "$out/moment" "${workers[@]}" \
        --set speakers=24 takes=2 sentences=2 noise=0.5 cue=moment moment_s=0.6 \
        duration_s=3.8,4.2 fps=12 size_px=128
      aver reproduce temporal-aggregation --corpus "$out/moment" "${ours[@]}" --seeds 3 \
        --clean-rule speaker-kfold --clean-settings folds=3 --figure 5 --out "$out/synthetic" \
        --set images.rate_hz=6 weights=shared branches.video.relative=true ;;
    independent) # The same, with one network per segment.
      aver reproduce temporal-aggregation --corpus "$out/moment" "${ours[@]}" --seeds 1 \
        --clean-rule speaker-kfold --clean-settings folds=3 --figure 5 \
        --set images.rate_hz=6 branches.video.relative=true --out "$out/synthetic-independent" ;;
    offsets) # Accuracy with shifted audio, and against b.
      aver reproduce temporal-aggregation "${javanese[@]}" "${loso[@]}" "${ours[@]}" \
        --figure asynchrony --seeds 3 --out "$out/javanese"
      aver reproduce temporal-aggregation "${javanese[@]}" "${loso[@]}" "${ours[@]}" \
        --figure b --seeds 1 --out "$out/javanese" ;;
    predict) # Eight RAVDESS clips, two without audio, by a model trained on javanese-av.
      aver train "${javanese[@]}" --preset temporal-aggregation-compact \
        --split leave-one-speaker-out --out "$out/one-fold" "${workers[@]}"
      aver predict "$data"/ravdess/Actor_01/0[12]-01-*.mp4 --checkpoint "$out/one-fold" \
        --format csv --out "$out/ravdess-actor-01.csv" "${workers[@]}" ;;
    *) echo "There is no part $part." >&2; exit 2 ;;
  esac
done
