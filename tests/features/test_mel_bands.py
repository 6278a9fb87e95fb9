"""Mel bands and MFCCs on tones, and against librosa on speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.mel_bands import MelBands
from aver.features.mfcc import MFCC
from aver.media.audio import read_audio
from reference import librosa

RATE_HZ = 16000


def clip_of(audio: np.ndarray, folder: Path) -> Clip:
    path = folder / "clip.wav"
    soundfile.write(path, audio, RATE_HZ, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def tone(pitch_hz: float, seconds: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def test_mfccs_of_speech_are_librosas(data_root: Path) -> None:
    path = sorted((data_root / "ravdess").rglob("03-*.flac"))[0]
    record = MFCC(needs_speech=False, frame_count=2000).extract(
        Clip("clip", None, None, audio=path)
    )
    expected = librosa.feature.mfcc(
        y=read_audio(path), sr=RATE_HZ, n_mfcc=40, n_fft=512, hop_length=160, n_mels=128
    )
    assert np.allclose(record.arrays["units"], expected.T, rtol=1e-4, atol=1e-3)


def test_a_tone_is_loudest_in_its_band(tmp_path: Path) -> None:
    record = MelBands(needs_speech=False).extract(clip_of(tone(1000.0, 1.0), tmp_path))
    frames = record.arrays["units"]
    assert frames.shape == (101, 128)
    # Slaney's scale is linear below 1 kHz: 1 kHz is 15 of the 45.25 mel that 8 kHz are.
    expected = 15 / librosa.hz_to_mel(8000.0) * 129 - 1
    assert abs(frames[50].argmax() - expected) < 1.0
    assert frames.max() - frames.min() <= 80.0 + 1e-3


def test_long_clips_keep_their_middle(tmp_path: Path) -> None:
    quiet, loud = tone(500.0, 1.0) * 0.01, tone(500.0, 2.0)
    clip = clip_of(np.concatenate([quiet, loud, quiet]), tmp_path)
    feature = MFCC(needs_speech=False, frame_count=200)
    record = feature.extract(clip)
    frames = record.arrays["units"]
    assert frames.shape == (200, 40)
    assert (np.abs(frames[5:195, 0] - frames[100, 0]) < 5).all()  # loud throughout
    assert record.coverage == pytest.approx(200 / 401)
    assert record.flags == ("cut to 2 s of audio",)
    whole = MFCC(needs_speech=False, frame_count=401).extract(clip)
    assert whole.flags == ()
    assert np.array_equal(whole.arrays["units"][100:300], frames)


def test_quiet_ends_are_cut(tmp_path: Path) -> None:
    silence = np.random.default_rng(0).normal(0, 1e-4, RATE_HZ)
    clip = clip_of(np.concatenate([silence, tone(700.0, 1.0), silence]), tmp_path)
    assert len(
        MelBands(needs_speech=False, quiet_db=10.0).extract(clip).arrays["units"]
    ) == pytest.approx(101, abs=4)
    assert len(MelBands(needs_speech=False).extract(clip).arrays["units"]) == 301


def test_stretched_clips_do_not_depend_on_speed(tmp_path: Path) -> None:
    def frames_of(seconds: float) -> np.ndarray:
        pitch_hz = np.geomspace(200, 4000, round(seconds * RATE_HZ))
        audio = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ)
        record = MelBands(needs_speech=False, frame_count=150, stretched=True).extract(
            clip_of(audio, tmp_path)
        )
        assert record.coverage == 1.0
        assert record.flags == ()
        return record.arrays["units"]

    slow, fast = frames_of(3.0), frames_of(1.0)
    assert slow.shape == fast.shape == (150, 128)
    assert np.abs(slow.argmax(axis=1) - fast.argmax(axis=1)).mean() < 1.0
    assert slow[0].argmax() < slow[-1].argmax()


def test_steps_are_differences_of_frames(tmp_path: Path) -> None:
    glide = np.sin(2 * np.pi * np.cumsum(np.linspace(200, 2000, RATE_HZ)) / RATE_HZ)
    frames = (
        MFCC(needs_speech=False, step_frames=3).extract(clip_of(glide, tmp_path)).arrays["units"]
    )
    assert frames.shape == (101, 80)
    expected = frames[6:, :40] - frames[:-6, :40]
    assert np.allclose(frames[3:-3, 40:], expected, atol=1e-4)


def test_a_short_window_leaves_bands_empty_and_is_flagged(tmp_path: Path) -> None:
    record = MelBands(needs_speech=False, n_fft=128).extract(clip_of(tone(1000.0, 1.0), tmp_path))
    assert record.flags == ("41 of 128 mel bands are empty",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hop": 0}, "'hop' must be greater than 0"),
        ({"highest_hz": 9000.0}, "half of rate_hz"),
        ({"quiet_db": -3.0}, "quiet_db"),
        ({"coefficients": 200}, "at most band_count, 128"),
        ({"step_frames": -1}, "step_frames"),
    ],
)
def test_settings_out_of_range(settings: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        MFCC(**settings)
