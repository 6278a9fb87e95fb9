"""Noise: powers against their definition, spectra against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from aver.errors import SettingsError
from aver.media.degradation import add_noise, babble, white_noise

RATE_HZ = 16_000


def tone(rate_hz: float, seconds: float = 1.0) -> np.ndarray:
    time_s = np.arange(round(RATE_HZ * seconds)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * rate_hz * time_s)).astype(np.float32)


@pytest.mark.parametrize("snr_db", [20.0, 5.0, 0.0, -5.0])
def test_the_ratio_of_powers_is_the_one_asked_for(snr_db: float) -> None:
    audio = tone(440)
    added = add_noise(audio, white_noise(audio.size, np.random.default_rng(0)), snr_db) - audio
    ratio = np.mean(audio.astype(float) ** 2) / np.mean(added.astype(float) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.01)


def test_white_noise_is_alike_at_all_frequencies() -> None:
    _, power = welch(white_noise(10 * RATE_HZ, np.random.default_rng(1)), RATE_HZ, nperseg=512)
    inner = power[2:-2]
    assert inner.std() / inner.mean() < 0.1
    assert inner.mean() * RATE_HZ / 2 == pytest.approx(1.0, rel=0.03)


def test_babble_holds_every_voice_equally_loud() -> None:
    voices = [0.01 * tone(500, 0.5), tone(1500, 2.0), 0.2 * tone(3000, 1.0)]
    mixed = babble(voices, RATE_HZ, np.random.default_rng(0))
    rates, power = welch(mixed, RATE_HZ, nperseg=2048)
    peaks = [power[np.argmin(np.abs(rates - rate))] for rate in (500, 1500, 3000)]
    assert max(peaks) / min(peaks) < 1.5
    assert max(peaks) > 100 * power[np.argmin(np.abs(rates - 5000))]


def test_silence_stays_and_babble_of_nothing_is_an_error() -> None:
    silence = np.zeros(100, np.float32)
    assert not add_noise(silence, np.ones(100, np.float32), 0.0).any()
    with pytest.raises(SettingsError, match="at least one other clip with audio"):
        babble([silence], 10, np.random.default_rng(0))
    with pytest.raises(SettingsError, match="100 samples and the noise 3"):
        add_noise(silence, np.ones(3, np.float32), 0.0)
