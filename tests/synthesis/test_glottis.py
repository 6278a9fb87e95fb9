import numpy as np
import pytest

from aver.synthesis.voice import glottal_source
from reference import librosa


@pytest.mark.parametrize("pitch_hz", [90.0, 140.0, 230.0, 380.0])
def test_the_pulses_have_the_pitch_that_was_asked_for(pitch_hz):
    rng = np.random.default_rng(0)
    source = glottal_source(np.full(16000, pitch_hz), 16000, jitter=0.005, breath=0.05, rng=rng)
    found, voiced, _ = librosa.pyin(source, fmin=60, fmax=600, sr=16000)
    assert voiced.mean() > 0.9
    assert np.nanmedian(found) == pytest.approx(pitch_hz, rel=0.015)


def test_a_gliding_pitch_is_followed():
    rng = np.random.default_rng(0)
    asked = np.linspace(100, 200, 32000)
    source = glottal_source(asked, 16000, rng=rng)
    found, _, _ = librosa.pyin(source, fmin=60, fmax=600, sr=16000, hop_length=512)
    wanted = asked[np.minimum(np.arange(len(found)) * 512, 31999)]
    inner = slice(3, -3)
    assert np.nanmedian(np.abs(found[inner] / wanted[inner] - 1)) < 0.02


def test_jitter_is_the_relative_std_of_the_cycles():
    rng = np.random.default_rng(0)
    source = glottal_source(np.full(64000, 100.0), 16000, jitter=0.03, rng=rng)
    # The pulse ends in one sharp negative peak a cycle.
    peaks = librosa.util.peak_pick(
        -source, pre_max=60, post_max=60, pre_avg=80, post_avg=80, delta=1.0, wait=80
    )
    cycles = np.diff(peaks)
    assert np.std(cycles) / np.mean(cycles) == pytest.approx(0.03, rel=0.3)
