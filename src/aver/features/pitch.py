"""Pitch of a voice, frame by frame, from its autocorrelation."""

from __future__ import annotations

import numpy as np

_WINDOW_PERIODS = 3.0  # Boersma (1993): three periods of the lowest pitch
_OCTAVE_COST = 0.01  # Boersma (1993): per octave, so that a period wins over its doubles
_SILENCE = 0.03  # Boersma (1993): frames below this share of the clip's peak are unvoiced


def track_pitch(
    sound: np.ndarray,
    rate_hz: int,
    *,
    lowest_hz: float = 65.0,
    highest_hz: float = 500.0,
    hop_s: float = 0.01,
    voiced_above: float = 0.45,
) -> np.ndarray:
    """Estimate the fundamental frequency by the autocorrelation method.

    Each windowed frame's autocorrelation is divided by the window's own; the strongest peak
    between the shortest and the longest period, refined by a parabola, is the period.

    Parameters
    ----------
    sound : np.ndarray [shape=(samples,)]
    rate_hz : int > 0
    lowest_hz, highest_hz : float > 0
        Range of the pitch searched for, in Hz.
    hop_s : float > 0
        Time between frames, in seconds.
    voiced_above : float in [0, 1]
        Least height of the peak, as a share of the frame's energy, for a frame to be voiced.

    Returns
    -------
    np.ndarray [shape=(frames,), unit=Hz]
        NaN where the frame is unvoiced; empty where the sound is shorter than one frame.

    Notes
    -----
    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", steps 3.1 to 3.5 with its thresholds.
    Differs from the paper: each frame decides for itself; no path is sought through the frames.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> float(np.nanmedian(track_pitch(tone, 16000)).round(1))
    200.0
    """
    length, hop = round(_WINDOW_PERIODS * rate_hz / lowest_hz), round(hop_s * rate_hz)
    if sound.size < length:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(sound, length)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) > _SILENCE * np.abs(sound - sound.mean()).max()
    first, last = int(rate_hz / highest_hz), int(np.ceil(rate_hz / lowest_hz))
    lags = np.arange(first - 1, last + 2)
    likeness = _autocorrelation(frames, lags)  # (frames, lags)
    inner = likeness[:, 1:-1]
    peaks = (inner >= likeness[:, :-2]) & (inner > likeness[:, 2:])
    cost = _OCTAVE_COST * np.log2(lags[1:-1] / lags[1])
    best = np.where(peaks, inner - cost, -np.inf).argmax(axis=1) + 1
    rows = np.arange(len(frames))
    left, height, right = (likeness[rows, best + shift] for shift in (-1, 0, 1))
    bend = left - 2 * height + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    voiced = loud & peaks.any(axis=1) & (height > voiced_above)
    return np.where(voiced, rate_hz / (lags[best] + np.clip(offset, -0.5, 0.5)), np.nan)


def _autocorrelation(frames: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Autocorrelation of windowed frames over that of the window; 1 at lag 0."""
    from scipy import fft
    from scipy.signal import get_window

    window = get_window("hann", frames.shape[1])
    size = fft.next_fast_len(2 * frames.shape[1], real=True)

    def correlate(values: np.ndarray) -> np.ndarray:
        whole = fft.irfft(np.abs(fft.rfft(values, size, axis=-1)) ** 2, size, axis=-1)
        return whole[..., lags] / np.maximum(whole[..., :1], np.finfo(float).tiny)

    return correlate(frames * window) / correlate(window)
