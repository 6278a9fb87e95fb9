"""`Performance`: how one clip goes, in face and voice, before anything is drawn or sounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from aver.synthesis.articulation import TICKS_PER_S, Articulation, articulate
from aver.synthesis.expression import (
    ACTION_UNIT_SPREAD,
    ACTION_UNITS,
    SCATTER,
    VOICE_SPREAD,
    VOICE_TRAITS,
    face_of,
    voice_of,
)
from aver.synthesis.sentence import Syllable
from aver.synthesis.settings import SynthesisSettings
from aver.synthesis.speaker import Speaker

_STRENGTHS = {"normal": 0.8, "strong": 1.2}


@dataclass(frozen=True)
class Performance:
    """Tracks of one clip; ticks are 5 ms long, frames are those of the picture.

    Parameters
    ----------
    duration_s : float
        A whole number of frames.
    cue : np.ndarray [shape=(ticks,)]
        How much of the emotion shows, 0 to 1.
    traits : np.ndarray [shape=(ticks, 9)]
        `VOICE_TRAITS`, as differences from the speaker's neutral voice.
    articulation : Articulation
    units : np.ndarray [shape=(frames, 11)]
        `ACTION_UNITS` to be rendered, 0 to 5.
    pose : np.ndarray [shape=(frames, 5)]
        Head: right and down (share of the picture), roll, yaw and pitch (radians).
    lids : np.ndarray [shape=(frames,)]
        Blinks: 0 is open, 1 is closed.
    rounding : np.ndarray [shape=(frames,)]
        Of the lips, 0 to 1.
    """

    duration_s: float
    cue: np.ndarray
    traits: np.ndarray
    articulation: Articulation
    units: np.ndarray
    pose: np.ndarray
    lids: np.ndarray
    rounding: np.ndarray

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return len(self.units)


def plan_performance(
    speaker: Speaker,
    emotion: str,
    intensity: str,
    sentence: Sequence[Syllable],
    settings: SynthesisSettings,
    rng: np.random.Generator,
) -> Performance:
    """Decide everything about one clip.

    Parameters
    ----------
    speaker : Speaker
    emotion : str
    intensity : {"normal", "strong"}
    sentence : sequence of Syllable
    settings : SynthesisSettings
    rng : np.random.Generator
        The clip's own.

    Returns
    -------
    Performance
    """
    frames = max(1, round(rng.uniform(*settings.duration_s) * settings.fps))
    duration_s = frames / settings.fps
    ticks = int(np.ceil(duration_s * TICKS_PER_S))
    cue = _cue(settings, duration_s, ticks, rng)
    face, voice = _emotion(speaker, emotion, _STRENGTHS[intensity], settings.noise, rng)
    traits = cue[:, None] * voice  # (ticks, traits)
    rate = speaker.voice.rate_syllables_per_s * 2 ** traits[:, VOICE_TRAITS.index("rate_log2")]
    articulation = articulate(sentence, rate, rng)

    at_frames = (np.arange(frames) + 0.5) / settings.fps * TICKS_PER_S

    def seen(track: np.ndarray) -> np.ndarray:
        return np.interp(at_frames, np.arange(ticks), track)

    loudness = seen(articulation.aperture * 10 ** (traits[:, VOICE_TRAITS.index("level_db")] / 40))
    units = speaker.face.resting_units + seen(cue)[:, None] * face
    units += gaussian_filter1d(rng.normal(0, 0.4, units.shape), settings.fps * 0.16, axis=0)
    units[:, ACTION_UNITS.index("AU25")] += 2.2 * loudness
    units[:, ACTION_UNITS.index("AU26")] += 2.4 * loudness
    return Performance(
        duration_s=duration_s,
        cue=cue,
        traits=traits,
        articulation=articulation,
        units=np.clip(units, 0, 5),
        pose=_pose(speaker, frames, settings.fps, loudness, rng),
        lids=_blinks(speaker, frames, settings.fps, rng),
        rounding=seen(articulation.rounding),
    )


def _cue(
    settings: SynthesisSettings, duration_s: float, ticks: int, rng: np.random.Generator
) -> np.ndarray:
    # Drawn in both cases, so that the cue alone differs between two corpora of one seed.
    centre_s = rng.uniform(settings.moment_s / 2, duration_s - settings.moment_s / 2)
    if settings.cue == "whole":
        return np.ones(ticks)
    distance_s = np.abs(np.arange(ticks) / TICKS_PER_S - centre_s)
    flank_s = 0.08  # a face needs about that long to change
    return np.clip((settings.moment_s / 2 + flank_s / 2 - distance_s) / flank_s, 0, 1)


def _emotion(
    speaker: Speaker, emotion: str, strength: float, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    own_face, own_voice = speaker.idiosyncrasy(emotion)
    face = strength * speaker.expressivity[0] * face_of(emotion) + own_face
    voice = strength * speaker.expressivity[1] * voice_of(emotion) + own_voice
    face = face + noise * SCATTER * rng.standard_normal(len(face)) * ACTION_UNIT_SPREAD
    voice = voice + noise * SCATTER * rng.standard_normal(len(voice)) * VOICE_SPREAD
    return face, voice


def _pose(
    speaker: Speaker, frames: int, fps: float, loudness: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    time_s = np.arange(frames) / fps
    pose = np.zeros((frames, 5))
    for column, size in enumerate((0.012, 0.010, 0.04, 0.09, 0.06)):
        frequency_hz, phase = rng.uniform(0.2, 0.7), rng.uniform(0, 2 * np.pi)
        sway = np.sin(2 * np.pi * frequency_hz * time_s + phase)
        pose[:, column] = size * (0.6 * sway + rng.normal(0, 0.4))
    nod = speaker.face.nod * gaussian_filter1d(loudness, max(0.5, fps * 0.06))
    pose[:, 1] += 0.012 * nod
    pose[:, 4] += 0.06 * nod
    return pose


def _blinks(speaker: Speaker, frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    time_s = np.arange(frames) / fps
    blinks = rng.poisson(speaker.face.blinks_per_s * frames / fps)
    lids = np.zeros(frames)
    for centre_s in rng.uniform(0, frames / fps, blinks):
        lids = np.maximum(lids, np.clip(1.4 - np.abs(time_s - centre_s) / 0.07, 0, 1))
    return lids
