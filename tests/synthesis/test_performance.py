import numpy as np
import pytest

from aver.synthesis import SynthesisSettings
from aver.synthesis.performance import TICKS_PER_S, Performance, draw_sentence, plan_performance
from aver.synthesis.speaker import draw_speaker


def perform(seed: int, emotion: str = "happy", **settings: object) -> Performance:
    return plan_performance(
        draw_speaker(0, 1),
        emotion,
        "strong",
        draw_sentence(0, 1),
        SynthesisSettings(**settings),
        np.random.default_rng(seed),
    )


@pytest.mark.parametrize("moment_s", [0.3, 0.5, 1.0])
def test_a_moment_lasts_as_long_as_set_and_is_the_same_in_face_and_voice(moment_s):
    for seed in range(5):
        performance = perform(seed, cue="moment", moment_s=moment_s)
        assert performance.cue.sum() / TICKS_PER_S == pytest.approx(moment_s, abs=0.09)
        felt = performance.cue > 0
        assert np.all(performance.traits[~felt] == 0)
        assert np.any(performance.traits[felt] != 0)
        smile = performance.units[:, 6]
        frames = np.interp(
            (np.arange(performance.frames) + 0.5) / 25 * TICKS_PER_S, np.arange(len(felt)), felt
        )
        assert smile[frames == 1].mean() > smile[frames == 0].mean() + 1


def test_moments_lie_anywhere_in_the_clip():
    centers = []
    for seed in range(60):
        performance = perform(seed, cue="moment")
        ticks = np.arange(len(performance.cue))
        centers.append(np.average(ticks, weights=performance.cue) / len(ticks))
    counts, _ = np.histogram(centers, bins=3, range=(0.1, 0.9))
    assert counts.min() >= 8


def test_a_whole_cue_never_pauses_and_neutral_shows_nothing_of_its_own():
    assert np.all(perform(0).cue == 1)
    assert np.all(perform(0, "neutral", noise=0.0).traits == 0)


def test_a_faster_speaker_says_more_syllables():
    def onsets(emotion: str) -> float:
        performance = perform(0, emotion, duration_s=(20.0, 20.0), noise=0.0)
        aperture = performance.articulation.aperture
        peaks = (aperture[1:-1] > aperture[:-2]) & (aperture[1:-1] >= aperture[2:])
        return peaks.sum() * 2.0 ** -performance.traits[0, 3]

    assert onsets("happy") == pytest.approx(onsets("sad"), rel=0.12)
