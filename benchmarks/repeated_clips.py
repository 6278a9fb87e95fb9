"""Predictions of a voice that is repeated: the same clip 1, 2, 4 and 8 times in one file.

    python benchmarks/repeated_clips.py --data DIR [--weights faces-voices]

Clips: every 40th of RAVDESS and every 300th of nEMO, sound only. Measures the largest change of any
probability against the clip played once, and how many clips change their label. Writes
``docs/results/predictions/repeated-clips.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from aver.corpora.clip import Clip
from aver.features.store import FeatureStore
from aver.media.audio import read_audio
from aver.models.base.recognizer import load_recognizer

RESULT = Path(__file__).parents[1] / "docs" / "results" / "predictions" / "repeated-clips.json"
TIMES = (1, 2, 4, 8)
RATE_HZ = 16000


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--weights", default="faces-voices")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    paths = [
        *sorted(arguments.data.glob("ravdess/Actor_*/03-01-*.flac"))[7::40],
        *sorted(arguments.data.glob("nemo/**/*.opus"))[5::300],
    ]
    moves, labels = [], 0
    with tempfile.TemporaryDirectory() as folder:
        recognizer = load_recognizer(arguments.weights, FeatureStore(Path(folder)))
        for path in paths:
            sound = read_audio(path, RATE_HZ)
            clips = []
            for times in TIMES:
                copy = Path(folder) / f"{path.stem}-{times}.wav"
                soundfile.write(copy, np.tile(sound, times), RATE_HZ)
                clips.append(Clip(copy.stem, None, None, audio=copy))
            found = recognizer.predict(clips)
            if np.isnan(found.probabilities[0]).any():
                continue  # no speech was found
            moves.append(float(np.abs(found.probabilities - found.probabilities[0]).max()))
            labels += len(set(found.labels)) > 1
    points = 100 * np.array(moves)
    result = {
        "clips": len(moves),
        "largest change in points": {
            "median": round(float(np.median(points)), 1),
            "95th percentile": round(float(np.quantile(points, 0.95)), 1),
            "maximum": round(float(points.max()), 1),
        },
        "clips that change by more than 5 points": int((points > 5).sum()),
        "clips that change their label": labels,
    }
    print(json.dumps(result, indent=1))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
