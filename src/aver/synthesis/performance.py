"""Plan of a clip before rendering: sentence, articulation, and tracks of face and voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from aver.synthesis.settings import SynthesisSettings, generator_for
from aver.synthesis.speaker import (
    ACTION_UNIT_SPREAD,
    ACTION_UNITS,
    SCATTER,
    VOICE_SPREAD,
    VOICE_TRAITS,
    Speaker,
    face_of,
    voice_of,
)

VOWELS_HZ: dict[str, tuple[float, float, float]] = {
    "iy": (270, 2290, 3010), "ih": (390, 1990, 2550), "eh": (530, 1840, 2480),
    "ae": (660, 1720, 2410), "aa": (730, 1090, 2440), "ao": (570, 840, 2410),
    "uw": (300, 870, 2240),
}  # fmt: skip
"""First three formants of men's vowels, in Hz.

Source: Peterson & Barney, "Control methods used in a study of the vowels", JASA 24 (1952),
Table II.
"""

CONSONANTS: tuple[str, ...] = ("stop", "hiss", "hush", "nasal", "none")
"""Kinds of consonant: a stop (silence and a burst), [s], [sh], [m], and none."""


@dataclass(frozen=True)
class Syllable:
    """A consonant and the vowel after it."""

    consonant: str
    vowel: str


def draw_sentence(seed: int, number: int) -> tuple[Syllable, ...]:
    """Syllables of one sentence; longer clips repeat them.

    Every sentence contains each vowel once, so that the sentence hardly changes the average
    spectrum of a clip.

    Examples
    --------
    >>> len(draw_sentence(0, 1))
    7
    """
    rng = generator_for(seed, "sentence", str(number))
    vowels = rng.permutation(tuple(VOWELS_HZ))
    consonants = rng.permutation((CONSONANTS + CONSONANTS[2:])[: len(vowels)])
    return tuple(map(Syllable, map(str, consonants), map(str, vowels)))


TICKS_PER_S = 200
"""Articulation and voice are planned in steps of 5 ms."""

_LEAD_S, _TAIL_S = 0.12, 0.15  # silence before and after the speech
_CONSONANT_SHARE = {"stop": 0.32, "hiss": 0.38, "hush": 0.38, "nasal": 0.32, "none": 0.0}
_NASAL_HZ = (270.0, 1000.0, 2200.0)  # formants of [m], Klatt 1980, Table II, rounded


@dataclass(frozen=True)
class Articulation:
    """Tracks in steps of 5 ms; shapes are (ticks,) unless said otherwise.

    Parameters
    ----------
    formants_hz : np.ndarray [shape=(ticks, 3)]
        For an average man's vocal tract.
    voicing, hiss, hush : np.ndarray
        Amplitudes, 0 to 1, of the glottal source and of two kinds of friction noise.
    aperture, rounding : np.ndarray
        How far the mouth is open, and how rounded the lips are, 0 to 1.
    speaking : np.ndarray of bool
        False in the silences before and after.
    """

    formants_hz: np.ndarray
    voicing: np.ndarray
    hiss: np.ndarray
    hush: np.ndarray
    aperture: np.ndarray
    rounding: np.ndarray
    speaking: np.ndarray


def articulate(
    sentence: Sequence[Syllable], rate_syllables_per_s: np.ndarray, rng: np.random.Generator
) -> Articulation:
    """Articulate a sentence at a varying rate, repeated until the clip is full.

    Parameters
    ----------
    sentence : sequence of Syllable
    rate_syllables_per_s : np.ndarray [shape=(ticks,)]
        Positive; its length is the length of the clip.
    rng : np.random.Generator
        Varies duration and loudness of each syllable.

    Returns
    -------
    Articulation
    """
    ticks = len(rate_syllables_per_s)
    formants = np.full((ticks, 3), (500.0, 1500.0, 2500.0))
    tracks = {name: np.zeros(ticks) for name in ("voicing", "hiss", "hush", "open", "round")}
    speaking = np.zeros(ticks, dtype=bool)
    end = ticks - int(_TAIL_S * TICKS_PER_S)
    start, spoken = int(_LEAD_S * TICKS_PER_S), 0
    while start < end:
        syllable = sentence[spoken % len(sentence)]
        length_s = rng.normal(1, 0.12) / rate_syllables_per_s[start]
        stop = min(end, start + max(16, round(length_s * TICKS_PER_S)))
        _say(syllable, slice(start, stop), rng.uniform(0.75, 1.0), formants, tracks)
        speaking[start:stop] = True
        start, spoken = stop, spoken + 1
    # Tongue and lips move slowly: formants change over about 20 ms, loudness over about 10 ms.
    return Articulation(
        formants_hz=gaussian_filter1d(formants, 3.5, axis=0),
        voicing=gaussian_filter1d(tracks["voicing"], 2.0),
        hiss=gaussian_filter1d(tracks["hiss"], 1.5),
        hush=gaussian_filter1d(tracks["hush"], 1.5),
        aperture=gaussian_filter1d(tracks["open"], 6.0),
        rounding=gaussian_filter1d(tracks["round"], 8.0),
        speaking=speaking,
    )


def _say(
    syllable: Syllable,
    where: slice,
    stress: float,
    formants: np.ndarray,
    tracks: dict[str, np.ndarray],
) -> None:
    length = where.stop - where.start
    vowel_start = where.start + round(_CONSONANT_SHARE[syllable.consonant] * length)
    consonant, vowel = slice(where.start, vowel_start), slice(vowel_start, where.stop)
    first_hz, second_hz, _ = VOWELS_HZ[syllable.vowel]
    formants[where] = VOWELS_HZ[syllable.vowel]
    tracks["voicing"][vowel] = stress
    tracks["open"][vowel] = stress * np.interp(first_hz, (270, 730), (0.3, 1.0))
    # Back vowels other than [a] are rounded.
    tracks["round"][vowel] = float(second_hz < 1050 and first_hz < 600)
    if syllable.consonant in ("hiss", "hush"):
        tracks[syllable.consonant][consonant] = 1.0
        tracks["open"][consonant] = 0.12
    elif syllable.consonant == "nasal":
        tracks["voicing"][consonant] = 0.35
        formants[consonant] = _NASAL_HZ
    elif syllable.consonant == "stop":
        tracks["hush"][max(where.start, vowel_start - 3) : vowel_start] = 1.0


_STRENGTHS = {"normal": 0.8, "strong": 1.2}


@dataclass(frozen=True)
class Performance:
    """Tracks of one clip; ticks are 5 ms long, frames are video frames.

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
        Head: right and down (share of the frame), roll, yaw and pitch (radians).
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
        """Number of video frames."""
        return len(self.units)


def plan_performance(
    speaker: Speaker,
    emotion: str,
    intensity: str,
    sentence: Sequence[Syllable],
    settings: SynthesisSettings,
    rng: np.random.Generator,
) -> Performance:
    """Plan all tracks of one clip.

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

    def per_frame(track: np.ndarray) -> np.ndarray:
        return np.interp(at_frames, np.arange(ticks), track)

    loudness = per_frame(
        articulation.aperture * 10 ** (traits[:, VOICE_TRAITS.index("level_db")] / 40)
    )
    units = speaker.face.resting_units + per_frame(cue)[:, None] * face
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
        rounding=per_frame(articulation.rounding),
    )


def _cue(
    settings: SynthesisSettings, duration_s: float, ticks: int, rng: np.random.Generator
) -> np.ndarray:
    # Drawn in both cases, so that two corpora of one seed differ in the cue only.
    center_s = rng.uniform(settings.moment_s / 2, duration_s - settings.moment_s / 2)
    if settings.cue == "whole":
        return np.ones(ticks)
    distance_s = np.abs(np.arange(ticks) / TICKS_PER_S - center_s)
    flank_s = 0.08  # about the time a face needs to change
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
    for center_s in rng.uniform(0, frames / fps, blinks):
        lids = np.maximum(lids, np.clip(1.4 - np.abs(time_s - center_s) / 0.07, 0, 1))
    return lids
