"""What counts as a clip's audio: speech, and what is said if there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.features.clip_audio import read_clip_audio
from aver.features.feature import Feature, features
from aver.features.spectrogram_segments import SpectrogramSegments
from tone_corpus import RATE_HZ, speech_like

AUDIO = [name for name in features.names() if features.get(name).modality == "audio"]


def clip_of(samples: np.ndarray, folder: Path) -> Clip:
    path = folder / "clip.wav"
    soundfile.write(path, samples.astype(np.float32), RATE_HZ, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def quiet(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.001, round(seconds * RATE_HZ))


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return speech_like(130.0, 2.0, np.random.default_rng(0))


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize(
    ("samples", "missing"),
    [
        (np.zeros(RATE_HZ), "silent audio"),
        (0.1 * np.ones(RATE_HZ), "silent audio"),  # an offset is no sound
        (0.1 * np.sin(np.arange(500)), "too short"),
        (0.1 * np.sin(0.02 * np.arange(4 * RATE_HZ)), "no speech"),  # a hum of 50 Hz
        (np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ), "no speech"),
    ],
)
def test_every_reason_has_its_name(
    name: str, samples: np.ndarray, missing: str, tmp_path: Path
) -> None:
    feature: Feature = features.get(name)()
    record = feature.extract(clip_of(samples, tmp_path))
    assert (record.missing, record.coverage, dict(record.arrays)) == (missing, 0.0, {})


@pytest.mark.parametrize("name", sorted({*AUDIO} - {"transformers-audio"}))  # needs an encoder
def test_a_voice_is_present_and_covers_its_share(
    name: str, voice: np.ndarray, tmp_path: Path
) -> None:
    samples = np.concatenate([quiet(2.0), voice, quiet(1.0)])
    record = features.get(name)().extract(clip_of(samples, tmp_path))
    assert not record.missing
    if "cut to" not in " ".join(record.flags):
        assert record.coverage == pytest.approx(2.0 / 5.0, abs=0.07)


def test_papers_take_any_sound(tmp_path: Path) -> None:
    clip = clip_of(0.1 * np.sin(0.02 * np.arange(2 * RATE_HZ)), tmp_path)
    record = SpectrogramSegments(needs_speech=False).extract(clip)
    assert (record.missing, record.coverage) == ("", 1.0)


def test_speech_tells_frames_apart(voice: np.ndarray, tmp_path: Path) -> None:
    samples = np.concatenate([quiet(2.0), voice, quiet(1.0)])
    audio = read_clip_audio(clip_of(samples, tmp_path), RATE_HZ)
    assert audio.is_speech(np.array([0.5, 3.0, 4.8])).tolist() == [False, True, False]
