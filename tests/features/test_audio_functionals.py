"""Audio functionals against librosa, and pitch against tones and pyin of librosa."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.audio_functionals import AudioFunctionals, track_pitch
from aver.media.audio import read_audio
from reference import librosa

RATE_HZ = 16000


def voice(pitch_hz: np.ndarray, seed: int = 0) -> np.ndarray:
    """A pulse-like voice of the given pitch per sample, with a little noise."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    harmonics = sum(np.cos(k * phase) / k for k in range(1, 9))
    hiss = np.random.default_rng(seed).normal(0, 0.02, len(pitch_hz))
    return (0.2 * (harmonics + hiss)).astype(np.float32)


def clip_of(audio: np.ndarray, folder: Path) -> Clip:
    path = folder / "clip.wav"
    soundfile.write(path, audio, RATE_HZ, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def test_mfcc_functionals_are_librosas(data_root: Path) -> None:
    path = sorted((data_root / "ravdess").rglob("03-*.flac"))[0]
    record = AudioFunctionals(pitch=False).extract(Clip("clip", None, None, audio=path))
    mfcc = librosa.feature.mfcc(
        y=read_audio(path), sr=RATE_HZ, n_mfcc=40, n_fft=1024, hop_length=256
    )
    steps = mfcc[:, 1:] - mfcc[:, :-1]
    expected = [mfcc.mean(1), mfcc.std(1), steps.mean(1), steps.std(1)]
    assert record.arrays["statistics"].dtype == np.float32
    assert np.allclose(record.arrays["statistics"], np.concatenate(expected), rtol=1e-3, atol=1e-3)


def test_pitch_functionals_describe_the_melody(tmp_path: Path) -> None:
    glide_hz = np.linspace(120, 240, 2 * RATE_HZ)
    record = AudioFunctionals(needs_speech=False).extract(clip_of(voice(glide_hz), tmp_path))
    assert record.arrays["statistics"].shape == (160 + 10,)
    mean, std, low, middle, high, step, voiced = record.arrays["statistics"][160:167]
    octaves = np.log2(glide_hz)
    assert mean == pytest.approx(octaves.mean(), abs=0.02)
    assert std == pytest.approx(octaves.std(), abs=0.02)
    expected = np.percentile(octaves, [5, 50, 95])
    assert np.allclose([low, middle, high], expected, atol=0.04)
    assert step == pytest.approx(1 / 200, rel=0.1)  # one octave in 2 s, frames every 10 ms
    assert voiced > 0.98


def test_pitch_of_glide_follows_it() -> None:
    glide_hz = np.linspace(90, 350, RATE_HZ)
    found = track_pitch(voice(glide_hz), RATE_HZ)
    window = round(3 * RATE_HZ / 65)
    middles = np.arange(len(found)) * 160 + window // 2
    assert np.isfinite(found).mean() > 0.95
    assert np.nanmax(np.abs(found / glide_hz[middles] - 1)) < 0.03


def test_noise_and_silence_are_unvoiced() -> None:
    hiss = np.random.default_rng(0).normal(0, 1, RATE_HZ)
    assert np.isnan(track_pitch(hiss, RATE_HZ)).mean() > 0.95
    assert np.isnan(track_pitch(np.zeros(RATE_HZ), RATE_HZ)).all()
    assert track_pitch(np.zeros(100), RATE_HZ).size == 0


def test_pitch_agrees_with_pyin_on_speech(data_root: Path) -> None:
    audio = read_audio(sorted((data_root / "ravdess").rglob("03-*.flac"))[-1])
    found_hz = track_pitch(audio, RATE_HZ)
    pyin_hz, _, _ = librosa.pyin(
        audio, fmin=65, fmax=500, sr=RATE_HZ, hop_length=160, frame_length=1024
    )
    shift = round(1.5 * RATE_HZ / 65 / 160)  # pyin centers its frames on the grid, ours start there
    pyin_hz = pyin_hz[shift : shift + len(found_hz)]
    both = np.isfinite(found_hz[: len(pyin_hz)]) & np.isfinite(pyin_hz)
    assert both.sum() > 50
    octaves_off = np.abs(np.log2(found_hz[: len(pyin_hz)][both] / pyin_hz[both]))
    assert np.median(octaves_off) < 0.03
    assert (octaves_off < 0.1).mean() > 0.8


def test_too_little_audio_is_absent(tmp_path: Path) -> None:
    assert AudioFunctionals().extract(Clip("a", None, None)).missing == "no audio"
    short = clip_of(voice(np.full(700, 150.0)), tmp_path)
    assert AudioFunctionals().extract(short).missing == "too short"


def test_settings_out_of_range() -> None:
    with pytest.raises(SettingsError, match="'coefficients' must be greater than 0"):
        AudioFunctionals(coefficients=0)
    with pytest.raises(SettingsError, match="at most 128"):
        AudioFunctionals(coefficients=200)
