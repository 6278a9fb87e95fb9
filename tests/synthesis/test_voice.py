import librosa
import numpy as np
import pytest

from aver.synthesis import SynthesisSettings
from aver.synthesis.articulation import TICKS_PER_S
from aver.synthesis.performance import Performance, plan_performance
from aver.synthesis.sentence import draw_sentence
from aver.synthesis.session import draw_session
from aver.synthesis.speaker import Speaker, draw_speaker
from aver.synthesis.voice import pitch_track_hz, speak


def perform(number: int, emotion: str, **settings: object) -> tuple[Speaker, Performance]:
    speaker = draw_speaker(0, number)
    performance = plan_performance(
        speaker,
        emotion,
        "normal",
        draw_sentence(0, 1),
        SynthesisSettings(**settings),
        np.random.default_rng(3),
    )
    return speaker, performance


@pytest.mark.parametrize(("number", "emotion"), [(1, "neutral"), (2, "neutral"), (4, "happy")])
def test_pitch_follows_what_was_planned(number, emotion):
    speaker, performance = perform(number, emotion)
    session = draw_session(0, speaker.name, emotion, 1.0)
    sound = speak(speaker.voice, performance, session, 16000, 1.0, np.random.default_rng(5))
    planned = pitch_track_hz(speaker.voice, performance, np.random.default_rng(5))
    found, voiced, _ = librosa.pyin(sound, fmin=60, fmax=620, sr=16000, hop_length=160)
    ticks = np.minimum(np.arange(len(found)) * 160 * TICKS_PER_S // 16000, len(planned) - 1)
    heard = voiced & (performance.articulation.voicing[ticks] > 0.5)
    assert heard.sum() > 50
    assert np.median(np.abs(np.log2(found[heard] / planned[ticks][heard]))) < 0.5 / 12


def test_the_sound_is_as_long_as_the_picture_and_within_range():
    speaker, performance = perform(1, "angry")
    session = draw_session(0, speaker.name, "angry", 1.0)
    sound = speak(speaker.voice, performance, session, 16000, 1.0, np.random.default_rng(0))
    assert len(sound) == round(performance.frames / 25 * 16000)
    assert np.abs(sound).max() < 1
    assert np.sqrt(np.mean(sound**2)) > 0.01


def test_without_noise_the_pauses_are_silent():
    speaker, performance = perform(1, "neutral", noise=0.0)
    session = draw_session(0, speaker.name, "neutral", 0.0)
    sound = speak(speaker.voice, performance, session, 16000, 0.0, np.random.default_rng(0))
    assert np.abs(sound[:800]).max() < 1e-3 * np.abs(sound).max()
