"""`write_speakers`: a small corpus of noise by speaker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from aver.corpora import Corpus, open_corpus

RATE_HZ = 16_000


def write_speakers(folder: Path, names: list[str]) -> Corpus:
    """A second of noise for each ``speaker/take``, in the layout of VoxCeleb, without emotions."""
    rng = np.random.default_rng(5)
    for name in names:
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(RATE_HZ), RATE_HZ)
    return open_corpus(folder, "speaker-folders")
