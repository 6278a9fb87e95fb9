"""Invented speakers: face, voice, habits, their way of each emotion, and recording sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.synthesis.settings import generator_for

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
"""Standard deviation between speakers of one emotion, in AU intensity."""

VOICE_SPREAD: np.ndarray = np.array([3.4, 0.7, 2.8, 0.32, 4.6, 5.0, 0.9, 0.11, 2.8])
"""The same for the voice, in the units of `VOICE_TRAITS`."""

SCATTER = 0.12
"""Standard deviation between performances of one emotion by one speaker at noise 1, as a share of
the standard deviation between speakers. It is small, as with actors: a model can memorize a
speaker's way of an emotion, which a random split rewards."""


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


Color = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

_SKINS: tuple[Color, ...] = (
    (246, 214, 190), (236, 196, 166), (224, 178, 142), (204, 156, 118),
    (178, 128, 92), (150, 104, 74), (120, 82, 60),
)  # fmt: skip
_HAIRS: tuple[Color, ...] = (
    (30, 24, 22), (52, 36, 28), (84, 56, 36), (128, 84, 46),
    (176, 134, 80), (206, 172, 116), (150, 70, 40), (142, 140, 138),
)  # fmt: skip
_IRISES: tuple[Color, ...] = (
    (92, 58, 32), (66, 42, 28), (78, 108, 140), (88, 116, 84), (110, 92, 56),
)  # fmt: skip
_SHIRTS: tuple[Color, ...] = (
    (60, 84, 120), (138, 60, 60), (70, 100, 80), (60, 60, 66), (190, 180, 160), (120, 90, 130),
)  # fmt: skip


@dataclass(frozen=True)
class Face:
    """Shape, colors and habits of a face; lengths are ratios to the average face."""

    width: float
    height: float
    jaw: float
    """Width of the jaw relative to the cheeks."""
    eye_size: float
    eye_distance: float
    eye_tilt: float
    brow_height: float
    brow_thickness: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lip_thickness: float
    skin: Color
    hair: Color
    iris: Color
    shirt: Color
    hair_style: str
    """``"short"``, ``"side"``, ``"curly"``, ``"long"``, ``"bob"`` or ``"bun"``."""
    beard: float
    """0 (shaven) to 1 (full)."""
    glasses: bool
    blinks_per_s: float
    nod: float
    """How much the head follows the speech."""
    resting_units: np.ndarray
    """Action units of the face at rest, shape (11,)."""


@dataclass(frozen=True)
class Voice:
    """A speaker's neutral voice."""

    pitch_hz: float
    pitch_range_semitones: float
    formant_scale: float
    """Inverse of the vocal tract's length, relative to an average man's."""
    rate_syllables_per_s: float
    tilt_db: float
    """Attenuation at 3 kHz."""
    jitter_percent: float
    breath: float


@dataclass(frozen=True)
class Speaker:
    """A person of the corpus.

    Parameters
    ----------
    name : str
        For instance ``"s01"``.
    sex : {"female", "male"}
    face, voice : Face, Voice
    expressivity : (float, float)
        Strength of the emotions in face and voice; 1 is average.
    seed : int
        The corpus seed, from which `idiosyncrasy` draws.
    """

    name: str
    sex: str
    face: Face
    voice: Voice
    expressivity: tuple[float, float]
    seed: int

    def idiosyncrasy(self, emotion: str) -> tuple[np.ndarray, np.ndarray]:
        """How this speaker differs from the average way of showing an emotion.

        Returns
        -------
        np.ndarray [shape=(11,)], np.ndarray [shape=(9,)]
            To be added to the action units and to the voice traits; zero for neutral, which is
            the resting face and voice.
        """
        if emotion == "neutral":
            return np.zeros(len(ACTION_UNIT_SPREAD)), np.zeros(len(VOICE_SPREAD))
        rng = generator_for(self.seed, "speaker", self.name, emotion)
        units = rng.standard_normal(len(ACTION_UNIT_SPREAD)) * ACTION_UNIT_SPREAD
        traits = rng.standard_normal(len(VOICE_SPREAD)) * VOICE_SPREAD
        return units, traits


def draw_speaker(seed: int, number: int) -> Speaker:
    """Draw the speaker with this number.

    Parameters
    ----------
    seed : int
        The corpus seed.
    number : int >= 1
        Odd numbers are women, even numbers men.

    Examples
    --------
    >>> draw_speaker(0, 1).name, draw_speaker(0, 1).sex, draw_speaker(0, 2).sex
    ('s01', 'female', 'male')
    """
    name = f"s{number:02d}"
    female = number % 2 == 1
    rng = generator_for(seed, "speaker", name)
    expressivity = tuple(float(np.clip(rng.normal(1, 0.15), 0.6, 1.4)) for _ in range(2))
    return Speaker(
        name=name,
        sex="female" if female else "male",
        face=_draw_face(rng, female),
        voice=_draw_voice(rng, female),
        expressivity=(expressivity[0], expressivity[1]),
        seed=seed,
    )


def _draw_face(rng: np.random.Generator, female: bool) -> Face:
    def around(mean: float, std: float) -> float:
        return float(np.clip(rng.normal(mean, std), mean - 2 * std, mean + 2 * std))

    styles = ("long", "bob", "bun", "curly") if female else ("short", "side", "curly", "short")
    complexion = int(rng.integers(len(_SKINS)))
    return Face(
        width=around(0.97 if female else 1.02, 0.04),
        height=around(1.0, 0.04),
        jaw=around(0.72 if female else 0.82, 0.05),
        eye_size=around(1.08 if female else 1.0, 0.07),
        eye_distance=around(1.0, 0.04),
        eye_tilt=around(0.06, 0.05),
        brow_height=around(1.0, 0.12),
        brow_thickness=around(0.75 if female else 1.1, 0.15),
        nose_length=around(1.0, 0.08),
        nose_width=around(0.9 if female else 1.05, 0.08),
        mouth_width=around(1.0, 0.08),
        lip_thickness=around(1.1 if female else 0.9, 0.14),
        skin=_SKINS[complexion],
        # Fair hair occurs with fair skin only, gray hair with any skin.
        hair=_HAIRS[rng.choice([0, 1, 2, 7] if complexion > 3 else len(_HAIRS))],
        iris=_IRISES[rng.integers(len(_IRISES))],
        shirt=_SHIRTS[rng.integers(len(_SHIRTS))],
        hair_style=styles[rng.integers(len(styles))],
        beard=0.0 if female or rng.random() < 0.55 else float(rng.uniform(0.3, 0.9)),
        glasses=bool(rng.random() < 0.2),
        blinks_per_s=float(rng.uniform(0.15, 0.5)),
        nod=float(rng.uniform(0.4, 1.6)),
        resting_units=np.clip(rng.normal(0.15, 0.45, len(ACTION_UNIT_SPREAD)), 0, 1.4),
    )


def _draw_voice(rng: np.random.Generator, female: bool) -> Voice:
    # Average pitch and the ratio of the sexes' formants: Peterson & Barney 1952, Table II.
    return Voice(
        pitch_hz=float((200 if female else 122) * 2 ** (np.clip(rng.normal(), -2, 2) * 2.2 / 12)),
        pitch_range_semitones=float(rng.uniform(1.6, 2.8)),
        formant_scale=float(
            (1.16 if female else 1.0) * np.exp(np.clip(rng.normal(), -2, 2) * 0.04)
        ),
        rate_syllables_per_s=float(rng.uniform(3.8, 5.2)),
        tilt_db=float(rng.uniform(8, 12)),
        jitter_percent=float(rng.uniform(0.3, 0.9)),
        breath=float(rng.uniform(0.02, 0.10)),
    )


@dataclass(frozen=True)
class Session:
    """Recording conditions that the clips of one speaker in one emotion share.

    Corpora are often recorded emotion by emotion. With a random split a model can recognize the
    session instead of the emotion; with a speaker-independent split it cannot.

    Parameters
    ----------
    wall : np.ndarray [shape=(3,)]
        Color behind the speaker, BGR, 0 to 255.
    light : np.ndarray [shape=(3,)]
        Gain of each color channel; 1 is neutral.
    distance : float
        From the camera; 1 is average.
    level_db : float
        Of the recording.
    microphone : float in (-1, 1)
        Coefficient of a first-order filter; positive values attenuate high frequencies.
    """

    wall: np.ndarray
    light: np.ndarray
    distance: float
    level_db: float
    microphone: float


def draw_session(seed: int, speaker: str, emotion: str, noise: float) -> Session:
    """Draw a session; at noise 0 sessions differ in the color of the wall only."""
    rng = generator_for(seed, "session", speaker, emotion)
    steps = np.clip(rng.standard_normal(7), -2, 2)
    return Session(
        wall=rng.uniform(110, 190) + rng.uniform(-15, 15, 3),
        light=(1 + noise * 0.09 * steps[0]) * (1 + noise * 0.03 * steps[1:4]),
        distance=1 + min(noise, 2.0) * 0.03 * steps[4],
        level_db=noise * 1.5 * steps[5],
        microphone=float(np.clip(noise * 0.12 * steps[6], -0.6, 0.6)),
    )
