"""`Degradation`: a way in which media get worse, and how far; `DEGRADATIONS` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.errors import SettingsError

Level = float | str
"""How far: a number in the degradation's unit, or the name of a modality."""


@dataclass(frozen=True)
class Degradation:
    """One kind of damage.

    Parameters
    ----------
    name : str
    title : str
        For headings.
    along : str
        What its levels are, with the unit.
    touches : {"audio", "video", "any"}
        Systems that do not look at this are not affected; ``"any"``: one modality among several.
    levels : tuple of float or str
        The usual ones, from little damage to much.
    none : float or None
        The level that means no damage, where there is one.
    """

    name: str
    title: str
    along: str
    touches: Literal["audio", "video", "any"]
    levels: tuple[Level, ...]
    none: float | None = None

    def read_level(self, word: str) -> Level:
        """A level as somebody types it.

        Raises
        ------
        SettingsError
            If it is none.

        Examples
        --------
        >>> degradation("blur").read_level("1.5")
        1.5
        """
        if self.name == "lost-modality":
            if word in self.levels:
                return word
            known = ", ".join(map(str, self.levels))
            raise SettingsError(f"{self.name} has no level {word!r}. Choose among {known}.")
        try:
            level = float(word)
        except ValueError:
            raise SettingsError(f"A level of {self.name} is a number, not {word!r}.") from None
        lowest, highest = _RANGES[self.name]
        if not lowest <= level <= highest:
            raise SettingsError(
                f"A level of {self.name} ({self.along}) lies between {lowest:g} and {highest:g}; "
                f"{level:g} does not."
            )
        return level


_RANGES = {
    "white-noise": (-60.0, 100.0),
    "babble": (-60.0, 100.0),
    "blur": (0.0, 50.0),
    "low-light": (0.0, 16.0),
    "occlusion": (0.0, 100.0),
    "dropped-frames": (0.0, 100.0),
    "offset": (-10.0, 10.0),
}

_SNR = "signal-to-noise ratio in dB"
_SNR_LEVELS_DB = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)

DEGRADATIONS = (
    Degradation("white-noise", "White noise in the sound", _SNR, "audio", _SNR_LEVELS_DB),
    Degradation("babble", "Babble of other clips in the sound", _SNR, "audio", _SNR_LEVELS_DB),
    Degradation(
        "blur",
        "Blurred pictures",
        "standard deviation of the blur in % of the picture's height",
        "video",
        (0.5, 1.0, 2.0, 4.0),
        none=0.0,
    ),
    Degradation(
        "low-light",
        "Little light",
        "stops of light missing (each halves it)",
        "video",
        (1.0, 2.0, 4.0, 6.0),
        none=0.0,
    ),
    Degradation(
        "occlusion",
        "Face covered from the chin up",
        "share of the face covered in %",
        "video",
        (25.0, 50.0, 75.0),
        none=0.0,
    ),
    Degradation(
        "dropped-frames",
        "Dropped frames (the last one stays on display)",
        "share of the frames dropped in %",
        "video",
        (25.0, 50.0, 75.0, 90.0),
        none=0.0,
    ),
    Degradation(
        "lost-modality",
        "One modality lost",
        "modality lost",
        "any",
        ("audio", "video", "action_units"),
    ),
    Degradation(
        "offset",
        "Sound and picture apart",
        "sound taken later than the picture, in s",
        "audio",
        (-1.0, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 1.0),
        none=0.0,
    ),
)
"""All kinds, in the order of reports."""


def degradation(name: str) -> Degradation:
    """The kind of this name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    for kind in DEGRADATIONS:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in DEGRADATIONS)
    raise SettingsError(f"There is no degradation {name!r}. Choose among {known}.")


def add_noise(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Mix noise into sound so that their mean powers have the ratio wanted.

    Parameters
    ----------
    audio, noise : np.ndarray [shape=(samples,), dtype=float32]
        At the same rate; the ratio holds over the band up to half of it.
    snr_db : float
        ``10 log10(power of audio / power of noise)``, over the whole clip.

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]
        May exceed -1..1: it is not clipped, so that the noise is what was asked for. Silence, and
        sound with noise of no power, stay as they are.

    Raises
    ------
    SettingsError
        If the lengths differ.

    Examples
    --------
    >>> audio, noise = np.full(4, 0.5, np.float32), np.array([1, -1, 1, -1], np.float32)
    >>> (add_noise(audio, noise, 0.0) - audio).tolist()
    [0.5, -0.5, 0.5, -0.5]
    """
    if audio.shape != noise.shape:
        raise SettingsError(f"Sound has {audio.size} samples and noise {noise.size}.")
    loudness, disturbance = _power(audio), _power(noise)
    if loudness == 0.0 or disturbance == 0.0:
        return audio.copy()
    gain = np.sqrt(loudness / disturbance / 10 ** (snr_db / 10))
    return (audio + gain * noise).astype(np.float32)


def white_noise(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Gaussian noise of power 1, alike at all frequencies; float32 (samples,)."""
    return generator.standard_normal(samples, dtype=np.float32)


def babble(
    voices: Sequence[np.ndarray], samples: int, generator: np.random.Generator
) -> np.ndarray:
    """Several voices at once, equally loud, each from a random place on and repeated if short.

    Parameters
    ----------
    voices : sequence of np.ndarray [shape=(n,)]
        Sound of other clips, at the same rate.
    samples : int
        Length of the result.
    generator : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]

    Raises
    ------
    SettingsError
        If no voice has any sound.
    """
    heard = [voice for voice in voices if voice.size and _power(voice) > 0]
    if not heard:
        raise SettingsError("Babble needs at least one other clip with sound.")
    mixed = np.zeros(samples)
    for voice in heard:
        start = int(generator.integers(voice.size))
        mixed += np.take(voice, np.arange(start, start + samples), mode="wrap") / np.sqrt(
            _power(voice)
        )
    return mixed.astype(np.float32)


def _power(audio: np.ndarray) -> float:
    return float(np.mean(np.square(audio, dtype=np.float64))) if audio.size else 0.0


_FULL_WELL = 2000.0  # photo-electrons at white: a phone's camera at a high gain
_READ_NOISE = 3.0  # photo-electrons, standard deviation
_GRAY = 128


def blur(image: np.ndarray, percent: float) -> np.ndarray:
    """Blur by a Gaussian.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    percent : float >= 0
        Standard deviation in percent of the picture's height, so that pictures of all sizes lose
        alike.
    """
    import cv2

    deviation_px = percent / 100 * image.shape[0]
    if deviation_px <= 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), deviation_px)


def darken(image: np.ndarray, stops: float, generator: np.random.Generator) -> np.ndarray:
    """Take the picture with less light: every stop halves it, and the sensor's noise remains.

    The picture is brought to linear light (sRGB), scaled, given the noise of counting photons
    (2,000 of them at white, normal approximation) and of reading the sensor, and coded again in
    8 bits. Nothing brightens it afterwards.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    stops : float >= 0
    generator : np.random.Generator

    Notes
    -----
    Source: IEC 61966-2-1 (sRGB); EMVA Standard 1288, release 3.1, section 2 (sensor noise).
    """
    if stops <= 0:
        return image
    codes = np.arange(256) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    electrons = (_FULL_WELL * linear / 2**stops).astype(np.float32)
    std = np.sqrt(electrons + _READ_NOISE**2)
    noise = generator.standard_normal(image.shape, dtype=np.float32)
    counted = np.take(electrons, image) + np.take(std, image) * noise
    light = np.clip(counted / _FULL_WELL, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * coded).astype(np.uint8)


def cover(image: np.ndarray, box: np.ndarray, percent: float) -> np.ndarray:
    """Hold something grey before the face, from the chin up.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    box : np.ndarray [shape=(4,)]
        Left, top, right, bottom of the face in pixels; NaN leaves the picture as it is.
    percent : float, 0 to 100
        Share of the box's height that is covered.
    """
    if percent <= 0 or np.isnan(box).any():
        return image
    left, top, right, bottom = box
    upper = bottom - percent / 100 * (bottom - top)
    rows = slice(max(0, round(float(upper))), max(0, round(float(bottom))))
    columns = slice(max(0, round(float(left))), max(0, round(float(right))))
    covered = image.copy()
    covered[rows, columns] = _GRAY
    return covered
