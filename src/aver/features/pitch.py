"""`track_pitch`: fundamental frequency and harmonicity, frame by frame."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aver.features.spectral import hann_window

_PERIODS = 3.0  # Boersma (1993): the window holds three periods of the lowest pitch
_OCTAVE_COST = 0.01  # Boersma (1993): per octave, so that a period is preferred to its multiples
_UNVOICED = 0.45  # Boersma (1993): "VoicingThreshold", strength of the unvoiced candidate
_SWITCH_COST = 0.14  # Boersma (1993): "VoicedUnvoicedCost"
_JUMP_COST = 0.35  # Boersma (1993): "OctaveJumpCost", per octave between neighboring frames
_CANDIDATES = 5
_MAX_STRENGTH = 0.9999  # a pure tone has a harmonicity of 40 dB


def pitch_window(rate_hz: int, lowest_hz: float) -> int:
    """Samples of a frame that `track_pitch` needs: three periods of the lowest pitch."""
    return round(_PERIODS * rate_hz / lowest_hz)


def track_pitch(
    frames: np.ndarray, rate_hz: int, lowest_hz: float, highest_hz: float, hop_s: float = 0.01
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate the fundamental frequency by the autocorrelation method.

    The autocorrelation of each windowed frame is divided by that of the window. Its highest peaks
    between the shortest and the longest period are candidates, beside "unvoiced"; the path through
    the frames weighs their heights against jumps in pitch and changes of voicing.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, pitch_window(rate_hz, lowest_hz))]
        Overlapping frames of one stretch of sound, `hop_s` apart.
    rate_hz : int > 0
    lowest_hz, highest_hz : float > 0
        Range of the pitch.
    hop_s : float > 0
        Time between frames. The costs of jumps are for frames 10 ms apart and grow with their
        density, as in the author's implementation.

    Returns
    -------
    pitch_hz : np.ndarray [shape=(frames,), unit=Hz]
        In unvoiced frames that of the strongest candidate, which means little.
    harmonicity_db : np.ndarray [shape=(frames,), unit=dB]
        Energy of the part with this period over that of the rest.
    voiced : np.ndarray [shape=(frames,), dtype=bool]

    Notes
    -----
    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", steps 3.1 to 4 with the constants of its table.
    Differs from the paper: loudness is not compared with that of the whole sound, so that a result
    does not depend on what comes later.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    >>> frames = np.lib.stride_tricks.sliding_window_view(tone, pitch_window(16000, 65.0))[::160]
    >>> pitch_hz, _, voiced = track_pitch(frames, 16000, 65.0, 500.0)
    >>> float(np.median(pitch_hz).round(1)), float(voiced.mean())
    (200.0, 1.0)
    """
    if not len(frames):
        return np.zeros(0), np.zeros(0), np.zeros(0, bool)
    lags = np.arange(int(rate_hz / highest_hz) - 1, int(np.ceil(rate_hz / lowest_hz)) + 2)
    strength = _autocorrelation(frames, lags)  # (frames, lags)
    inner = strength[:, 1:-1]
    peaks = (inner >= strength[:, :-2]) & (inner > strength[:, 2:])
    scores = np.where(peaks, inner - _OCTAVE_COST * np.log2(lags[1:-1] / lags[1]), -np.inf)
    places = np.argpartition(-scores, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    candidates = np.take_along_axis(scores, places, axis=1)
    path = _best_path(candidates, np.log2(lags[places + 1]), 0.01 / hop_s)
    voiced = path < _CANDIDATES
    chosen = np.where(voiced, path, candidates.argmax(axis=1))
    rows = np.arange(len(frames))
    best = places[rows, chosen] + 1
    left, height, right = (strength[rows, best + shift] for shift in (-1, 0, 1))
    bend = left - 2 * height + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    offset = np.clip(offset, -0.5, 0.5)
    peak = np.clip(height - 0.25 * (left - right) * offset, 1 - _MAX_STRENGTH, _MAX_STRENGTH)
    return rate_hz / (lags[best] + offset), 10 * np.log10(peak / (1 - peak)), voiced


def _best_path(scores: np.ndarray, octaves: np.ndarray, costs: float) -> np.ndarray:
    """The chosen candidate of each frame, `_CANDIDATES` for unvoiced; Boersma (1993), step 4.

    Parameters
    ----------
    scores, octaves : np.ndarray [shape=(frames, candidates)]
        Strength, minus infinity if there are fewer candidates; logarithm of the period.
    """
    count = len(scores)
    local = np.column_stack([scores, np.full(count, _UNVOICED)])
    steps = np.full((count, _CANDIDATES + 1, _CANDIDATES + 1), -costs * _SWITCH_COST)  # from, to
    steps[1:, :-1, :-1] = (
        -costs * _JUMP_COST * np.abs(octaves[:-1, :, np.newaxis] - octaves[1:, np.newaxis])
    )
    steps[:, -1, -1] = 0.0
    total, back = local[0], np.zeros(local.shape, dtype=np.intp)
    for frame in range(1, count):
        reached = total[:, np.newaxis] + steps[frame]
        back[frame] = reached.argmax(axis=0)
        total = reached.max(axis=0) + local[frame]
    path = np.empty(count, dtype=np.intp)
    path[-1] = total.argmax()
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path


def _autocorrelation(frames: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Autocorrelation of windowed frames over that of the window; 1 at lag 0: (frames, lags)."""
    from scipy import fft

    length = frames.shape[1]
    size = fft.next_fast_len(length + int(lags[-1]) + 1, real=True)
    window, expected = _window(length, size)
    centered = (frames - frames.mean(axis=1, keepdims=True)) * window
    power = np.abs(fft.rfft(centered, size, axis=1)) ** 2
    whole = fft.irfft(power, size, axis=1)
    return whole[:, lags] / np.maximum(whole[:, :1], np.finfo(np.float32).tiny) / expected[lags]


@lru_cache(maxsize=4)
def _window(length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Hann window and its autocorrelation."""
    from scipy import fft

    window = hann_window(length).astype(np.float32)
    whole = fft.irfft(np.abs(fft.rfft(window, size)) ** 2, size)
    return window, whole / whole[0]
