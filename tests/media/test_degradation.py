"""Degradations against their definitions and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import welch

from aver.errors import SettingsError
from aver.media.degradation import add_noise, babble, blur, cover, darken, white_noise

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


def test_white_noise_has_a_flat_spectrum() -> None:
    _, power = welch(white_noise(10 * RATE_HZ, np.random.default_rng(1)), RATE_HZ, nperseg=512)
    inner = power[2:-2]
    assert inner.std() / inner.mean() < 0.1
    assert inner.mean() * RATE_HZ / 2 == pytest.approx(1.0, rel=0.03)


def test_voices_in_babble_are_equally_loud() -> None:
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


IMAGE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def test_blur_is_a_gaussian_of_the_height() -> None:
    expected = gaussian_filter(IMAGE.astype(float), (2.4, 2.4, 0), mode="mirror", truncate=4)
    np.testing.assert_allclose(blur(IMAGE, 2.0), expected, atol=2)
    np.testing.assert_array_equal(blur(IMAGE, 0.0), IMAGE)


@pytest.mark.parametrize("stops", [1.0, 3.0])
def test_every_stop_halves_the_light(stops: float) -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    dark = darken(white, stops, np.random.default_rng(0)) / 255
    light = np.where(dark <= 0.04045, dark / 12.92, ((dark + 0.055) / 1.055) ** 2.4)
    assert light.mean() == pytest.approx(0.5**stops, rel=0.02)
    # Photons are counted: of n, sqrt(n) come or do not, and reading adds three.
    electrons = 2000 * 0.5**stops
    assert light.std() * 2000 == pytest.approx(np.sqrt(electrons + 9), rel=0.1)


def test_zero_stops_change_nothing() -> None:
    np.testing.assert_array_equal(darken(IMAGE, 0.0, np.random.default_rng(0)), IMAGE)


def test_the_face_is_covered_from_the_chin_up() -> None:
    covered = cover(IMAGE, np.array([40.0, 20.0, 80.0, 100.0]), 50.0)
    assert (covered[60:100, 40:80] == 128).all()
    untouched = np.ones((120, 160), bool)
    untouched[60:100, 40:80] = False
    np.testing.assert_array_equal(covered[untouched], IMAGE[untouched])
    beyond = cover(IMAGE, np.array([-20.0, 80.0, 20.0, 160.0]), 100.0)
    assert (beyond[80:, :20] == 128).all()
    np.testing.assert_array_equal(cover(IMAGE, np.full(4, np.nan), 50.0), IMAGE)
