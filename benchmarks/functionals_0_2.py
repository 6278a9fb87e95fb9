"""The audio functionals of version 0.2, which `voices_across_corpora.py` compares with today's."""

from __future__ import annotations

import numpy as np
from scipy import fft

from aver.features.clip_audio import AudioFeature, ClipAudio
from aver.features.feature import FeatureRecord
from aver.features.spectral import cepstrum, hann_window, mel_bands_db
from aver.settings import settings

RATE_HZ, HOP = 16000, 256


@settings
class Functionals02(AudioFeature):
    """Moments of 40 MFCCs and their steps, pitch, loudness and duration of the whole clip."""

    name = "audio-functionals-0.2"
    source = "aver 0.2"

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """170 values."""
        bands_db = mel_bands_db(audio.samples, RATE_HZ, 1024, HOP, 128, RATE_HZ / 2)
        mfcc = cepstrum(bands_db, 40)
        steps = np.diff(mfcc, axis=1)
        moments = [mfcc.mean(1), mfcc.std(1), steps.mean(1), steps.std(1)]
        values = np.concatenate([*moments, _pitch_and_loudness(audio.samples)])
        return FeatureRecord({"statistics": values.astype(np.float32)}, audio.coverage)


def _pitch_and_loudness(samples: np.ndarray) -> np.ndarray:
    pitch_hz = _pitch(samples)
    voiced = np.isfinite(pitch_hz)
    octaves = np.log2(pitch_hz[voiced])
    melody = np.zeros(6)
    if octaves.size > 1:
        step = np.abs(np.diff(octaves)).mean()
        percentiles = np.percentile(octaves, (5, 50, 95))
        melody = np.array([octaves.mean(), octaves.std(), *percentiles, step])
    blocks = np.lib.stride_tricks.sliding_window_view(samples, HOP)[::HOP]
    loudness_db = 10 * np.log10(np.square(blocks).mean(axis=1) + 1e-8)
    share = voiced.mean() if voiced.size else 0.0
    rest = [share, loudness_db.mean(), loudness_db.std(), samples.size / RATE_HZ]
    return np.concatenate([melody, rest])


def _pitch(audio: np.ndarray) -> np.ndarray:
    """Boersma (1993), each frame decided on its own; NaN if unvoiced."""
    length = round(3 * RATE_HZ / 65)
    if audio.size < length:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(audio, length)[:: RATE_HZ // 100]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) > 0.03 * np.abs(audio - audio.mean()).max()
    lags = np.arange(RATE_HZ // 500 - 1, int(np.ceil(RATE_HZ / 65)) + 2)
    window = hann_window(length)
    similarity = _correlate(frames * window, lags) / _correlate(window, lags)
    inner = similarity[:, 1:-1]
    peaks = (inner >= similarity[:, :-2]) & (inner > similarity[:, 2:])
    cost = 0.01 * np.log2(lags[1:-1] / lags[1])
    best = np.where(peaks, inner - cost, -np.inf).argmax(axis=1) + 1
    left, height, right = (similarity[np.arange(len(frames)), best + k] for k in (-1, 0, 1))
    bend = left - 2 * height + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    voiced = loud & peaks.any(axis=1) & (height > 0.45)
    return np.where(voiced, RATE_HZ / (lags[best] + np.clip(offset, -0.5, 0.5)), np.nan)


def _correlate(values: np.ndarray, lags: np.ndarray) -> np.ndarray:
    size = fft.next_fast_len(2 * values.shape[-1], real=True)
    whole = fft.irfft(np.abs(fft.rfft(values, size, axis=-1)) ** 2, size, axis=-1)
    return whole[..., lags] / np.maximum(whole[..., :1], np.finfo(float).tiny)
