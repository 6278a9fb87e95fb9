"""Degradations of audio and video: what they do, and the table `DEGRADATIONS` of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.errors import SettingsError

Level = float | str
"""Strength of a degradation: a number in its unit, or the name of a modality."""


@dataclass(frozen=True)
class Degradation:
    """One kind of degradation.

    Parameters
    ----------
    name : str
    title : str
        For headings.
    along : str
        Meaning of the levels, with the unit.
    modality : {"audio", "video", "any"}
        What is degraded. Systems that do not use it are not affected; ``"any"`` is one of several
        modalities.
    levels : tuple of float or str
        Default levels, from little to strong degradation.
    range : (float, float) or None
        Lowest and highest level; None if levels are names of modalities.
    none : float or None
        The level without degradation, if there is one.
    """

    name: str
    title: str
    along: str
    modality: Literal["audio", "video", "any"]
    levels: tuple[Level, ...]
    range: tuple[float, float] | None = None
    none: float | None = None

    def read_level(self, text: str) -> Level:
        """Parse a level.

        Raises
        ------
        SettingsError
            If it is not a level of this kind, or out of range.

        Examples
        --------
        >>> degradation("blur").read_level("1.5")
        1.5
        """
        if self.range is None:
            if text in self.levels:
                return text
            names = ", ".join(map(str, self.levels))
            raise SettingsError(f"{self.name} has no level {text!r}. Choose among {names}.")
        try:
            level = float(text)
        except ValueError:
            raise SettingsError(f"A level of {self.name} is a number, not {text!r}.") from None
        lowest, highest = self.range
        if not lowest <= level <= highest:
            raise SettingsError(
                f"A level of {self.name} ({self.along}) lies between {lowest:g} and {highest:g}; "
                f"{level:g} does not."
            )
        return level


_SNR = "signal-to-noise ratio in dB"
_SNR_LEVELS_DB = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)
_SNR_RANGE_DB = (-60.0, 100.0)

DEGRADATIONS = (
    Degradation("white-noise", "White noise", _SNR, "audio", _SNR_LEVELS_DB, _SNR_RANGE_DB),
    Degradation("babble", "Babble of other clips", _SNR, "audio", _SNR_LEVELS_DB, _SNR_RANGE_DB),
    Degradation(
        "blur",
        "Blurred video",
        "standard deviation of the blur in % of the image height",
        "video",
        (0.5, 1.0, 2.0, 4.0),
        range=(0.0, 50.0),
        none=0.0,
    ),
    Degradation(
        "low-light",
        "Low light",
        "stops of light missing (each halves it)",
        "video",
        (1.0, 2.0, 4.0, 6.0),
        range=(0.0, 16.0),
        none=0.0,
    ),
    Degradation(
        "occlusion",
        "Face covered from the chin up",
        "share of the face covered in %",
        "video",
        (25.0, 50.0, 75.0),
        range=(0.0, 100.0),
        none=0.0,
    ),
    Degradation(
        "dropped-frames",
        "Dropped frames (the last one stays on display)",
        "share of the frames dropped in %",
        "video",
        (25.0, 50.0, 75.0, 90.0),
        range=(0.0, 100.0),
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
        "Audio and video out of sync",
        "audio taken later than the video, in s",
        "audio",
        (-1.0, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 1.0),
        range=(-10.0, 10.0),
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
    names = ", ".join(kind.name for kind in DEGRADATIONS)
    raise SettingsError(f"There is no degradation {name!r}. Choose among {names}.")


def add_noise(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise to audio at a given signal-to-noise ratio.

    Parameters
    ----------
    audio, noise : np.ndarray [shape=(samples,), dtype=float32]
        At the same rate; the ratio refers to frequencies up to half of it.
    snr_db : float
        ``10 log10(power of audio / power of noise)``, over the whole clip.

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]
        May exceed -1..1: it is not clipped, so that the ratio holds. Silence, and audio with noise
        of zero power, are returned unchanged.

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
        raise SettingsError(f"The audio has {audio.size} samples and the noise {noise.size}.")
    signal_power, noise_power = _power(audio), _power(noise)
    if signal_power == 0.0 or noise_power == 0.0:
        return audio.copy()
    gain = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    return (audio + gain * noise).astype(np.float32)


def white_noise(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Gaussian noise of power 1 with a flat spectrum; float32 (samples,)."""
    return generator.standard_normal(samples, dtype=np.float32)


def babble(
    voices: Sequence[np.ndarray], samples: int, generator: np.random.Generator
) -> np.ndarray:
    """Several voices at once, equally loud, each from a random start and repeated if too short.

    Parameters
    ----------
    voices : sequence of np.ndarray [shape=(n,)]
        Audio of other clips, at the same rate.
    samples : int
        Length of the result.
    generator : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]

    Raises
    ------
    SettingsError
        If all voices are silent.
    """
    voices = [voice for voice in voices if voice.size and _power(voice) > 0]
    if not voices:
        raise SettingsError("Babble needs at least one other clip with audio.")
    mixed = np.zeros(samples)
    for voice in voices:
        start = int(generator.integers(voice.size))
        mixed += np.take(voice, np.arange(start, start + samples), mode="wrap") / np.sqrt(
            _power(voice)
        )
    return mixed.astype(np.float32)


def _power(audio: np.ndarray) -> float:
    return float(np.mean(np.square(audio, dtype=np.float64))) if audio.size else 0.0


_FULL_WELL = 2000.0  # photo-electrons at white: a phone camera at high gain
_READ_NOISE = 3.0  # photo-electrons, standard deviation
_GRAY = 128


def blur(image: np.ndarray, percent: float) -> np.ndarray:
    """Blur an image with a Gaussian.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    percent : float >= 0
        Standard deviation in percent of the image height, so that images of all sizes lose the
        same detail.
    """
    import cv2

    sigma_px = percent / 100 * image.shape[0]
    if sigma_px <= 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma_px)


def darken(image: np.ndarray, stops: float, generator: np.random.Generator) -> np.ndarray:
    """Simulate less light: each stop halves it, while the noise of the sensor stays.

    The image is converted to linear light (sRGB), scaled, given shot noise (2,000 photo-electrons
    at white, normal approximation) and read noise, and coded in 8 bits again. It is not brightened
    afterwards.

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
    """Cover the face with gray, from the chin up.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    box : np.ndarray [shape=(4,)]
        Left, top, right, bottom of the face in pixels; NaN leaves the image unchanged.
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
