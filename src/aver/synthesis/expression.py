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
    "calm": {"AU12": 0.7, "AU07": 0.4},
    "happy": {"AU06": 2.2, "AU12": 2.6, "AU25": 1.0},
    "sad": {"AU01": 2.2, "AU04": 1.7, "AU15": 1.9},
    "fearful": {"AU01": 2.3, "AU02": 0.5, "AU04": 1.6, "AU05": 0.6, "AU15": 1.2, "AU20": 0.8},
    "angry": {"AU04": 2.6, "AU05": 0.3, "AU07": 2.1, "AU15": 0.4},
    "disgust": {"AU04": 2.4, "AU06": 0.4, "AU07": 2.2, "AU15": 0.9},
    "surprised": {"AU01": 2.4, "AU02": 2.6, "AU05": 2.2, "AU25": 1.2, "AU26": 1.6},
}

# Directions follow the review table of Scherer, "Vocal communication of emotion", Speech
# Communication 40 (2003); the sizes are chosen for the overlap described above.
_VOICES = {
    "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "calm": (-1.0, -0.3, 0.0, -0.12, -2.0, 2.0, 0.0, 0.05, 0.0),
    "happy": (3.6, 0.55, 0.6, 0.10, 3.5, -3.0, 0.3, 0.00, 2.0),
    "angry": (3.2, 0.45, -0.4, 0.12, 4.2, -3.8, 0.7, 0.00, 0.5),
    "sad": (-1.8, -0.50, -1.2, -0.28, -3.6, 4.0, 0.2, 0.14, -1.0),
    "disgust": (-2.0, -0.35, -1.6, -0.22, -2.8, 3.0, 0.6, 0.10, -1.6),
    "fearful": (4.2, -0.35, 0.4, 0.30, -0.5, 0.5, 1.3, 0.16, 1.2),
    "surprised": (5.0, 0.80, 2.5, 0.05, 1.5, -1.5, 0.1, 0.08, 1.0),
}

ACTION_UNIT_SCATTER: np.ndarray = np.array(
    [0.8, 0.7, 0.85, 0.6, 0.7, 0.75, 0.8, 0.7, 0.7, 0.5, 0.4]
)
"""Standard deviation between performances of one emotion, at noise 1, in AU intensity."""

VOICE_SCATTER: np.ndarray = np.array([1.5, 0.3, 1.2, 0.14, 2.0, 2.2, 0.4, 0.05, 1.2])
"""The same for the voice, in the units of `VOICE_TRAITS`."""


def face_of(emotion: str) -> np.ndarray:
    """Action-unit intensities of an emotion at full strength.

    Returns
    -------
    np.ndarray [shape=(11,)]
        In the order of `ACTION_UNITS`, 0 to 5.

    Examples
    --------
    >>> face_of("happy")[ACTION_UNITS.index("AU12")]
    np.float64(2.6)
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
