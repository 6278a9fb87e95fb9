"""The vocal tract: resonances (formants) that move with time, and the tilt of the spectrum."""

from __future__ import annotations

import numpy as np
from scipy.signal import sosfilt


def resonator(frequency_hz: np.ndarray, bandwidth_hz: np.ndarray, rate_hz: int) -> np.ndarray:
    """Second-order sections of resonators with a gain of 1 at 0 Hz.

    Parameters
    ----------
    frequency_hz, bandwidth_hz : np.ndarray [shape=(...)]
        Centre and width of each resonance, in Hz, below half of `rate_hz`.
    rate_hz : int

    Returns
    -------
    np.ndarray [shape=(..., 6)]
        As `scipy.signal.sosfilt` takes them.

    Notes
    -----
    Source: Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67 (1980),
    equation 2.
    """
    c = -np.exp(-2 * np.pi * bandwidth_hz / rate_hz)
    b = 2 * np.exp(-np.pi * bandwidth_hz / rate_hz) * np.cos(2 * np.pi * frequency_hz / rate_hz)
    zero, one = np.zeros_like(c), np.ones_like(c)
    return np.stack([1 - b - c, zero, zero, one, -b, -c], axis=-1)


def tilt(attenuation_db: np.ndarray, rate_hz: int, at_hz: float = 3000.0) -> np.ndarray:
    """First-order low-pass sections that attenuate `at_hz` by so many dB, and 0 Hz by none.

    Parameters
    ----------
    attenuation_db : np.ndarray [shape=(...)]
        Above 0.
    rate_hz : int
    at_hz : float

    Returns
    -------
    np.ndarray [shape=(..., 6)]
    """
    # |H|^2 = (1 - p)^2 / (1 - 2 p cos w + p^2) = g, solved for the pole p in (0, 1).
    gain = 10 ** (-np.maximum(attenuation_db, 0.01) / 10)
    half = (1 - gain * np.cos(2 * np.pi * at_hz / rate_hz)) / (1 - gain)
    pole = half - np.sqrt(half**2 - 1)
    zero, one = np.zeros_like(pole), np.ones_like(pole)
    return np.stack([1 - pole, zero, zero, one, -pole, zero], axis=-1)


def filter_by_blocks(sound: np.ndarray, sections: np.ndarray, block: int) -> np.ndarray:
    """Filter a sound whose filter changes every `block` samples; the filter's memory is kept.

    Parameters
    ----------
    sound : np.ndarray [shape=(samples,)]
    sections : np.ndarray [shape=(blocks, sections, 6)]
        The last one also serves what is left of the sound.
    block : int >= 1
        Samples.

    Returns
    -------
    np.ndarray [shape=(samples,)]
    """
    filtered = np.empty_like(sound)
    memory = np.zeros((sections.shape[1], 2))
    for index, section in enumerate(sections):
        start = index * block
        end = start + block if index + 1 < len(sections) else len(sound)
        if start >= len(sound):
            break
        filtered[start:end], memory = sosfilt(section, sound[start:end], zi=memory)
    return filtered
