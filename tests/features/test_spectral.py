"""Spectra, mel bands and MFCCs against librosa and SciPy, to the last bits of float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import get_window

from aver.features.spectral import (
    cepstrum,
    hann_window,
    mel_bands_db,
    mel_filters,
    power_spectrogram,
)
from aver.media.audio import read_audio
from reference import librosa

NOISE = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)


@pytest.mark.parametrize("length", [2, 7, 400, 512])
def test_window_is_scipys(length: int) -> None:
    np.testing.assert_array_equal(hann_window(length), get_window("hann", length))


@pytest.mark.parametrize(("n_fft", "hop"), [(512, 160), (300, 77)])
def test_power_is_librosas(n_fft: int, hop: int) -> None:
    stft = librosa.stft(NOISE, n_fft=n_fft, hop_length=hop)
    found = power_spectrogram(NOISE, n_fft, hop)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.abs(stft) ** 2, rtol=1e-6, atol=1e-9)


def test_long_audio_is_transformed_in_blocks() -> None:
    power = power_spectrogram(NOISE, 64, 8)  # 2,501 frames: more than one block
    stft = librosa.stft(NOISE, n_fft=64, hop_length=8)
    np.testing.assert_allclose(power, np.abs(stft) ** 2, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("rate_hz", "n_fft", "bands", "highest_hz"),
    [(16000, 512, 128, 8000.0), (16000, 128, 128, 8000.0), (22050, 2048, 40, 900.0)],
)
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_filters_are_librosas(rate_hz: int, n_fft: int, bands: int, highest_hz: float) -> None:
    size = {"sr": rate_hz, "n_fft": n_fft, "n_mels": bands, "fmax": highest_hz}
    found = mel_filters(rate_hz, n_fft, bands, highest_hz)
    np.testing.assert_allclose(found, librosa.filters.mel(**size), rtol=1e-6)
    found = mel_filters(rate_hz, n_fft, bands, highest_hz, equal_area=False)
    np.testing.assert_allclose(found, librosa.filters.mel(**size, norm=None), rtol=1e-6)


def test_bands_and_coefficients_of_speech_are_librosas(data_root: Path) -> None:
    paths = sorted((data_root / "ravdess").rglob("03-*.flac"))[::500]
    assert paths, f"There are no audio clips of RAVDESS below {data_root}."
    for path in [*paths, data_root / "javanese-av" / "01-01-01_01.mp4"]:
        audio = read_audio(path)
        size = {"n_fft": 512, "hop_length": 160, "n_mels": 128}
        power = librosa.feature.melspectrogram(y=audio, sr=16000, **size)
        found = mel_bands_db(audio, 16000, 512, 160, 128, 8000.0)
        np.testing.assert_allclose(found, librosa.power_to_db(power), rtol=1e-5, atol=1e-4)
        mfcc = librosa.feature.mfcc(y=audio, sr=16000, n_mfcc=40, **size)
        np.testing.assert_allclose(cepstrum(found, 40), mfcc, rtol=1e-4, atol=1e-3)
