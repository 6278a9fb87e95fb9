"""Noise in the sound: white, or the babble of other voices, at a given signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.errors import SettingsError


def add_noise(sound: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Mix noise into sound so that their mean powers have the ratio wanted.

    Parameters
    ----------
    sound, noise : np.ndarray [shape=(samples,), dtype=float32]
        At the same rate; the ratio holds over the band up to half of it.
    snr_db : float
        ``10 log10(power of sound / power of noise)``, over the whole clip.

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
    >>> sound, noise = np.full(4, 0.5, np.float32), np.array([1, -1, 1, -1], np.float32)
    >>> (add_noise(sound, noise, 0.0) - sound).tolist()
    [0.5, -0.5, 0.5, -0.5]
    """
    if sound.shape != noise.shape:
        raise SettingsError(f"Sound has {sound.size} samples and noise {noise.size}.")
    loudness, disturbance = _power(sound), _power(noise)
    if loudness == 0.0 or disturbance == 0.0:
        return sound.copy()
    gain = np.sqrt(loudness / disturbance / 10 ** (snr_db / 10))
    return (sound + gain * noise).astype(np.float32)


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


def _power(sound: np.ndarray) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64))) if sound.size else 0.0
