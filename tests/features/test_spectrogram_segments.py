"""Spectrogram segments against librosa and SciPy, on tones and on the paper's sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from aver.corpora.clip import Clip
from aver.errors import MediaError, SettingsError
from aver.features.spectrogram_segments import SpectrogramSegments
from reference import librosa

RATE_HZ = 16000


def noise(duration_s: float, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 0.1, round(duration_s * RATE_HZ))
    return values.clip(-0.99, 0.99).astype(np.float32)


def clip_of(audio: np.ndarray, folder: Path, rate_hz: int = RATE_HZ) -> Clip:
    path = folder / "clip.wav"
    soundfile.write(path, audio, rate_hz, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def standardized(audio: np.ndarray) -> np.ndarray:
    return (audio - audio.mean()) / audio.std()


def test_paper_sizes_and_values_are_librosas(tmp_path: Path) -> None:
    audio = noise(2.0)
    record = SpectrogramSegments(needs_speech=False).extract(clip_of(audio, tmp_path))
    segments = record.arrays["segments"]
    assert segments.shape == (6, 256, 250)
    assert segments.dtype == np.float16
    assert np.allclose(record.arrays["starts_s"], [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    for index, start_s in enumerate(record.arrays["starts_s"]):
        start = round(float(start_s) * RATE_HZ)
        piece = standardized(audio)[start : start + RATE_HZ]
        stft = librosa.stft(piece, n_fft=512, hop_length=64, center=True, pad_mode="reflect")
        assert stft.shape == (257, 251)
        assert np.allclose(segments[index], np.log1p(np.abs(stft[:-1, :-1])), rtol=2e-3, atol=2e-3)


def test_power_is_scipys_periodogram(tmp_path: Path) -> None:
    audio = noise(1.0)
    record = SpectrogramSegments(needs_speech=False, scale="power").extract(
        clip_of(audio, tmp_path)
    )
    centered = np.pad(standardized(audio), 256, mode="reflect")
    _, _, stft = scipy.signal.stft(
        centered, window="hann", nperseg=512, noverlap=448, boundary=None, padded=False
    )
    window_sum = scipy.signal.get_window("hann", 512).sum()  # SciPy divides by it, we do not
    expected = np.abs(stft[:-1, :250] * window_sum) ** 2 / 512
    assert np.allclose(record.arrays["segments"][0], expected, rtol=2e-3, atol=2e-3)


def test_tone_is_in_its_bin(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    record = SpectrogramSegments(needs_speech=False).extract(clip_of(tone, tmp_path))
    inner = record.arrays["segments"][0][:, 4:-4]  # columns that do not reach into the padding
    assert (inner.argmax(axis=0) == 1000 / (RATE_HZ / 512)).all()


def test_pooling_averages_magnitudes(tmp_path: Path) -> None:
    clip = clip_of(noise(1.0), tmp_path)
    full = np.expm1(
        SpectrogramSegments(needs_speech=False).extract(clip).arrays["segments"].astype(np.float64)
    )
    small = (
        SpectrogramSegments(needs_speech=False, band_count=64, column_count=50)
        .extract(clip)
        .arrays["segments"]
    )
    expected = np.log1p(full.reshape(1, 64, 4, 50, 5).mean(axis=(2, 4)))
    assert small.shape == (1, 64, 50)
    assert np.allclose(small, expected, rtol=3e-3, atol=3e-3)


def test_mel_bands_are_librosas(tmp_path: Path) -> None:
    audio = noise(1.0)
    feature = SpectrogramSegments(needs_speech=False, scale="power", bands="mel", band_count=40)
    record = feature.extract(clip_of(audio, tmp_path))
    stft = librosa.stft(standardized(audio), n_fft=512, hop_length=64, pad_mode="reflect")
    filters = librosa.filters.mel(sr=RATE_HZ, n_fft=512, n_mels=40, norm=1)
    expected = (filters @ (np.abs(stft) ** 2 / 512))[:, :-1]
    assert np.allclose(record.arrays["segments"][0], expected, rtol=3e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("duration_s", "hop_s", "count"),
    [(1.0, 0.2, 1), (1.09, 0.2, 1), (1.11, 0.2, 2), (3.3, 0.2, 13), (3.3, 1.0, 3), (3.6, 1.0, 4)],
)
def test_last_partial_segment(tmp_path: Path, duration_s: float, hop_s: float, count: int) -> None:
    record = SpectrogramSegments(
        needs_speech=False, hop_s=hop_s, band_count=32, column_count=25
    ).extract(clip_of(noise(duration_s), tmp_path))
    assert len(record.arrays["segments"]) == count
    assert record.flags == ()


def test_clip_shorter_than_a_segment_is_padded_and_flagged(tmp_path: Path) -> None:
    audio = noise(0.5)
    record = SpectrogramSegments(needs_speech=False).extract(clip_of(audio, tmp_path))
    assert record.flags == ("shorter than one segment",)
    (segment,) = record.arrays["segments"]
    assert segment[:, :120].mean() > 1
    assert (segment[:, 130:] == 0).all()


def test_loudness_does_not_matter_and_other_rates_are_resampled(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000).astype(np.float32)
    loud = (
        SpectrogramSegments(needs_speech=False)
        .extract(clip_of(tone * 0.9, tmp_path, 48000))
        .arrays["segments"]
    )
    soft = (
        SpectrogramSegments(needs_speech=False)
        .extract(clip_of(tone * 0.05, tmp_path, 48000))
        .arrays["segments"]
    )
    assert np.allclose(loud, soft, atol=4e-3)
    assert (loud[0, :, 50:200].argmax(axis=0) == round(440 / 31.25)).all()


def test_no_audio_and_silence_are_absent(tmp_path: Path) -> None:
    feature = SpectrogramSegments(needs_speech=False)
    assert feature.extract(Clip("a", None, None)).missing == "no audio"
    silence = clip_of(np.zeros(RATE_HZ, np.float32), tmp_path)
    record = feature.extract(silence)
    assert (record.missing, record.coverage, dict(record.arrays)) == ("silent audio", 0.0, {})


def test_video_with_a_silent_track_is_absent(data_root: Path) -> None:
    (silent, *_) = sorted((data_root / "ravdess").rglob("02-01-*.mp4"))
    assert (
        SpectrogramSegments(needs_speech=False).extract(Clip("a", None, None, silent)).missing
        == "silent audio"
    )


def test_coverage_is_the_share_that_is_not_digital_silence(tmp_path: Path) -> None:
    audio = noise(2.0)
    audio[RATE_HZ // 2 : RATE_HZ] = 0
    record = SpectrogramSegments(needs_speech=False).extract(clip_of(audio, tmp_path))
    assert record.coverage == pytest.approx(0.75)


def test_unreadable_file_is_a_media_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF no more")
    with pytest.raises(MediaError, match=r"broken\.wav"):
        SpectrogramSegments(needs_speech=False).extract(Clip("a", None, None, audio=path))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"segment_s": 0}, "segment_s"),
        ({"n_fft": 511}, "n_fft"),
        ({"scale": "db"}, "scale"),
        ({"bands": "bark"}, "bands"),
        ({"band_count": 100}, "band_count"),
        ({"column_count": 60}, "column_count"),
        ({"bands": "mel", "band_count": 300}, "band_count"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, object], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        SpectrogramSegments(**settings)  # type: ignore[arg-type]


def test_empty_mel_bands_are_refused(tmp_path: Path) -> None:
    feature = SpectrogramSegments(needs_speech=False, bands="mel", band_count=250)
    with pytest.raises(SettingsError, match="too many"):
        feature.extract(clip_of(noise(1.0), tmp_path))
