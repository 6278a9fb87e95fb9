"""`describe_voice`: pitch, voice quality, timbre and loudness of speech, every 2.5 ms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aver.features.pitch import pitch_window, track_pitch
from aver.features.spectral import cepstrum, hann_window, mel_filters

RATE_HZ = 16000
"""Sampling rate of the audio to describe."""

HOP_S = 0.0025
"""Time from frame to frame."""

CEPSTRA = 12

TIMBRE = (
    *("loudness", "alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "flux"),
    *("centroid", "flatness", *(f"mfcc_{k}" for k in range(1, CEPSTRA + 1))),
)
"""Descriptors of any frame."""

VOICE = ("pitch", "harmonicity", "h1_h2", "h1_a3", "f1", "f2", "f3", "b1")
"""Descriptors that mean something in voiced frames only."""

DESCRIPTORS = ("voiced", *TIMBRE, *VOICE)
"""Names of the columns of `describe_voice`."""

_HOP = round(HOP_S * RATE_HZ)
_LAG = round(0.01 / HOP_S)
_N_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 600.0
_BANDS = 40
_LOWEST_BAND_HZ = 50.0  # hum and rumble are below
_FLOOR = 1e-8  # 80 dB below the loudest frame of the stretch
_LPC_ORDER, _LPC_BAND_HZ, _LPC_WINDOW = 12, 5500, 400  # five formants below 5.5 kHz, 25 ms
_FORMANT_HZ = (150.0, 5400.0)
_MAX_BANDWIDTH_HZ = 700.0
_USUAL_F3_HZ = 2700.0
_REFERENCE_HZ = 55.0  # A1: pitch and formants are in semitones above it


def describe_voice(samples: np.ndarray) -> np.ndarray:
    """Describe one stretch of speech.

    Nothing depends on the gain of the recording, except ``loudness``, whose differences do not.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), dtype=float32]
        At `RATE_HZ`.

    Returns
    -------
    np.ndarray [shape=(frames, descriptors), dtype=float32]
        Columns are `DESCRIPTORS`: 1 in voiced frames, else 0; loudness in dB; energy below 1 kHz
        over that up to 5 kHz (alpha ratio, dB); highest level below 2 kHz over that up to 5 kHz
        (Hammarberg index, dB); slopes of the spectrum in dB per kHz; change of the spectrum from
        that 10 ms before in dB (flux, 0 at the start); its centroid in octaves above 1 Hz and
        its flatness in dB; mel-frequency cepstral coefficients; pitch in semitones above 55 Hz;
        harmonics-to-noise ratio in dB; level of the first harmonic over that of the second and that
        of the third formant in dB; three formants in semitones above 55 Hz and the bandwidth of the
        first in octaves above 1 Hz, NaN in frames with fewer resonances. No frame if the stretch is
        shorter than three periods of 65 Hz.

    Notes
    -----
    Source: Eyben et al. (2016), "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice
    research and affective computing", section 3.1, for the choice of descriptors.
    Differs from the paper: formants are not tracked; jitter and shimmer are left out, since they
    measure the codec as much as the voice.
    """
    length = pitch_window(RATE_HZ, _LOWEST_HZ)
    if samples.size < length:
        return np.zeros((0, len(DESCRIPTORS)), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::_HOP]
    power = _power(frames, _N_FFT, _N_FFT)  # (frames, bins)
    bands = power @ _mel_filters().T
    energy = bands.sum(axis=1)
    floor = max(float(energy.max()) * _FLOOR, 1e-20)
    spectrum_db = 10 * np.log10(np.maximum(power, floor / len(_hz())))
    bands_db = 10 * np.log10(np.maximum(bands, floor / _BANDS))
    columns = {
        "loudness": 10 * np.log10(np.maximum(energy, floor)),
        **_shape(power, spectrum_db, bands_db, floor),
        **_voice(frames, spectrum_db),
    }
    mfcc = cepstrum(bands_db.T, CEPSTRA + 1)[1:]  # without the zeroth, the level
    columns |= {f"mfcc_{k + 1}": row for k, row in enumerate(mfcc)}
    return np.column_stack([columns[name] for name in DESCRIPTORS]).astype(np.float32)


def _shape(
    power: np.ndarray, spectrum_db: np.ndarray, bands_db: np.ndarray, floor: float
) -> dict[str, np.ndarray]:
    """Descriptors of the spectrum's shape."""

    def between(low: float, high: float) -> np.ndarray:
        return (_hz() >= low) & (_hz() < high)

    def slope(low: float, high: float) -> np.ndarray:
        centered = _hz()[between(low, high)] / 1000
        centered = centered - centered.mean()
        return spectrum_db[:, between(low, high)] @ centered / (centered @ centered)

    low, high = (power[:, between(*edges)].sum(axis=1) for edges in ((50, 1000), (1000, 5000)))
    magnitude = np.sqrt(power[:, 1:])
    centroid_hz = magnitude @ _hz()[1:] / np.maximum(magnitude.sum(axis=1), 1e-12)
    level = bands_db - bands_db.mean(axis=1, keepdims=True)
    change = np.zeros(len(level))
    change[_LAG:] = np.sqrt(np.square(level[_LAG:] - level[:-_LAG]).mean(axis=1))
    mean_band_db = 10 * np.log10((10 ** (bands_db / 10)).mean(axis=1))
    return {
        "alpha_ratio": 10 * np.log10((low + floor) / (high + floor)),
        "hammarberg": spectrum_db[:, between(0, 2000)].max(axis=1)
        - spectrum_db[:, between(2000, 5000)].max(axis=1),
        "slope_0_500": slope(0, 500),
        "slope_500_1500": slope(500, 1500),
        "flux": change,
        "centroid": np.log2(np.maximum(centroid_hz, 50.0)),
        "flatness": bands_db.mean(axis=1) - mean_band_db,
    }


def _voice(frames: np.ndarray, spectrum_db: np.ndarray) -> dict[str, np.ndarray]:
    """Voicing, and the descriptors `VOICE`."""
    pitch_hz, harmonicity_db, voiced = track_pitch(frames, RATE_HZ, _LOWEST_HZ, _HIGHEST_HZ, HOP_S)
    formants_hz, bandwidths_hz = _formants(_middle(frames, _LPC_WINDOW))
    third_hz = np.where(np.isfinite(formants_hz[:, 2]), formants_hz[:, 2], _USUAL_F3_HZ)
    first_db, second_db, third_db = (
        _level_at(spectrum_db, hz) for hz in (pitch_hz, 2 * pitch_hz, third_hz)
    )
    return {
        "voiced": voiced.astype(float),
        "pitch": _semitones(pitch_hz),
        "harmonicity": harmonicity_db,
        "h1_h2": first_db - second_db,
        "h1_a3": first_db - third_db,
        **{f"f{k + 1}": _semitones(formants_hz[:, k]) for k in range(3)},
        "b1": np.log2(np.maximum(bandwidths_hz[:, 0], 1.0)),
    }


def _formants(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first three resonances of each frame and their bandwidths, (frames, 3), NaN if fewer.

    Linear prediction from the part of the spectrum below 5.5 kHz, as if resampled to 11 kHz.
    """
    emphasized = frames - 0.97 * np.pad(frames, ((0, 0), (1, 0)))[:, :-1]
    n_fft = 1024
    power = _power(emphasized, _LPC_WINDOW, n_fft)[:, : _LPC_BAND_HZ * n_fft // RATE_HZ + 1]
    correlation = np.fft.irfft(power, axis=1)[:, : _LPC_ORDER + 1]
    correlation[:, 0] *= 1.0001
    correlation[:, 0] += 1e-20
    companion = np.zeros((len(frames), _LPC_ORDER, _LPC_ORDER))
    companion[:, 0] = -_predictor(correlation)[:, 1:]
    companion[:, range(1, _LPC_ORDER), range(_LPC_ORDER - 1)] = 1.0
    roots = np.linalg.eigvals(companion)
    rate_hz = 2 * _LPC_BAND_HZ
    hz = np.angle(roots) * rate_hz / (2 * np.pi)
    bandwidth_hz = -np.log(np.maximum(np.abs(roots), 1e-9)) * rate_hz / np.pi
    low, high = _FORMANT_HZ
    kept = (hz > low) & (hz < high) & (bandwidth_hz < _MAX_BANDWIDTH_HZ)
    hz = np.where(kept, hz, np.inf)
    order = np.argsort(hz, axis=1)[:, :3]
    found_hz = np.take_along_axis(hz, order, axis=1)
    found = np.isfinite(found_hz)
    widths_hz = np.take_along_axis(bandwidth_hz, order, axis=1)
    return np.where(found, found_hz, np.nan), np.where(found, widths_hz, np.nan)


def _predictor(correlation: np.ndarray) -> np.ndarray:
    """Coefficients of linear prediction, first 1, by Levinson-Durbin: (frames, order + 1)."""
    count, order = len(correlation), correlation.shape[1] - 1
    predictor = np.zeros((count, order + 1))
    predictor[:, 0] = 1.0
    error = correlation[:, 0].copy()
    for step in range(1, order + 1):
        reached = (predictor[:, :step] * correlation[:, step:0:-1]).sum(axis=1)
        reflection = -reached / np.maximum(error, 1e-30)
        predictor[:, 1 : step + 1] += reflection[:, np.newaxis] * predictor[:, step - 1 :: -1]
        error *= 1 - np.square(reflection)
    return predictor


def _level_at(spectrum_db: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Highest level of the three bins around a frequency: (frames,)."""
    nearest = np.round(hz * _N_FFT / RATE_HZ).astype(np.int64)
    bins = np.clip(nearest[:, np.newaxis] + np.array([-1, 0, 1]), 0, spectrum_db.shape[1] - 1)
    return np.take_along_axis(spectrum_db, bins, axis=1).max(axis=1)


def _semitones(hz: np.ndarray) -> np.ndarray:
    return 12 * np.log2(hz / _REFERENCE_HZ)


def _middle(frames: np.ndarray, length: int) -> np.ndarray:
    start = (frames.shape[1] - length) // 2
    return frames[:, start : start + length]


def _power(frames: np.ndarray, length: int, n_fft: int) -> np.ndarray:
    """Power spectra of the middle of each frame with a Hann window: (frames, bins)."""
    from scipy.fft import rfft

    windowed = _middle(frames, length) * hann_window(length).astype(np.float32)
    return np.square(np.abs(rfft(windowed, n_fft, axis=1)))


@lru_cache(maxsize=1)
def _hz() -> np.ndarray:
    """Frequencies of the bins."""
    return np.fft.rfftfreq(_N_FFT, 1 / RATE_HZ)


@lru_cache(maxsize=1)
def _mel_filters() -> np.ndarray:
    return mel_filters(
        RATE_HZ, _N_FFT, _BANDS, RATE_HZ / 2, lowest_hz=_LOWEST_BAND_HZ, equal_area=False
    )
