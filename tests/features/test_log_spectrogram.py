"""The log-frequency spectrogram against librosa, on tones, and at its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.log_spectrogram import LogSpectrogram
from reference import librosa

RATE_HZ = 16000


def clip_of(audio: np.ndarray, folder: Path) -> Clip:
    path = folder / "clip.wav"
    soundfile.write(path, audio.astype(np.float32), RATE_HZ, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def test_columns_are_librosas_spectra_in_bands(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 20_000)
    feature = LogSpectrogram(needs_speech=False, grid_s=0.004)  # 64 samples
    record = feature.extract(clip_of(audio, tmp_path))
    standardized = (audio - audio.mean()) / audio.std()
    stft = librosa.stft(
        standardized, n_fft=1024, win_length=400, hop_length=64, center=True, pad_mode="constant"
    )
    expected = np.log1p(feature.filters @ np.abs(stft)).T
    assert record.arrays["columns"].dtype == np.float16
    assert record.arrays["columns"].shape == (1 + 20_000 // 64, 192)
    np.testing.assert_allclose(record.arrays["columns"], expected, rtol=2e-3, atol=2e-3)
    assert record.arrays["duration_s"].tolist() == [20_000 / RATE_HZ]


def test_long_audio_in_blocks_is_the_same_as_short() -> None:
    audio = np.random.default_rng(1).normal(0, 1, 12 * RATE_HZ)
    feature = LogSpectrogram(needs_speech=False, grid_s=0.005, band_count=8)
    whole = feature.columns(audio)
    assert len(whole) == 2401  # more than one block
    piece = feature.columns(audio[10 * RATE_HZ :])
    np.testing.assert_array_equal(whole[2000 + 5 : -5], piece[5:-5])


@pytest.mark.parametrize("tone_hz", [120.0, 700.0, 3000.0, 7000.0])
def test_a_tone_is_loudest_in_the_band_nearest_to_it(tone_hz: float) -> None:
    feature = LogSpectrogram(needs_speech=False, grid_s=0.01, band_count=96)
    times_s = np.arange(RATE_HZ) / RATE_HZ
    loudest = feature.columns(np.sin(2 * np.pi * tone_hz * times_s))[20:80].argmax(axis=1)
    middles = np.geomspace(60, 7600, 96)
    # A Hann window of 25 ms smears a tone over 80 Hz; the bands are compared in its units.
    assert np.abs(middles[loudest] - tone_hz).max() <= max(20.0, 0.03 * tone_hz)


def test_bands_of_a_flat_spectrum_are_flat() -> None:
    np.testing.assert_allclose(LogSpectrogram().filters.sum(axis=1), 1, rtol=1e-6)
    click = np.zeros(RATE_HZ)
    click[8000] = 1.0
    middle = LogSpectrogram(grid_s=0.01).columns(click)[50]
    np.testing.assert_allclose(middle, np.log(2), rtol=1e-3)  # log(1 + 1) at every frequency


def test_audio_beyond_the_ends_is_zero() -> None:
    columns = LogSpectrogram(grid_s=0.01, band_count=8).columns(np.zeros(1600))
    assert columns.shape == (11, 8)
    assert not columns.any()


def test_a_clip_without_audio_is_absent() -> None:
    assert LogSpectrogram().extract(Clip("c", "s", None)).missing == "no audio"


@pytest.mark.parametrize(
    "wrong",
    [{"grid_s": 0.0}, {"band_count": 0}, {"highest_hz": 9000.0}, {"n_fft": 256}, {"n_fft": 1023}],
)
def test_settings_that_do_not_fit_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        LogSpectrogram(**wrong)  # type: ignore[arg-type]
