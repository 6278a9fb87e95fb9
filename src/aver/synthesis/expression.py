"""How each emotion shows in a face and sounds in a voice, before any speaker makes it their own.

The tables are built so that some pairs of emotions lie close together in the face (sad and
fearful, angry and disgust) and other pairs in the voice (happy and angry, sad and disgust):
neither modality is enough alone, and the two complement one another.
"""

from __future__ import annotations

import numpy as np

ACTION_UNITS: tuple[str, ...] = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU12", "AU15", "AU20", "AU25", "AU26",
)  # fmt: skip
"""Inner and outer brow raiser, brow lowerer, upper lid raiser, cheek raiser, lid tightener, lip
corner puller and depressor, lip stretcher, lips part, jaw drop. Intensities run from 0 to 5.

Source: Ekman & Friesen, Facial Action Coding System, 1978; the range is that of OpenFace 2.
"""

VOICE_TRAITS: tuple[str, ...] = (
    "pitch_semitones",
    "range_log2",
    "slope_semitones_per_s",
    "rate_log2",
    "level_db",
    "tilt_db",
    "jitter_percent",
    "breath",
    "formants_percent",
)
"""What an emotion changes in a voice, as differences from the speaker's neutral one.

Level and spectral tilt (attenuation at 3 kHz, positive is duller) in dB; `breath` is the share of
aspiration noise; `range_log2` and `rate_log2` double the pitch range and the speaking rate at 1.
"""

_FACES = {
    "neutral": {},
    "calm": {"AU12": 1.0, "AU07": 0.6},
    "happy": {"AU06": 3.4, "AU12": 4.0, "AU25": 1.6},
    "sad": {"AU01": 3.4, "AU04": 2.6, "AU15": 3.0},
    "fearful": {"AU01": 3.6, "AU02": 0.8, "AU04": 2.5, "AU05": 0.9, "AU15": 1.8, "AU20": 1.3},
    "angry": {"AU04": 4.0, "AU05": 0.5, "AU07": 3.2, "AU15": 0.6},
    "disgust": {"AU04": 3.7, "AU06": 0.6, "AU07": 3.4, "AU15": 1.4},
    "surprised": {"AU01": 3.7, "AU02": 4.0, "AU05": 3.4, "AU25": 1.8, "AU26": 2.5},
}

# Directions follow the review table of Scherer, "Vocal communication of emotion", Speech
# Communication 40 (2003); the sizes are chosen for the overlap described above.
_VOICES = {
    "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "calm": (-1.9, -0.57, 0.0, -0.23, -3.8, 3.8, 0.0, 0.10, 0.0),
    "happy": (6.8, 1.0, 1.1, 0.19, 6.6, -5.7, 0.57, 0.0, 3.8),
    "angry": (6.1, 0.85, -0.76, 0.23, 8.0, -7.2, 1.3, 0.0, 0.95),
    "sad": (-3.4, -0.95, -2.3, -0.53, -6.8, 7.6, 0.38, 0.27, -1.9),
    "disgust": (-3.8, -0.66, -3.0, -0.42, -5.3, 5.7, 1.1, 0.19, -3.0),
    "fearful": (8.0, -0.66, 0.76, 0.57, -0.95, 0.95, 2.5, 0.30, 2.3),
    "surprised": (9.5, 1.5, 4.8, 0.10, 2.8, -2.8, 0.19, 0.15, 1.9),
}

ACTION_UNIT_SPREAD: np.ndarray = np.array([1.8, 1.6, 1.9, 1.4, 1.6, 1.7, 1.8, 1.6, 1.6, 1.1, 0.9])
"""Standard deviation between speakers' own ways of one emotion, in AU intensity."""

VOICE_SPREAD: np.ndarray = np.array([3.4, 0.7, 2.8, 0.32, 4.6, 5.0, 0.9, 0.11, 2.8])
"""The same for the voice, in the units of `VOICE_TRAITS`."""

SCATTER = 0.12
"""Deviation between performances of one emotion by one speaker, at noise 1, as a share of the
spread between speakers. Small, because an actor repeats what once felt right: this is what lets a
random split score on what it has learned by heart."""


def face_of(emotion: str) -> np.ndarray:
    """Action-unit intensities of an emotion at full strength.

    Returns
    -------
    np.ndarray [shape=(11,)]
        In the order of `ACTION_UNITS`, 0 to 5.

    Examples
    --------
    >>> face_of("happy")[ACTION_UNITS.index("AU12")]
    np.float64(4.0)
    """
    return np.array([_FACES[emotion].get(unit, 0.0) for unit in ACTION_UNITS])


def voice_of(emotion: str) -> np.ndarray:
    """Voice traits of an emotion at full strength.

    Returns
    -------
    np.ndarray [shape=(9,)]
        In the order and units of `VOICE_TRAITS`.
    """
    return np.array(_VOICES[emotion])
