#!/usr/bin/env bash
# Trains the weights that come with the package on FER2013 and RAVDESS only, and writes their test
# figures on their cards. An interrupted command resumes when this is run again.
#   DATA  folder with fer2013.tar, ravdess and javanese-av (see docs/results/README.md)
#   OUT   folder for run folders
set -euo pipefail
data=${DATA:?folder with fer2013.tar, ravdess and javanese-av}
out=${OUT:-runs/shipped}

aver pretrain video --corpus "$data/fer2013.tar" --preset compact --out "$out/faces"
aver pretrain ship "$out/faces" --name faces-fer2013 \
  --summary "A face network: ResNet-18 of width 32 at 48 pixels, trained on FER2013"

# javanese-av is not trained on; it is tested on once, for the cards.
unpaired=(--faces "$data/fer2013.tar" --voices "$data/ravdess" --merge calm=neutral
  --test "$data/javanese-av" --test-settings config=javanese-av)
aver pretrain unpaired "${unpaired[@]}" --out "$out/faces-voices"
aver pretrain ship "$out/faces-voices" --name faces-voices \
  --summary "Faces of FER2013 and voices of RAVDESS, fused by MRPN; seven emotions"
aver pretrain unpaired "${unpaired[@]}" --adapt speaker --out "$out/faces-voices-adapted"
aver pretrain ship "$out/faces-voices-adapted" --name faces-voices-adapted \
  --summary "As faces-voices, on each speaker's own scale: needs --speaker-clips"
