#!/usr/bin/env bash
# The results of pretraining and adaptation in docs/results/pretraining.md. An interrupted command
# resumes when this is run again. Needs the weights of benchmarks/ship_weights.sh.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  folder for run folders
set -euo pipefail
data=${DATA:?folder with fer2013.tar, javanese-av, ravdess and ravdess-au}
out=${OUT:-runs/pretraining}
here=$(dirname "$0")

javanese=(--corpus "$data/javanese-av" --corpus-settings config=javanese-av)
ravdess=(--corpus "$data/ravdess" --action-units "$data/ravdess-au/clip_action_units.csv" --folds 5)
nested=(python "$here/nested_choice.py")

# FER2013 with no images set aside, as in published figures: LEAKS. The effect of the copies.
aver pretrain video --corpus "$data/fer2013.tar" --preset compact --out "$out/faces"
aver pretrain video --corpus "$data/fer2013.tar" --preset compact --leaking \
  --out "$out/faces-leaking"
python "$here/fer2013_copies.py" --corpus "$data/fer2013.tar" "$out/faces" "$out/faces-leaking"

# Voices: training on 16 RAVDESS actors, verification of 4 unseen ones and the javanese speakers.
aver pretrain audio --corpus "$data/ravdess" --channel speech --target speaker \
  --verify "$data/javanese-av" --verify-settings config=javanese-av --out "$out/voice-speaker"
aver pretrain audio --corpus "$data/ravdess" --channel speech --target emotion \
  --out "$out/voice-emotion"

# javanese-av without and with pretrained faces: settings chosen on validation speakers, for each
# test speaker. Then the same with speaker adaptation.
"${nested[@]}" "${javanese[@]}" --preset mrpn-statistics \
  --candidates "$here/candidates/statistics.yaml" --out "$out/javanese-none"
"${nested[@]}" "${javanese[@]}" --preset mrpn-faces --candidates "$here/candidates/faces.yaml" \
  --against "$out/javanese-none" --out "$out/javanese-faces"
"${nested[@]}" "${javanese[@]}" --preset mrpn-statistics --adapt speaker --networks N2 \
  --candidates "$here/candidates/statistics.yaml" --out "$out/javanese-none-adapted"
"${nested[@]}" "${javanese[@]}" --preset mrpn-faces --adapt speaker \
  --candidates "$here/candidates/faces.yaml" --against "$out/javanese-none-adapted" \
  --out "$out/javanese-faces-adapted"

# RAVDESS, audio and action units: without adaptation, and adapted.
"${nested[@]}" "${ravdess[@]}" --preset mrpn-statistics \
  --candidates "$here/candidates/units.yaml" --out "$out/ravdess"
"${nested[@]}" "${ravdess[@]}" --preset mrpn-statistics --adapt speaker --networks N2 \
  --candidates "$here/candidates/units.yaml" --out "$out/ravdess-adapted"

# Faces of FER2013 and voices of RAVDESS, tested on javanese-av: N0 and N2, three seeds.
for network in N0 N2; do
  for seed in 0 1 2; do
    aver pretrain unpaired --faces "$data/fer2013.tar" --voices "$data/ravdess" \
      --merge calm=neutral --drop disgust --set network=$network --seed $seed \
      --test "$data/javanese-av" reader=manifest config=javanese-av \
      --out "$out/unpaired-$network-$seed"
  done
done

# Videos whose faces are framed as tightly as in FER2013.
python "$here/face_framing.py" --data "$data"
for adapt in "" speaker; do
  aver pretrain unpaired --faces "$data/fer2013.tar" --voices "$data/ravdess" --merge calm=neutral \
    --adapt "$adapt" --set branches.video.feature_settings.crops.margin=-0.05 \
    --test "$data/javanese-av" reader=manifest config=javanese-av \
    --out "$out/unpaired-close${adapt:+-adapted}"
done

# A face network that is trained further, compared with the same one from random weights: four folds
# of speakers, in MRPN and in every segment of temporal aggregation.
common=("${javanese[@]}" --reader manifest --split speaker-kfold
  --split-settings folds=4 validation=nested --baselines none)
size=(width=32 blocks=2 stem=3x3)
evaluate() {
  aver evaluate "${common[@]}" --preset "$1-compact" "${@:3}" --out "$out/$1-$2"
}
evaluate mrpn tuned --set training.epochs=15 --init video=faces-fer2013
evaluate mrpn random --set training.epochs=15 branches.video.extractor=resnet18 \
  "${size[@]/#/branches.video.}" branches.video.feature_settings.size_px=48 branches.video.standardize=clip
evaluate temporal-aggregation tuned --set weights=shared --init video=faces-fer2013
evaluate temporal-aggregation random --set weights=shared branches.video.extractor=resnet18 \
  "${size[@]/#/branches.video.}" images.size_px=48
for system in mrpn temporal-aggregation; do
  aver report "$out/$system-tuned" "$out/$system-random" --no-media --out "$out/pages/$system"
done
