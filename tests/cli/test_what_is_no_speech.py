"""What the shipped recognizer does with long sound, with sound that is no speech, with nothing."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from aver import api
from aver.corpora.clip import Clip
from aver.features.store import FeatureStore
from aver.models.base.recognizer import Recognizer

RATE_HZ = 16000
SECONDS = 4.0


def tones(*frequencies_hz: float) -> np.ndarray:
    times_s = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
    return np.mean([np.sin(2 * np.pi * f * times_s) for f in frequencies_hz], axis=0)


def pink_noise() -> np.ndarray:
    rng = np.random.default_rng(1)
    spectrum = np.fft.rfft(rng.normal(size=int(SECONDS * RATE_HZ)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum)
    return noise / np.abs(noise).max()


def music() -> np.ndarray:
    """A melody of plucked strings over a beat of noise."""
    rng = np.random.default_rng(2)
    sound = np.zeros(int(SECONDS * RATE_HZ))
    for step, half_tones in enumerate((0, 4, 7, 12, 7, 4, 0, 5)):
        start, frequency_hz = step * RATE_HZ // 2, 220 * 2 ** (half_tones / 12)
        times_s = np.arange(RATE_HZ // 2) / RATE_HZ
        for harmonic in range(1, 8):
            wave = np.sin(2 * np.pi * frequency_hz * harmonic * times_s) / harmonic
            sound[start : start + len(wave)] += wave * np.exp(-4 * times_s)
        beat = rng.normal(size=800) * np.exp(-np.arange(800) / 150)
        sound[start : start + 800] += beat
    return sound / np.abs(sound).max()


NO_SPEECH = {
    "hum": lambda: tones(50.0, 100.0, 150.0),
    "chord": lambda: tones(261.6, 329.6, 392.0),
    "white noise": lambda: np.random.default_rng(0).normal(size=int(SECONDS * RATE_HZ)) / 5,
    "pink noise": pink_noise,
    "music": music,
    "silence": lambda: np.zeros(int(SECONDS * RATE_HZ)),
}


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    from aver.models.base.checkpoint import DEFAULT

    return api.load(DEFAULT, FeatureStore(tmp_path_factory.mktemp("cache")))


def write_wav(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, 0.5 * samples, RATE_HZ)
    return path


def without_audio(source: Path, target: Path) -> Path:
    """The video stream alone, packet by packet."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.video[0]
        copy = written.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                written.mux(packet)
    return target


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_what_is_no_speech_is_a_missing_modality_and_moves_no_prediction(
    kind: str, recognizer: Recognizer, data_root: Path, tmp_path: Path
) -> None:
    film = data_root / "javanese-av" / "01-01-03_01.mp4"
    sound = write_wav(tmp_path / "sound.wav", NO_SPEECH[kind]())
    mute = without_audio(film, tmp_path / "mute.mp4")
    prediction = recognizer.predict(
        [Clip("with", None, None, video=film, audio=sound), Clip("mute", None, None, video=mute)]
    )
    assert np.array_equal(prediction.probabilities[0], prediction.probabilities[1])
    assert np.isnan(prediction.by_modality["audio"]).all()
    assert prediction.coverage["audio"].tolist() == [0, 0]
    reason = "silent audio" if kind == "silence" else "no speech"
    assert reason in prediction.flags[0]
    assert "no audio" in prediction.flags[1]
    assert prediction.labels[0]


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_without_any_usable_modality_there_is_no_label(
    kind: str, recognizer: Recognizer, tmp_path: Path
) -> None:
    sound = write_wav(tmp_path / "sound.wav", NO_SPEECH[kind]())
    prediction = recognizer.predict([Clip("a", None, None, audio=sound)])
    assert prediction.labels == ("",)
    assert np.isnan(prediction.probabilities).all()
    assert "no usable modality" in prediction.flags[0]


NAMES = ["03-01-03-01-01-01-01", "03-01-05-02-02-01-02", "03-01-04-01-02-02-15"]


@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_voice_keeps_its_prediction(
    name: str, recognizer: Recognizer, data_root: Path, tmp_path: Path
) -> None:
    once, _ = soundfile.read(data_root / "ravdess" / f"Actor_{name[-2:]}" / f"{name}.flac")
    sounds = {n: write_wav(tmp_path / f"{n}.wav", np.tile(once, n)) for n in (1, 2, 4, 8)}
    clips = [Clip(str(n), None, None, audio=sound) for n, sound in sounds.items()]
    prediction = recognizer.predict(clips)
    assert len(set(prediction.labels)) == 1
    moved = np.abs(prediction.probabilities - prediction.probabilities[0]).max()
    assert moved <= 0.05, f"a probability moved by {100 * moved:.1f} points"
