"""Pitch and harmonicity against tones of known pitch and noise, and pyin of librosa."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aver.features.pitch import pitch_window, track_pitch
from aver.media.audio import read_audio
from reference import librosa

RATE_HZ, HOP = 16000, 160
LENGTH = pitch_window(RATE_HZ, 65.0)


def voice(pitch_hz: np.ndarray, noise: float = 0.02) -> np.ndarray:
    """A pulse-like voice of the given pitch per sample, with a little noise."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    harmonics = sum(np.cos(k * phase) / k for k in range(1, 9))
    return harmonics + np.random.default_rng(0).normal(0, noise, len(pitch_hz))


def track(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frames = np.lib.stride_tricks.sliding_window_view(audio.astype(np.float32), LENGTH)[::HOP]
    return track_pitch(frames, RATE_HZ, 65.0, 500.0)


def test_pitch_of_a_glide_follows_it() -> None:
    glide_hz = np.linspace(90, 350, RATE_HZ)
    found_hz, _, voiced = track(voice(glide_hz))
    middles = np.arange(len(found_hz)) * HOP + LENGTH // 2
    assert voiced.mean() > 0.98
    assert np.abs(found_hz / glide_hz[middles] - 1)[voiced].max() < 0.03


@pytest.mark.parametrize("ratio_db", [5.0, 15.0])
def test_harmonicity_is_the_ratio_of_harmonics_to_noise(ratio_db: float) -> None:
    pure = voice(np.full(RATE_HZ, 200.0), noise=0.0)
    noise = np.random.default_rng(1).normal(0, pure.std() * 10 ** (-ratio_db / 20), len(pure))
    _, found_db, voiced = track(pure + noise)
    assert np.median(found_db[voiced]) == pytest.approx(ratio_db, abs=1.0)


def test_noise_and_silence_are_unvoiced() -> None:
    assert track(np.random.default_rng(0).normal(0, 1, RATE_HZ))[2].mean() < 0.05
    _, harmonicity_db, voiced = track(np.zeros(RATE_HZ))
    assert not voiced.any()
    assert np.isfinite(harmonicity_db).all()
    assert [one.size for one in track_pitch(np.zeros((0, LENGTH)), RATE_HZ, 65.0, 500.0)] == [0] * 3


def test_gain_changes_nothing() -> None:
    audio = voice(np.linspace(120, 240, RATE_HZ))
    for loud, soft in zip(track(audio), track(audio * 1e-3), strict=True):
        assert np.allclose(loud, soft, rtol=1e-3)


def test_pitch_agrees_with_pyin_on_speech(data_root: Path) -> None:
    audio = read_audio(sorted((data_root / "ravdess").rglob("03-*.flac"))[-1])
    found_hz, _, voiced = track(audio)
    pyin_hz, _, _ = librosa.pyin(
        audio, fmin=65, fmax=500, sr=RATE_HZ, hop_length=HOP, frame_length=1024
    )
    pyin_hz = pyin_hz[round(LENGTH / 2 / HOP) :][: len(found_hz)]  # pyin centers its frames
    both = voiced[: len(pyin_hz)] & np.isfinite(pyin_hz)
    assert both.sum() > 50
    octaves_off = np.abs(np.log2(found_hz[: len(pyin_hz)][both] / pyin_hz[both]))
    assert np.median(octaves_off) < 0.03
    assert (octaves_off < 0.1).mean() > 0.8
