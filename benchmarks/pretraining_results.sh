#!/usr/bin/env bash
# The results of pretraining and adaptation that docs/results/pretraining.md quotes. Each command
# goes on where an interrupted one stopped, so this may be run again at any time. Weights first:
# benchmarks/ship_weights.sh.
#   DATA  folder of the corpora (see docs/results/README.md), OUT  where run folders go
set -euo pipefail
data=${DATA:?folder that holds fer2013.tar, javanese-av, ravdess and ravdess-au}
out=${OUT:-runs/pretraining}
here=$(dirname "$0")

javanese=(--corpus "$data/javanese-av" --corpus-settings config=javanese-av)
ravdess=(--corpus "$data/ravdess" --action-units "$data/ravdess-au/clip_action_units.csv" --folds 5)
nested=(python "$here/nested_choice.py")

# FER2013 with nothing set aside, as published figures count: LEAKS. What its copies are worth.
aver pretrain visual --corpus "$data/fer2013.tar" --preset compact --out "$out/faces"
aver pretrain visual --corpus "$data/fer2013.tar" --preset compact --leaking \
  --out "$out/faces-leaking"
python "$here/fer2013_copies.py" --corpus "$data/fer2013.tar" "$out/faces" "$out/faces-leaking"

# Voices: 16 RAVDESS actors teach, 4 unseen ones and the javanese speakers are verified.
aver pretrain voice --corpus "$data/ravdess" --channel speech --target speaker \
  --verify "$data/javanese-av" --verify-settings config=javanese-av --out "$out/voice-speaker"
aver pretrain voice --corpus "$data/ravdess" --channel speech --target emotion \
  --out "$out/voice-emotion"

# javanese-av without pretrained faces and with them: settings chosen on validation speakers, for
# each test speaker. Then the same on each speaker's own scale.
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
      --test "$data/javanese-av" --test-settings config=javanese-av \
      --out "$out/unpaired-$network-$seed"
  done
done

# Single faces against films whose faces are cut as closely as FER2013's.
python "$here/face_framing.py" --data "$data"
for adapt in "" speaker; do
  aver pretrain unpaired --faces "$data/fer2013.tar" --voices "$data/ravdess" --merge calm=neutral \
    --adapt "$adapt" --set branches.video.feature_settings.crops.margin=-0.05 \
    --test "$data/javanese-av" --test-settings config=javanese-av \
    --out "$out/unpaired-close${adapt:+-adapted}"
done

# A face network that is trained further, against the same one from a random start: four folds of
# speakers, in MRPN and in every segment of temporal aggregation.
common=("${javanese[@]}" --reader manifest --split speaker-kfold
  --split-settings folds=4 validation=nested --baselines none)
size=(width=32 blocks=2 stem=3x3)
evaluate() {
  aver evaluate "${common[@]}" --preset "$1-compact" "${@:3}" --out "$out/$1-$2"
}
evaluate mrpn tuned --set training.epochs=15 --init visual=faces-fer2013
evaluate mrpn random --set training.epochs=15 branches.video.extractor=resnet18 \
  "${size[@]/#/branches.video.}" branches.video.feature_settings.size_px=48 branches.video.standardise=clip
evaluate temporal-aggregation tuned --set weights=shared --init visual=faces-fer2013
evaluate temporal-aggregation random --set weights=shared extractors.video.kind=resnet18 \
  "${size[@]/#/extractors.video.}" pictures.size_px=48
for system in mrpn temporal-aggregation; do
  aver report "$out/$system-tuned" "$out/$system-random" --no-media --out "$out/pages/$system"
done
