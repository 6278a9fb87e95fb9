import numpy as np
import pytest

from aver.synthesis import SynthesisSettings
from aver.synthesis.performance import TICKS_PER_S, Performance, draw_sentence, plan_performance
from aver.synthesis.speaker import Speaker, draw_session, draw_speaker
from aver.synthesis.voice import pitch_track_hz, speak
from reference import librosa


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
    audio = speak(speaker.voice, performance, session, 16000, 1.0, np.random.default_rng(5))
    planned = pitch_track_hz(speaker.voice, performance, np.random.default_rng(5))
    found, voiced, _ = librosa.pyin(audio, fmin=60, fmax=620, sr=16000, hop_length=160)
    ticks = np.minimum(np.arange(len(found)) * 160 * TICKS_PER_S // 16000, len(planned) - 1)
    heard = voiced & (performance.articulation.voicing[ticks] > 0.5)
    assert heard.sum() > 50
    assert np.median(np.abs(np.log2(found[heard] / planned[ticks][heard]))) < 0.5 / 12


def test_the_audio_is_as_long_as_the_image_and_within_range():
    speaker, performance = perform(1, "angry")
    session = draw_session(0, speaker.name, "angry", 1.0)
    audio = speak(speaker.voice, performance, session, 16000, 1.0, np.random.default_rng(0))
    assert len(audio) == round(performance.frames / 25 * 16000)
    assert np.abs(audio).max() < 1
    assert np.sqrt(np.mean(audio**2)) > 0.01


def test_without_noise_the_pauses_are_silent():
    speaker, performance = perform(1, "neutral", noise=0.0)
    session = draw_session(0, speaker.name, "neutral", 0.0)
    audio = speak(speaker.voice, performance, session, 16000, 0.0, np.random.default_rng(0))
    assert np.abs(audio[:800]).max() < 1e-3 * np.abs(audio).max()
