"""What the mouth does while a sentence is said: timing, formants, voicing and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from aver.synthesis.sentence import VOWELS_HZ, Syllable

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
    """Say a sentence at a rate that may change, again and again until the time is full.

    Parameters
    ----------
    sentence : sequence of Syllable
    rate_syllables_per_s : np.ndarray [shape=(ticks,)]
        Above 0; its length is the length of the clip.
    rng : np.random.Generator
        Varies the length and the loudness of each syllable.

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
    # Tongue and lips are slow: formants glide over some 20 ms, loudness over some 10 ms.
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
    # Back vowels other than [a] are said with rounded lips.
    tracks["round"][vowel] = float(second_hz < 1050 and first_hz < 600)
    if syllable.consonant in ("hiss", "hush"):
        tracks[syllable.consonant][consonant] = 1.0
        tracks["open"][consonant] = 0.12
    elif syllable.consonant == "nasal":
        tracks["voicing"][consonant] = 0.35
        formants[consonant] = _NASAL_HZ
    elif syllable.consonant == "stop":
        tracks["hush"][max(where.start, vowel_start - 3) : vowel_start] = 1.0
