"""Predict emotions in video files with the weights that ship with the package.

The result has one row per file: the most probable emotion, the probabilities fused over face and
voice and of each modality alone, the share of the clip with a face and with audio, and flags. The
files here are synthetic; replace `videos` by your own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aver
from aver.features.store import FeatureStore
from aver.synthesis import SynthesisSettings, synthesize


def main(folder: Path) -> None:
    settings = SynthesisSettings(speakers=1, emotions=("neutral", "happy", "angry"), sentences=1)
    corpus = synthesize(folder / "predict-corpus", settings)
    videos = sorted(corpus.glob("clips/*/*.mp4"))

    found = aver.predict(videos, store=FeatureStore(folder / "cache"))

    print(found)  # a short table
    table = found.to_frame()
    print(table.filter(like="p ").round(2).T)
    for problem in found.problems:  # unreadable files are skipped and listed
        print(f"skipped: {problem.path}: {problem.reason}")
    table.to_csv(folder / "predictions.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
