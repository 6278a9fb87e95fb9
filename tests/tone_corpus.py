"""A small corpus of vowels: pitch tells the emotion, pitch and noise differ by speaker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from aver.corpora import Corpus, open_corpus
from aver.synthesis.voice import filter_by_blocks, glottal_source, resonator

RATE_HZ = 16_000
PITCHES_HZ = {"happy": 230.0, "sad": 110.0, "angry": 160.0}

_BLOCK = 160
_SYLLABLES_PER_S = 6.0
_A_HZ, _I_HZ = np.array([[730.0, 1090, 2440, 3500], [300.0, 2200, 2900, 3500]])
_WIDTHS_HZ = np.array([70.0, 100, 150, 220])


def write_tone_corpus(folder: Path, speakers: int = 6, takes: int = 3, seed: int = 0) -> Corpus:
    """One second of a voice between /a/ and /i/ per clip, with noise."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for speaker in range(speakers):
        for emotion, pitch_hz in PITCHES_HZ.items():
            for take in range(takes):
                f0_hz = pitch_hz * (1 + 0.02 * speaker) * random.uniform(0.95, 1.05)
                audio = speech_like(f0_hz, 1.0, random)
                soundfile.write(folder / f"s{speaker}_{emotion}_{take}.wav", audio, RATE_HZ)
    return open_corpus(folder, "manifest", pattern="{speaker}_{emotion}_{take}.wav")


def speech_like(f0_hz: float, duration_s: float, random: np.random.Generator) -> np.ndarray:
    """A voice of six syllables per second that a detector of speech accepts below 300 Hz."""
    time_s = np.arange(round(RATE_HZ * duration_s)) / RATE_HZ
    beat = np.cos(2 * np.pi * _SYLLABLES_PER_S * time_s)
    melody = 1.1 - 0.2 * time_s / duration_s + 0.03 * np.roll(beat, _BLOCK)
    source = glottal_source(f0_hz * melody, RATE_HZ, jitter=0.01, breath=0.1, rng=random)
    openness = 0.5 + 0.5 * np.sin(np.pi * _SYLLABLES_PER_S * time_s[::_BLOCK, np.newaxis])
    formants_hz = openness * _A_HZ + (1 - openness) * _I_HZ  # (blocks, formants)
    widths_hz = np.broadcast_to(_WIDTHS_HZ, formants_hz.shape)
    sections = resonator(formants_hz, widths_hz, RATE_HZ)
    audio = filter_by_blocks(source * np.clip(0.6 - 0.6 * beat, 0, 1), sections, _BLOCK)
    noise = 0.002 * random.standard_normal(len(audio))
    return (0.2 * audio / np.abs(audio).max() + noise).astype(np.float32)
