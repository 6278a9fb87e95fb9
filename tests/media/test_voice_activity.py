"""Speech is found in real voices of three languages and not in tones, noise or music."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from aver.media.audio import read_audio, read_audio_blocks
from aver.media.voice_activity import FRAME_S, Speech, SpeechDetector, detect_speech

RATE_HZ = 16000
TIME_S = np.arange(6 * RATE_HZ) / RATE_HZ


def harmonics(pitch_hz: float, time_s: np.ndarray = TIME_S, count: int = 8) -> np.ndarray:
    return sum(np.sin(2 * np.pi * k * pitch_hz * time_s) / k for k in range(1, count + 1))


def pink_noise(random: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(random.standard_normal(len(TIME_S)))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)))


def melody(seed: int) -> np.ndarray:
    """Plucked notes, four per second, one to three at a time, every second time with a drum."""
    random = np.random.default_rng(seed)
    music = np.zeros(len(TIME_S) + RATE_HZ)
    decay = np.exp(-(0.5 + seed % 4 * 2) * TIME_S[:RATE_HZ])
    for note in range(24):
        start = note * RATE_HZ // 4
        for _ in range(1 + seed % 3):
            pitch_hz = 440 * 2 ** (random.integers(-24, 9) / 12)
            music[start : start + RATE_HZ] += decay * harmonics(pitch_hz, TIME_S[:RATE_HZ])
        if seed % 2:
            drum = random.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
            music[start : start + 2000] += 2 * drum
    return music[: len(TIME_S)]


RANDOM = np.random.default_rng(0)
BEAT = 1 + np.sin(2 * np.pi * 4 * TIME_S)  # syllables come at about this rate
NO_SPEECH = {
    "silence": 0 * TIME_S,
    "hum": harmonics(50.0, count=3),
    "tone": np.sin(2 * np.pi * 440 * TIME_S),
    "chord": harmonics(261.6) + harmonics(329.6) + harmonics(392.0),
    "chord with a beat": BEAT * (harmonics(261.6) + harmonics(329.6) + harmonics(392.0)),
    "white noise": RANDOM.standard_normal(len(TIME_S)),
    "white noise with a beat": BEAT * RANDOM.standard_normal(len(TIME_S)),
    "pink noise": pink_noise(RANDOM),
    "clicks": (RANDOM.random(len(TIME_S)) < 3e-4).astype(float),
    **{f"music {seed}": melody(seed) for seed in range(12)},
}


@pytest.mark.parametrize("name", NO_SPEECH)
@pytest.mark.parametrize("peak", [0.01, 0.5])
def test_tones_noise_and_music_are_no_speech(name: str, peak: float) -> None:
    sound = NO_SPEECH[name] / max(np.abs(NO_SPEECH[name]).max(), 1e-9) * peak
    assert not detect_speech([sound.astype(np.float32)], RATE_HZ).is_enough


@pytest.mark.parametrize(
    ("files", "least"),
    [
        ("ravdess/Actor_0[1-5]/03-01-0*-0*-01-01-*.flac", 0.98),  # normal and strong intensity
        ("nemo/**/*_1?.opus", 1.0),
        ("javanese-av/*_01.mp4", 0.95),
    ],
)
def test_emotional_voices_are_speech(data_root: Path, files: str, least: float) -> None:
    paths = sorted(data_root.glob(files))[::3]
    if not paths:
        pytest.skip(f"There are no files {files} below {data_root}.")
    enough = [detect_speech(read_audio_blocks(path), RATE_HZ).is_enough for path in paths]
    assert np.mean(enough) >= least


def first_voice(data_root: Path) -> np.ndarray:
    return read_audio(sorted((data_root / "ravdess").rglob("03-01-03-*.flac"))[0])


def test_speech_lies_where_the_voice_is(data_root: Path) -> None:
    """RAVDESS clips begin and end with about a second of silence."""
    voice = first_voice(data_root)
    speech = detect_speech([voice], RATE_HZ)
    loud = np.abs(voice[: len(voice) // 160 * 160].reshape(-1, 160)).max(axis=1)
    times_s = (np.arange(len(loud)) + 0.5) * 0.01
    found = speech.is_speech(times_s)
    assert found[loud > 0.3 * loud.max()].mean() > 0.95
    assert not speech.is_speech(np.array([-0.1, 0.2, 1e6])).any()
    assert speech.share == pytest.approx(found.mean(), abs=0.02)
    assert speech.duration_s == pytest.approx(speech.share * len(voice) / RATE_HZ, abs=0.03)


@pytest.mark.parametrize("block", [100, 5000, 10**6])
def test_blocks_give_what_the_whole_gives(data_root: Path, block: int) -> None:
    voice = np.concatenate([first_voice(data_root)] * 6)  # more frames than one call takes
    detector = SpeechDetector(RATE_HZ)
    found = [detector.add(voice[at : at + block]) for at in range(0, len(voice), block)]
    probabilities = np.concatenate([*found, detector.finish()])
    whole = SpeechDetector(RATE_HZ)
    expected = np.concatenate([whole.add(voice), whole.finish()])
    assert len(probabilities) == np.ceil(len(voice) / RATE_HZ / FRAME_S)
    np.testing.assert_allclose(probabilities, expected, atol=2e-3)


def test_sampling_rate_does_not_matter(data_root: Path) -> None:
    path = sorted((data_root / "ravdess").rglob("03-01-03-*.flac"))[0]
    found = [detect_speech([read_audio(path, rate)], rate).frames for rate in (16000, 44100)]
    assert (found[0] == found[1]).mean() > 0.97


def test_probabilities_between_the_thresholds_keep_the_state() -> None:
    probabilities = np.array([0.4, 0.49, 0.5, 0.35, 0.36, 0.34, 0.4, 0.9])
    frames = Speech.from_probabilities(probabilities).frames
    assert frames.tolist() == [False, False, True, True, True, False, False, True]
    assert Speech.from_probabilities(np.zeros(0)).share == 0.0


def test_a_sound_without_samples_has_no_speech() -> None:
    speech = detect_speech([], RATE_HZ)
    assert (speech.share, speech.duration_s, speech.is_enough) == (0.0, 0.0, False)


def test_a_minute_takes_less_than_a_second(data_root: Path) -> None:
    voice = np.resize(first_voice(data_root), 60 * RATE_HZ)
    detect_speech([voice[:RATE_HZ]], RATE_HZ)
    started_s = time.process_time()
    detect_speech([voice], RATE_HZ)
    assert time.process_time() - started_s < 1.0
