"""A small corpus of tones: pitch tells the emotion, timbre the speaker; written in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from aver.corpora import Corpus, open_corpus

RATE_HZ = 16_000
PITCHES_HZ = {"happy": 400.0, "sad": 150.0, "angry": 250.0}


def write_tone_corpus(folder: Path, speakers: int = 6, takes: int = 3, seed: int = 0) -> Corpus:
    """One second of a tone with harmonics and noise per clip."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    time_s = np.arange(RATE_HZ) / RATE_HZ
    for speaker in range(speakers):
        for emotion, pitch_hz in PITCHES_HZ.items():
            for take in range(takes):
                f0_hz = pitch_hz * (1 + 0.02 * speaker) * random.uniform(0.95, 1.05)
                tone = sum(np.sin(2 * np.pi * f0_hz * k * time_s) / k for k in range(1, 6))
                tone = 0.1 * tone + 0.01 * random.standard_normal(RATE_HZ)
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", tone, RATE_HZ)
    return open_corpus(folder, "manifest", pattern="{speaker}_{emotion}_{take}.wav")
