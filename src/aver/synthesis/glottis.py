"""The glottal source: pulses of air flow at a given pitch, with jitter and breath."""

from __future__ import annotations

import numpy as np
from scipy.signal import resample_poly

_OVERSAMPLING = 3  # the pulse ends in a jump, whose overtones would fold back otherwise


def glottal_source(
    pitch_hz: np.ndarray,
    rate_hz: int,
    *,
    jitter: np.ndarray | float = 0.0,
    breath: np.ndarray | float = 0.0,
    open_quotient: float = 0.6,
    rng: np.random.Generator,
) -> np.ndarray:
    """Derivative of the air flow through the vocal folds.

    Parameters
    ----------
    pitch_hz : np.ndarray [shape=(samples,)]
        Fundamental frequency at each sample, in Hz, above 0.
    rate_hz : int
        Samples per second.
    jitter : np.ndarray [shape=(samples,)] or float
        Relative standard deviation of a cycle's length (0.01 is 1 percent).
    breath : np.ndarray [shape=(samples,)] or float
        Aspiration noise while the folds are open, relative to the pulses.
    open_quotient : float in (0, 1)
        Share of the cycle during which the folds are open.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(samples,)]
        RMS about 1 in voiced speech.

    Notes
    -----
    Source: KLGLOTT88 of Klatt & Klatt, "Analysis, synthesis, and perception of voice quality
    variations", JASA 87 (1990), section II: the flow is a t^2 - b t^3 while the folds are open.
    """
    samples = len(pitch_hz)
    fine_hz = np.interp(
        np.arange(samples * _OVERSAMPLING) / _OVERSAMPLING, np.arange(samples), pitch_hz
    )
    steps = fine_hz / (rate_hz * _OVERSAMPLING)
    cycles = np.cumsum(steps)
    # A cycle's jitter and shimmer are drawn once for the whole cycle.
    jitter_fine = np.repeat(np.broadcast_to(jitter, (samples,)), _OVERSAMPLING)
    drawn = rng.standard_normal((2, int(cycles[-1] * 2) + 8))
    current = cycles.astype(np.int64)
    cycles = np.cumsum(steps * np.clip(1 + jitter_fine * drawn[0, current], 0.5, 1.5))
    current = cycles.astype(np.int64)
    shimmer = 1 + 2 * jitter_fine * drawn[1, np.minimum(current, drawn.shape[1] - 1)]
    opened = (cycles - current) / open_quotient
    is_open = opened < 1
    pulses = np.where(is_open, 2 * opened - 3 * opened**2, 0.0) * shimmer
    pulses = resample_poly(pulses, 1, _OVERSAMPLING)[:samples]
    aspiration = rng.standard_normal(samples) * np.where(is_open[::_OVERSAMPLING], 1.0, 0.3)
    # The mean of (2 u - 3 u^2)^2 over the open phase is 2/15.
    return pulses / np.sqrt(open_quotient * 2 / 15) + aspiration * breath
