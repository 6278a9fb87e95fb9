"""Descriptors of a voice against vowels of known formants, librosa and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from aver.features.voice_descriptors import DESCRIPTORS, HOP_S, RATE_HZ, describe_voice
from aver.synthesis.voice import resonator
from reference import librosa


def vowel(formants_hz: list[float], pitch_hz: float, seconds: float = 0.5) -> np.ndarray:
    """Pulses through resonators, as loud speech falls by 12 dB per octave."""
    pulses = np.zeros(round(seconds * RATE_HZ))
    pulses[:: round(RATE_HZ / pitch_hz)] = 1.0
    audio = lfilter([1.0], [1.0, -0.95], pulses)
    widths_hz = 0.04 * np.array(formants_hz) + 40
    for section in resonator(np.array(formants_hz), widths_hz, RATE_HZ):
        audio = lfilter(section[:3], section[3:], audio)
    noise = np.random.default_rng(0).normal(0, 1e-3 * audio.std(), len(audio))
    return (0.1 * (audio + noise) / np.abs(audio).max()).astype(np.float32)


def column(name: str, audio: np.ndarray) -> np.ndarray:
    return describe_voice(audio)[:, DESCRIPTORS.index(name)]


@pytest.mark.parametrize(
    "formants_hz", [[730.0, 1090, 2440], [270.0, 2290, 3010], [300.0, 870, 2240]]
)
def test_formants_of_vowels_are_found(formants_hz: list[float]) -> None:
    """Of /a/, /i/ and /u/ in Peterson & Barney (1952), Table II."""
    audio = vowel([*formants_hz, 3500.0, 4500.0], 110.0)
    for number, expected_hz in enumerate(formants_hz):
        found = np.nanmedian(column(f"f{number + 1}", audio))
        assert found == pytest.approx(12 * np.log2(expected_hz / 55), abs=1.5)


def test_pitch_is_in_semitones_above_55_hz() -> None:
    assert np.median(column("pitch", vowel([500.0, 1500, 2500], 220.0))) == pytest.approx(
        24.0, abs=0.2
    )


def test_a_tilted_spectrum_has_a_higher_alpha_ratio_and_hammarberg_index() -> None:
    audio = vowel([500.0, 1500, 2500], 120.0)
    dull = lfilter([1.0], [1.0, -0.8], audio).astype(np.float32)
    for name in ("alpha_ratio", "hammarberg", "h1_a3"):
        assert np.median(column(name, dull)) > np.median(column(name, audio)) + 3
    assert np.median(column("centroid", dull)) < np.median(column("centroid", audio))


def test_gain_moves_the_loudness_alone() -> None:
    audio = vowel([500.0, 1500, 2500], 120.0)
    loud, soft = describe_voice(audio), describe_voice(audio * np.float32(0.01))
    place = DESCRIPTORS.index("loudness")
    assert np.allclose(loud[:, place] - soft[:, place], 40.0, atol=0.05)
    others = np.arange(len(DESCRIPTORS)) != place
    assert np.allclose(loud[:, others], soft[:, others], atol=0.05, equal_nan=True)


def test_mfccs_are_librosas() -> None:
    """Of 40 bands, without the zeroth, at the middle of our frames."""
    audio = vowel([500.0, 1500, 2500], 120.0)
    ours = np.stack([column(f"mfcc_{k}", audio) for k in range(1, 13)])
    shift = round(1.5 * RATE_HZ / 65) - 256  # our frames have the length of the pitch window
    power = (
        np.abs(
            librosa.stft(audio[shift:], n_fft=512, hop_length=round(HOP_S * RATE_HZ), center=False)
        )
        ** 2
    )
    bands = librosa.filters.mel(sr=RATE_HZ, n_fft=512, n_mels=40, fmin=50.0, norm=None) @ power
    theirs = librosa.feature.mfcc(S=10 * np.log10(bands), n_mfcc=13)[1:, : ours.shape[1]]
    assert np.allclose(ours, theirs, atol=0.3)


def test_a_stretch_shorter_than_a_frame_has_none() -> None:
    assert describe_voice(np.zeros(700, np.float32)).shape == (0, len(DESCRIPTORS))
    assert np.isfinite(describe_voice(np.zeros(2000, np.float32))[:, :10]).all()
