"""`Speaker`: an invented person's face, voice and habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.synthesis.expression import ACTION_UNIT_SPREAD, VOICE_SPREAD
from aver.synthesis.randomness import generator_for

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

_SKINS: tuple[Colour, ...] = (
    (246, 214, 190), (236, 196, 166), (224, 178, 142), (204, 156, 118),
    (178, 128, 92), (150, 104, 74), (120, 82, 60),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (30, 24, 22), (52, 36, 28), (84, 56, 36), (128, 84, 46),
    (176, 134, 80), (206, 172, 116), (150, 70, 40), (142, 140, 138),
)  # fmt: skip
_IRISES: tuple[Colour, ...] = (
    (92, 58, 32), (66, 42, 28), (78, 108, 140), (88, 116, 84), (110, 92, 56),
)  # fmt: skip
_SHIRTS: tuple[Colour, ...] = (
    (60, 84, 120), (138, 60, 60), (70, 100, 80), (60, 60, 66), (190, 180, 160), (120, 90, 130),
)  # fmt: skip


@dataclass(frozen=True)
class Face:
    """Shape, colours and habits of a face; lengths are ratios to the average face."""

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
    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
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
    """What a speaker's voice is like without any emotion."""

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
        """How this speaker departs from the common way of showing an emotion.

        Returns
        -------
        np.ndarray [shape=(11,)], np.ndarray [shape=(9,)]
            To be added to the action units and to the voice traits. Everybody's neutral is their
            resting face and voice, so there both are zero.
        """
        if emotion == "neutral":
            return np.zeros(len(ACTION_UNIT_SPREAD)), np.zeros(len(VOICE_SPREAD))
        rng = generator_for(self.seed, "speaker", self.name, emotion)
        units = rng.standard_normal(len(ACTION_UNIT_SPREAD)) * ACTION_UNIT_SPREAD
        traits = rng.standard_normal(len(VOICE_SPREAD)) * VOICE_SPREAD
        return units, traits


def draw_speaker(seed: int, number: int) -> Speaker:
    """Invent the speaker of this number.

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
    def around(mean: float, deviation: float) -> float:
        return float(
            np.clip(rng.normal(mean, deviation), mean - 2 * deviation, mean + 2 * deviation)
        )

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
        # Fair hair comes with fair skin; grey with any.
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
