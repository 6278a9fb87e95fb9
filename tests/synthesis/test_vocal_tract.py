import numpy as np
import pytest
from scipy.signal import sosfilt, sosfreqz

from aver.synthesis.voice import filter_by_blocks, resonator, tilt
from reference import librosa

RATE_HZ = 16000


@pytest.mark.parametrize("formants_hz", [(270, 2290, 3010), (730, 1090, 2440), (570, 840, 2410)])
def test_linear_prediction_finds_the_formants_that_were_set(formants_hz):
    frequencies = np.array(formants_hz, dtype=float)
    sections = resonator(frequencies, np.full(3, 80.0), RATE_HZ)
    noise = np.random.default_rng(0).standard_normal(RATE_HZ)
    audio = filter_by_blocks(noise, np.tile(sections, (200, 1, 1)), 80)
    poles = np.roots(librosa.lpc(audio, order=6))
    found = np.sort(np.angle(poles[poles.imag > 0]) * RATE_HZ / (2 * np.pi))
    assert found == pytest.approx(frequencies, rel=0.05)


def test_a_resonator_has_its_bandwidth_and_passes_0_hz_unchanged():
    section = resonator(np.array([1000.0]), np.array([100.0]), RATE_HZ)
    grid_hz, response = sosfreqz(section, worN=np.arange(0, 4000.0), fs=RATE_HZ)
    power = np.abs(response) ** 2
    assert power[0] == pytest.approx(1)
    above_half = grid_hz[power > power.max() / 2]
    assert above_half.mean() == pytest.approx(1000, abs=10)
    assert np.ptp(above_half) == pytest.approx(100, abs=6)


@pytest.mark.parametrize("attenuation_db", [1.0, 6.0, 15.0])
def test_the_tilt_attenuates_3_khz_by_what_was_asked(attenuation_db):
    section = tilt(np.array([attenuation_db]), RATE_HZ)
    _, response = sosfreqz(section, worN=[0.0, 3000.0], fs=RATE_HZ)
    assert 20 * np.log10(np.abs(response)) == pytest.approx([0, -attenuation_db], abs=1e-6)


def test_blocks_of_one_filter_are_one_filter():
    sections = resonator(np.array([500.0, 1500.0]), np.array([80.0, 90.0]), RATE_HZ)
    audio = np.random.default_rng(0).standard_normal(1234)
    by_blocks = filter_by_blocks(audio, np.tile(sections, (9, 1, 1)), 100)
    assert np.allclose(by_blocks, sosfilt(sections, audio))
