"""Functionals of a voice: no length, no gain; medians and ranges are those of NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.audio_functionals import (
    FUNCTIONALS,
    AudioFunctionals,
    window_functionals,
)
from aver.features.voice_descriptors import DESCRIPTORS, HOP_S, describe_voice
from aver.media.audio import read_audio
from aver.synthesis.voice import resonator
from tone_corpus import speech_like

RATE_HZ = 16000


def clip_of(audio: np.ndarray, folder: Path, name: str = "clip") -> Clip:
    path = folder / f"{name}.wav"
    soundfile.write(path, audio, RATE_HZ, subtype="FLOAT")
    return Clip(name, "speaker", None, audio=path)


def vector(audio: np.ndarray, folder: Path, name: str = "clip") -> np.ndarray:
    return AudioFunctionals().extract(clip_of(audio, folder, name)).arrays["statistics"]


@pytest.fixture(scope="module")
def voices(data_root: Path) -> list[np.ndarray]:
    """Clips of several actors in several emotions."""
    paths = sorted((data_root / "ravdess").rglob("03-01-*.flac"))[5::79][:12]
    return [read_audio(path) for path in paths]


@pytest.mark.parametrize("times", [2, 4, 8])
def test_a_repeated_clip_keeps_its_functionals(
    times: int, voices: list[np.ndarray], tmp_path: Path
) -> None:
    """In units of the scatter between clips; nothing grows with the number of repetitions."""
    once = np.array([vector(voice, tmp_path) for voice in voices])
    many = np.array([vector(np.tile(voice, times), tmp_path) for voice in voices])
    moved = np.abs(many - once) / once.std(axis=0)
    assert np.median(moved) < 0.15
    assert np.quantile(moved, 0.95) < 0.8


def test_gain_changes_nothing(voices: list[np.ndarray], tmp_path: Path) -> None:
    """Given the same speech: the detector of speech hears a quiet voice a little differently."""
    stretches = [voices[0][RATE_HZ : 2 * RATE_HZ]]
    loud = AudioFunctionals().from_speech(stretches)
    soft = AudioFunctionals().from_speech([stretches[0] * np.float32(0.03)])
    assert loud is not None
    assert soft is not None
    assert np.allclose(loud, soft, rtol=0.01, atol=0.02)


def test_silence_around_a_voice_hardly_matters(voices: list[np.ndarray], tmp_path: Path) -> None:
    quiet = 1e-4 * np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32)
    alone = np.array([vector(voice, tmp_path) for voice in voices])
    between = np.array([vector(np.r_[quiet, voice, quiet], tmp_path) for voice in voices])
    assert np.median(np.abs(between - alone) / alone.std(axis=0)) < 0.2  # of the scatter


def test_medians_and_ranges_are_percentiles_of_the_descriptors(voices: list[np.ndarray]) -> None:
    frames = describe_voice(voices[0][RATE_HZ : 2 * RATE_HZ])
    follows = np.arange(len(frames)) > 0
    values = dict(zip(FUNCTIONALS, window_functionals(frames, follows), strict=True))
    voiced = frames[:, DESCRIPTORS.index("voiced")] > 0
    for name in ("alpha_ratio", "mfcc_3"):
        low, middle, high = np.percentile(frames[:, DESCRIPTORS.index(name)], (20, 50, 80))
        assert values[f"{name}_median"] == pytest.approx(middle)
        assert values[f"{name}_range"] == pytest.approx(high - low)
    pitch = frames[voiced, DESCRIPTORS.index("pitch")]
    assert values["pitch_median"] == pytest.approx(np.median(pitch))
    assert values["voiced_share"] == pytest.approx(voiced.mean())


def frames_of(**columns: np.ndarray) -> np.ndarray:
    count = len(next(iter(columns.values())))
    columns = {"voiced": np.ones(count), **columns}
    return np.column_stack([columns.get(name, np.zeros(count)) for name in DESCRIPTORS])


def test_movement_and_roughness_in_closed_form() -> None:
    """A pitch that rises 0.1 semitones in 10 ms, and every second 10 ms 0.5 dB more harmonic."""
    time_s = HOP_S * np.arange(round(2 / HOP_S))
    frames = frames_of(pitch=10 * time_s, harmonicity=0.5 * (np.floor(time_s / 0.01 + 1e-6) % 2))
    values = dict(zip(FUNCTIONALS, window_functionals(frames, time_s > 0), strict=True))
    assert values["pitch_rise"] == pytest.approx(0.5)
    assert (values["pitch_fall"], values["pitch_rising_share"]) == (0.0, 1.0)
    assert values["pitch_step"] == pytest.approx(0.1)
    assert values["pitch_roughness"] == pytest.approx(0.0, abs=1e-9)
    assert values["harmonicity_roughness"] == pytest.approx(1.0)


def test_rhythm_in_closed_form() -> None:
    """Voiced stretches of 0.1 and 0.3 s with 0.1 s between; loudness peaks every 0.25 s."""
    lengths = [round(duration_s / HOP_S) for duration_s in (0.1, 0.1, 0.3, 0.1)]
    voiced = np.tile(np.repeat([1, 0, 1, 0], lengths), 4)
    loudness = 10 * np.sin(2 * np.pi * HOP_S * np.arange(len(voiced)) / 0.25)
    frames = frames_of(voiced=voiced, loudness=loudness)
    follows = np.arange(len(voiced)) > 0
    values = dict(zip(FUNCTIONALS, window_functionals(frames, follows), strict=True))
    assert values["voiced_share"] == pytest.approx(4 / 6)
    assert values["peak_rate"] == pytest.approx(4.0, abs=0.5)


def test_steps_across_pauses_do_not_count() -> None:
    pitch = np.repeat([0.0, 50.0], 20)
    follows = np.arange(40) % 20 > 0
    values = dict(
        zip(FUNCTIONALS, window_functionals(frames_of(pitch=pitch), follows), strict=True)
    )
    assert values["pitch_rise"] == 0.0


def test_a_whisper_has_functionals() -> None:
    """Noise in the place of the vocal folds: no frame is voiced."""
    whisper = np.random.default_rng(0).normal(0, 0.1, RATE_HZ)
    for section in resonator(np.array([730.0, 1090, 2440]), np.array([200.0, 200, 300]), RATE_HZ):
        whisper = lfilter(section[:3], section[3:], whisper)
    values = AudioFunctionals().from_speech([whisper.astype(np.float32)])
    assert values is not None
    assert np.isfinite(values).all()
    named = dict(zip(FUNCTIONALS, values, strict=True))
    assert named["voiced_share"] < 0.2
    assert named["harmonicity_median"] < 5


def test_twenty_minutes_take_the_memory_of_two(tmp_path: Path) -> None:
    # VmHWM, not ru_maxrss: a child inherits the latter from the process that starts it
    script = r"""
import re, sys
import numpy as np, soundfile
from aver.corpora.clip import Clip
from aver.features.audio_functionals import AudioFunctionals
from pathlib import Path
record = AudioFunctionals().extract(Clip("a", None, None, audio=Path(sys.argv[1])))
assert not record.missing, record.missing
print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""
    peak_kb = []
    for minutes in (2, 20):
        voice = speech_like(130.0, 20.0, np.random.default_rng(0))
        path = tmp_path / f"{minutes}.flac"
        soundfile.write(path, np.tile(voice, 3 * minutes), RATE_HZ)
        run = [sys.executable, "-c", script, str(path)]
        peak_kb.append(int(subprocess.run(run, check=True, capture_output=True).stdout))
    assert peak_kb[1] < peak_kb[0] + 20_000  # the samples of 18 minutes would be 69 MB


def test_a_stretch_too_short_to_describe_is_absent(tmp_path: Path) -> None:
    assert AudioFunctionals().extract(Clip("a", None, None)).missing == "no audio"
    assert AudioFunctionals().from_speech([np.zeros(700, np.float32)]) is None
    short = clip_of(speech_like(130.0, 0.07, np.random.default_rng(0)), tmp_path)
    record = AudioFunctionals(needs_speech=False).extract(short)
    assert record.missing == "too short"


def test_settings_out_of_range() -> None:
    with pytest.raises(SettingsError, match="'window_s' must be at least 1"):
        AudioFunctionals(window_s=0.5)


def test_a_later_start_hardly_changes_the_functionals(data_root: Path, tmp_path: Path) -> None:
    """Half a frame of silence in front moves every frame; values must not follow their phase."""
    values = []
    for name in ("Actor_03/03-01-05-01-01-01-03", "Actor_08/03-01-03-01-02-01-08"):
        audio = read_audio(data_root / "ravdess" / f"{name}.flac")
        pair = []
        for number, sound in enumerate((audio, np.r_[np.zeros(77, np.float32), audio])):
            path = tmp_path / f"{number}.wav"
            soundfile.write(path, sound, RATE_HZ)
            record = AudioFunctionals().extract(Clip("a", None, None, audio=path))
            pair.append(record.arrays["statistics"])
        values.append(pair)
    rows = np.array(values)  # (clips, shifts, functionals)
    moved = np.abs(rows[:, 1] - rows[:, 0]).mean(axis=0)
    between = np.abs(rows[1, 0] - rows[0, 0])
    assert np.median(moved / np.maximum(between, 1e-6)) < 0.15
