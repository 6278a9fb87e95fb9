#!/usr/bin/env bash
# Trains the weights that come with the package and writes their test figures on their cards. An
# interrupted command resumes when this is run again.
#   DATA  folder with fer2013.tar, ferplus, expw-train, ravdess, nemo, ased and javanese-av
#         (see docs/results/README.md)
#   OUT   folder for run folders
set -euo pipefail
data=${DATA:?folder with fer2013.tar, ferplus, expw-train, ravdess, nemo, ased and javanese-av}
out=${OUT:-runs/shipped}

aver pretrain video --corpus "$data/fer2013.tar" --preset compact --out "$out/faces"
aver pretrain ship "$out/faces" --name faces-fer2013 \
  --summary "A face network: ResNet-18 of width 32 at 48 pixels, trained on FER2013"

# Faces of any framing, with the votes of FER+: a large network (about three hours on two cores), and
# one half as wide that also learns from its probabilities.
pictures=(--corpus "$data/fer2013.tar"
  --corpus-settings "votes=$data/ferplus/fer2013new.csv" "names=$data/ferplus/fer2013tar_match.csv"
  --emotions neutral,happy,sad,angry,fearful,disgust,surprised
  --also "$data/expw-train" reader=expw --also-test "$data/fer2013.tar")
aver pretrain video "${pictures[@]}" --preset wide --out "$out/faces-wide" \
  --set training.epochs=13 training.patience=13
aver pretrain video "${pictures[@]}" --preset wide --out "$out/faces-ferplus" \
  --set width=32 "teacher=$out/faces-wide" teacher_share=0.5 label_smoothing=0.0 dropout=0.2 \
  resolution=0.5 training.epochs=24 training.patience=24 training.learning_rate=2e-3
aver pretrain ship "$out/faces-ferplus" --name faces-ferplus --summary \
  "A face network: ResNet-18 of width 32 at 64 pixels, trained on FER2013 with the votes of FER+, and ExpW"

# Faces with the votes of FER+, and ExpW; voices of RAVDESS and nEMO. The fusion is chosen on four
# actors of javanese-av, on which nothing else is trained. ASED is tested on once, for the cards.
# Penalty and kernel of the voices: benchmarks/voices_across_corpora.py.
experts=(--preset expert-fusion --all-voices --max-voices 1000
  --faces "$data/fer2013.tar" "votes=$data/ferplus/fer2013new.csv"
  "names=$data/ferplus/fer2013tar_match.csv" "$data/expw-train" reader=expw --drop contempt
  --voices "$data/ravdess" "$data/nemo" --merge calm=neutral
  --fusion "$data/javanese-av" reader=manifest config=javanese-av speakers=01,02,06,07
  --test "$data/ased")
aver pretrain unpaired "${experts[@]}" --out "$out/faces-voices" \
  --set experts.audio.kernel_width=1.5 'experts.audio.Cs=[3.0]'
aver pretrain ship "$out/faces-voices" --name faces-voices \
  --summary "Faces of FER2013 and ExpW, voices of RAVDESS and nEMO, a product of experts"
aver pretrain unpaired "${experts[@]}" --adapt speaker --out "$out/faces-voices-adapted" \
  --set experts.audio.kernel_width=1.5 'experts.audio.Cs=[3.0]'
aver pretrain ship "$out/faces-voices-adapted" --name faces-voices-adapted \
  --summary "As faces-voices, on each speaker's own scale: needs --speaker-by or --speaker-clips"
